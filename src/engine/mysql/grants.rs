//! Rights on MySQL and MariaDB.

use super::literal;
use super::store;
use crate::report::{Grant, Granted};
use crate::request::Grantees;

/// What scripts need of a schema. Rights on it hold for the ledger's tables too: no right can be taken away
/// from one table of it.
const CHANGES: &str = "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, \
                       CREATE VIEW, SHOW VIEW, TRIGGER, CREATE ROUTINE, ALTER ROUTINE, EXECUTE, EVENT, \
                       LOCK TABLES, CREATE TEMPORARY TABLES";

/// Returns the statements that give each of `who` their rights.
pub(super) fn grants(database: &str, who: &Grantees) -> Granted {
    let schema = literal::name(database);
    let reading = || {
        let tables = store::tables().into_iter();
        tables.map(|table| format!("SELECT ON {schema}.{table}"))
    };
    let appending = [
        format!("INSERT ON {schema}.mledger_events"),
        format!("INSERT ON {schema}.mledger_objects"),
        // a row can be locked by who may update a column of it, and this one has one value
        format!("UPDATE (`only`) ON {schema}.mledger_lease"),
    ];
    let mut grants = Vec::new();
    let mut add = |work, user: &Option<String>, rights: Vec<String>| {
        let Some(user) = user else { return };
        let to = account(user);
        grants.push(Grant {
            work,
            name: user.clone(),
            statements: rights
                .into_iter()
                .map(|right| format!("GRANT {right} TO {to}"))
                .collect(),
        });
    };
    add(
        "runner",
        &who.runner,
        vec![format!("{CHANGES} ON {schema}.*")],
    );
    add(
        "approver",
        &who.approver,
        reading().chain(appending).collect(),
    );
    add("auditor", &who.auditor, reading().collect());
    let notes = [
        "run this as an administrator, after `mledger init` by the user who owns the guards",
        "the runner's rights on the schema hold for the ledger's tables too, since no right can be taken away \
         from one table: what keeps the ledger is that its changes show, not that they are refused",
        "who has no right TRIGGER on the ledger's tables does not see its guards, and `verify` says that it \
         cannot tell whether they are on",
    ];
    Granted {
        notes: notes.map(str::to_owned).into(),
        grants,
    }
}

/// Writes an account; without a host it may come from everywhere.
fn account(user: &str) -> String {
    let (name, host) = user.rsplit_once('@').unwrap_or((user, "%"));
    let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"));
    format!("{}@{}", quoted(name), quoted(host))
}
