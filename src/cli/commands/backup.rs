//! `backup`: take, list, verify, restore, accept and prune.

use mledger::error::Error;
use mledger::report::{BackupView, RestoreTest, RestoredSchema};
use serde::Serialize;

use super::super::app::App;
use super::super::args::{BackupAccept, BackupCommand, BackupPrune, BackupRestore, BackupVerify};
use super::super::failure::usage;
use super::super::output::{BAD, CARE, DIM, GOOD, STRONG, paint};
use super::super::words;
use super::decide;

pub(super) async fn backup(app: &App, command: BackupCommand) -> Result<u8, Error> {
    match command {
        BackupCommand::Create(arguments) => create(app, arguments.name.as_deref()).await,
        BackupCommand::List => list(app).await,
        BackupCommand::Verify(arguments) => verify(app, &arguments).await,
        BackupCommand::Restore(arguments) => restore(app, &arguments).await,
        BackupCommand::Accept(arguments) => accept(app, &arguments).await,
        BackupCommand::Prune(arguments) => prune(app, &arguments).await,
    }
}

async fn create(app: &App, name: Option<&str>) -> Result<u8, Error> {
    let opened = app.writer().await?;
    let taken = opened.migrator.create_backup(name).await;
    opened.watcher.finish();
    let taken = taken?;
    if app.printer.is_json() {
        app.printer.document(&Answer { backup: &taken });
        return Ok(0);
    }
    app.printer.answer(format!(
        "{} the backup {}",
        paint(GOOD, "took"),
        paint(STRONG, taken.id)
    ));
    describe(app, &taken);
    if !taken.encrypted {
        app.printer.note(paint(
            DIM,
            "it is not encrypted: give a key in BACKUP_ENCRYPTION_KEY, or `recipients` under `[backup]`",
        ));
    }
    Ok(0)
}

fn describe(app: &App, backup: &BackupView) {
    let sealed = if backup.encrypted { ", encrypted" } else { "" };
    for line in [
        format!("file    {}", words::line(&backup.location)),
        format!("size    {}{sealed}", words::bytes(backup.size)),
        format!("sha256  {}", backup.sha256),
        format!("ledger  {} events", backup.ledger_size),
    ] {
        app.printer.answer(line);
    }
}

