//! Rights on PostgreSQL.

use crate::report::{Grant, Granted};
use crate::request::Grantees;

/// Returns the statements that give each of `who` their rights.
pub(super) fn grants(database: &str, who: &Grantees) -> Granted {
    let database = quoted(database);
    let mut grants = Vec::new();
    let mut add = |work, role: &Option<String>, more: &[&str]| {
        let Some(role) = role else { return };
        let to = quoted(role);
        let reading = [
            format!("GRANT CONNECT ON DATABASE {database} TO {to}"),
            format!("GRANT USAGE ON SCHEMA mledger TO {to}"),
            format!("GRANT SELECT ON ALL TABLES IN SCHEMA mledger TO {to}"),
        ];
        let more = more.iter().map(|right| format!("GRANT {right} TO {to}"));
        grants.push(Grant {
            work,
            name: role.clone(),
            statements: reading.into_iter().chain(more).collect(),
        });
    };
    let append = "INSERT ON mledger.events, mledger.objects";
    add(
        "runner",
        &who.runner,
        &[
            append,
            "UPDATE ON mledger.lease",
            "USAGE, CREATE ON SCHEMA public",
        ],
    );
    // a row can be locked by who may update a column of it, and this one has one value
    add(
        "approver",
        &who.approver,
        &[append, "UPDATE (id) ON mledger.lease"],
    );
    add("auditor", &who.auditor, &[]);
    let notes = [
        "run this as the owner of the ledger's tables, who should be none of these roles: an owner can switch \
         guards off",
        "the runner needs rights on what its migrations change as well: who alters a table must own it, or be \
         a member of the role that does",
        "`redact`, `fork` and `move` are the owner's: they change rows that nobody else may",
    ];
    Granted {
        notes: notes.map(str::to_owned).into(),
        grants,
    }
}

/// Writes a name so that it is read as it stands.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
