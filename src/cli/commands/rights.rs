//! `grants` and `redact`.

use mledger::error::Error;
use mledger::request::{Grantees, Redact};

use super::super::app::App;
use super::super::args;
use super::super::words;
use super::decide;

/// Prints a script: what is said about it stands in comments.
pub(super) async fn grants(app: &App, arguments: args::Grants) -> Result<u8, Error> {
    let who = Grantees {
        runner: Some(arguments.runner),
        approver: Some(arguments.approver),
        auditor: Some(arguments.auditor),
    };
    let granted = app.reader().await?.migrator.grants(&who).await?;
    if app.printer.is_json() {
        app.printer.document(&granted);
        return Ok(0);
    }
    for note in &granted.notes {
        app.printer.answer(format!("-- {note}"));
    }
    for grant in &granted.grants {
        app.printer.answer("");
        app.printer
            .answer(format!("-- {}: {}", grant.work, words::line(&grant.name)));
        for statement in &grant.statements {
            app.printer.answer(format!("{statement};"));
        }
    }
    Ok(0)
}

pub(super) async fn redact(app: &App, arguments: args::Redact) -> Result<u8, Error> {
    let opened = app.reader().await?;
    if app.global.confirm.is_none() {
        let question = format!("erase the bytes of `{}` for good", arguments.digest);
        app.prompt.confirm(&app.printer, &question, "--yes")?;
    }
    app.signals.work_begins();
    let request = Redact {
        digest: arguments.digest,
        reason: arguments.reason,
        confirmed: app.global.confirm.clone(),
    };
    let decided = opened.migrator.redact(&request).await?;
    decide::print(&app.printer, &decided);
    Ok(0)
}