async fn list(app: &App) -> Result<u8, Error> {
    let backups = app.reader().await?.migrator.backups().await?;
    if app.printer.is_json() {
        app.printer.document(&Backups { backups: &backups });
        return Ok(0);
    }
    if backups.is_empty() {
        app.printer.answer("no backups yet");
        return Ok(0);
    }
    let mut rows = vec![
        ["ID", "NAME", "TAKEN", "SIZE", "EVENTS", "STATE"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(backups.iter().map(|backup| {
        vec![
            backup.id.to_string(),
            words::line(&backup.name),
            words::time(backup.time),
            words::bytes(backup.size),
            backup.ledger_size.to_string(),
            state(backup),
        ]
    }));
    for (index, line) in words::columns(&rows).into_iter().enumerate() {
        let absent = index > 0 && backups.get(index - 1).is_some_and(|it| !it.present);
        app.printer.answer(match (index, absent) {
            (0, _) => paint(STRONG, line),
            (_, true) => paint(BAD, line),
            (_, false) => line,
        });
    }
    Ok(0)
}

fn state(backup: &BackupView) -> String {
    if !backup.present {
        return "missing or changed".to_owned();
    }
    let mut words = Vec::new();
    if backup.encrypted {
        words.push("encrypted");
    }
    if backup.verified.is_some() {
        words.push("verified");
    }
    if backup.restored.is_some() {
        words.push("restored");
    }
    words.join(", ")
}

async fn verify(app: &App, arguments: &BackupVerify) -> Result<u8, Error> {
    let opened = app.writer().await?;
    let checked = if arguments.restore_test {
        opened.migrator.rehearse_backup(&arguments.id).await
    } else {
        opened.migrator.verify_backup(&arguments.id).await
    };
    opened.watcher.finish();
    let checked = checked?;
    if app.printer.is_json() {
        app.printer.document(&checked);
        return Ok(0);
    }
    app.printer.answer(format!(
        "{} the backup {} is what was recorded",
        paint(GOOD, "verified"),
        paint(STRONG, checked.backup.id)
    ));
    match checked.content {
        Some(content) => app.printer.answer(format!(
            "its dump of {} was read to its end",
            words::bytes(content)
        )),
        None => app.printer.answer(paint(
            CARE,
            "its bytes were compared; no key is given to read what is inside",
        )),
    }
    if let Some(tested) = &checked.restore_test {
        tell_of_trial(app, tested);
    }
    Ok(0)
}

fn tell_of_trial(app: &App, tested: &RestoreTest) {
    app.printer.answer(format!(
        "{} into a scratch database in {}: {}, and a ledger of {} events that verifies",
        paint(GOOD, "restored"),
        words::duration(tested.duration_ms),
        words::count(tested.tables, "table", "tables"),
        tested.ledger_size
    ));
    app.printer.answer(match tested.schema {
        RestoredSchema::AsRecorded => {
            "its schema is the one that the last run before the backup recorded"
        }
        RestoredSchema::AsNow => {
            "its schema is that of the database now, which was changed out of band after the last run"
        }
        RestoredSchema::NotCompared => {
            "its schema was compared with nothing: none was recorded, or the server's scheduled events were \
             left out"
        }
    });
}

async fn restore(app: &App, arguments: &BackupRestore) -> Result<u8, Error> {
    let opened = app.reader().await?;
    app.confirm_destruction(&opened, "backup restore").await?;
    if app.global.confirm.is_none() {
        let question = "replace everything in the database but the ledger";
        app.prompt.confirm(&app.printer, question, "--yes")?;
    }
    app.signals.work_begins();
    let restored = opened.migrator.restore_backup(&arguments.id).await;
    opened.watcher.finish();
    let restored = restored?;
    if app.printer.is_json() {
        app.printer.document(&restored);
        return Ok(0);
    }
    app.printer.answer(format!(
        "{} the backup {} in {}",
        paint(GOOD, "restored"),
        paint(STRONG, restored.backup.id),
        words::duration(restored.duration_ms)
    ));
    app.printer.answer(format!(
        "what was there before is in the backup {}",
        restored.safety_backup.id
    ));
    app.printer.answer(paint(
        CARE,
        format!(
            "nothing runs until a person has looked: `mledger backup accept {} --reason TEXT`",
            restored.backup.id
        ),
    ));
    Ok(0)
}

async fn accept(app: &App, arguments: &BackupAccept) -> Result<u8, Error> {
    let opened = app.writer().await?;
    let decided = opened
        .migrator
        .accept_backup(&arguments.id, &arguments.reason)
        .await?;
    decide::print(&app.printer, &decided);
    Ok(0)
}

async fn prune(app: &App, arguments: &BackupPrune) -> Result<u8, Error> {
    let Some(keep) = arguments.keep.or(app.around.config.backup.keep) else {
        return Err(usage(
            "usage",
            "expected how many backups are kept",
            "say so with `--keep N`, or with `keep = N` under `[backup]`",
        ));
    };
    let opened = app.reader().await?;
    app.confirm_destruction(&opened, "backup prune").await?;
    app.signals.work_begins();
    let pruned = opened.migrator.prune_backups(keep).await?;
    if app.printer.is_json() {
        app.printer.document(&pruned);
        return Ok(0);
    }
    for backup in &pruned.removed {
        app.printer.answer(format!(
            "removed {} {}",
            backup.id,
            words::line(&backup.name)
        ));
    }
    app.printer.answer(format!(
        "{} removed, {} kept",
        words::count(words::number(pruned.removed.len()), "backup", "backups"),
        pruned.kept
    ));
    Ok(0)
}

#[derive(Serialize)]
struct Answer<'a> {
    backup: &'a BackupView,
}

#[derive(Serialize)]
struct Backups<'a> {
    backups: &'a [BackupView],
}
