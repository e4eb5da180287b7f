//! Where another tool's history is: the table that was asked for, or the one that is there.

use super::Migrator;
use crate::adopt::{self, Table, TableName, Tool};
use crate::engine::Session;
use crate::error::Error;
use crate::request::Adopt;

/// A tool, and its table.
type Found = (&'static dyn Tool, Table);

impl Migrator {
    /// Finds the table that was asked for, or the one that is there.
    pub(super) async fn find_history(
        &self,
        request: &Adopt,
        asked: Option<&dyn Tool>,
        session: &mut dyn Session,
    ) -> Result<Found, Error> {
        let mut found: Vec<Found> = Vec::new();
        let mut odd: Option<Found> = None;
        let tools = adopt::TOOLS
            .iter()
            .copied()
            .filter(|tool| asked.is_none_or(|asked| asked.name() == tool.name()));
        for tool in tools {
            for name in places(tool, request) {
                let read = session.table(&name).await;
                let Some(table) =
                    read.map_err(|error| self.engine_error(error, "reading another tool's table"))?
                else {
                    continue;
                };
                if tool.recognises(&table) {
                    found.push((tool, table));
                    break;
                }
                odd.get_or_insert((tool, table));
            }
        }
        if asked.is_none() {
            self.tell_apart(&mut found, session).await?;
        }
        if found.len() > 1 {
            let names: Vec<String> = found
                .iter()
                .map(|(tool, table)| format!("`{}` in `{}`", tool.name(), table.name))
                .collect();
            return Err(Error::Usage {
                code: "adoption-ambiguous",
                message: format!(
                    "expected the history of one tool, found those of {}",
                    names.join(" and ")
                ),
                hint: "say which one holds with `--from TOOL`".to_owned(),
            });
        }
        match (found.pop(), odd) {
            (Some(found), _) => Ok(found),
            (None, Some((tool, table))) => Err(not_its_own(tool, &table)),
            (None, None) => Err(nothing_found(request)),
        }
    }

    /// Leaves of two tools whose tables look alike the one whose other table is there too, or else the one
    /// that has none.
    async fn tell_apart(
        &self,
        found: &mut Vec<Found>,
        session: &mut dyn Session,
    ) -> Result<(), Error> {
        let claims: Vec<(&str, TableName)> = found
            .iter()
            .filter_map(|(tool, table)| {
                let witness = TableName {
                    schema: table.name.schema.clone(),
                    name: tool.witness()?.to_owned(),
                };
                Some((tool.name(), witness))
            })
            .collect();
        for (claimant, witness) in claims {
            let read = session.table(&witness).await;
            let is_there = read
                .map_err(|error| self.engine_error(error, "reading another tool's table"))?
                .is_some();
            let Some(at) = found.iter().position(|(tool, _)| tool.name() == claimant) else {
                continue;
            };
            if is_there {
                let own = found[at].1.name.clone();
                found.retain(|(tool, table)| table.name != own || tool.name() == claimant);
            } else {
                found.remove(at);
            }
        }
        Ok(())
    }
}

/// Where a tool's table may be.
fn places(tool: &dyn Tool, request: &Adopt) -> Vec<TableName> {
    if let Some(table) = &request.table {
        return vec![table.clone()];
    }
    tool.places()
        .iter()
        .map(|(schema, name)| TableName {
            schema: request.registry.clone().or(schema.map(str::to_owned)),
            name: (*name).to_owned(),
        })
        .collect()
}

pub(super) fn unknown(name: &str) -> Error {
    Error::Usage {
        code: "tool-unknown",
        message: format!(
            "expected one of the tools {}, found `{name}`",
            adopt::names()
        ),
        hint: "for a database without any of them, `mledger baseline VERSION --reason TEXT`"
            .to_owned(),
    }
}

fn not_its_own(tool: &dyn Tool, table: &Table) -> Error {
    Error::Usage {
        code: "adoption-unreadable",
        message: format!(
            "expected the columns `{}` of `{}` in the table `{}`, found `{}`",
            tool.columns().join("`, `"),
            tool.name(),
            table.name,
            table.columns.join("`, `")
        ),
        hint: "check which tool made the table, and name it with `--from TOOL`".to_owned(),
    }
}

pub(super) fn nothing_found(request: &Adopt) -> Error {
    let expected = match (&request.table, &request.tool) {
        (Some(table), _) => format!("the table `{table}`"),
        (None, Some(tool)) => format!("the table of `{tool}`"),
        (None, None) => "a table of another tool".to_owned(),
    };
    Error::Usage {
        code: "adoption-nothing-found",
        message: format!("expected {expected} in this database, found none"),
        hint: "check which database is meant; `--table NAME` names a table that is called otherwise, and \
               `mledger baseline VERSION --reason TEXT` begins without one"
            .to_owned(),
    }
}
