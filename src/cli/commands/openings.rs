//! `fork`, `move` and `rewind`: a database that is not where, or not as long as, its ledger says.

use mledger::error::Error;
use mledger::report::Reopened;
use mledger::request::{Fork, Move, Rewind};

use super::super::app::App;
use super::super::args;
use super::super::output::{DIM, paint};
use super::super::surroundings;
use super::super::words;
use super::verify;

pub(super) async fn fork(app: &App, arguments: args::Fork) -> Result<u8, Error> {
    let request = Fork {
        reason: arguments.reason,
        new_key: arguments.new_key,
        confirmed: app.global.confirm.clone(),
    };
    let reopened = app.writer().await?.migrator.fork(&request).await?;
    print(app, &reopened);
    Ok(0)
}

pub(super) async fn move_here(app: &App, arguments: args::Move) -> Result<u8, Error> {
    let request = Move {
        reason: arguments.reason,
        confirmed: app.global.confirm.clone(),
    };
    let reopened = app.writer().await?.migrator.move_here(&request).await?;
    print(app, &reopened);
    Ok(0)
}

pub(super) async fn rewind(app: &App, arguments: args::Rewind) -> Result<u8, Error> {
    let checkpoints = verify::notes(&arguments.checkpoint, |path| {
        surroundings::nearby(&app.around.working.join(path))
    })?;
    let request = Rewind {
        reason: arguments.reason,
        checkpoints,
        confirmed: app.global.confirm.clone(),
    };
    let reopened = app.writer().await?.migrator.rewind(&request).await?;
    print(app, &reopened);
    Ok(0)
}

fn print(app: &App, reopened: &Reopened) {
    if app.printer.is_json() {
        app.printer.document(reopened);
        return;
    }
    app.printer.answer(&reopened.message);
    app.printer.answer(format!("ledger    {}", reopened.ledger));
    if let Some(lineage) = words::lineage(&reopened.lineage) {
        app.printer.answer(format!("lineage   {lineage}"));
    }
    for head in &reopened.lost {
        app.printer.answer(format!(
            "lost      {} with the root {}",
            words::count(head.size, "event", "events"),
            head.root
        ));
    }
    app.printer.answer(paint(
        DIM,
        format!(
            "recorded as event {}, head {}",
            reopened.seq,
            words::short(&reopened.head)
        ),
    ));
}
