//! `checkpoint`, `export` and `verify --bundle`: what auditors take home.

use std::path::Path;

use mledger::audit;
use mledger::checkpoints;
use mledger::compliance::Asked;
use mledger::error::Error;
use mledger::request;
use serde::Serialize;

use super::super::app::App;
use super::super::args;
use super::super::failure::usage;
use super::super::output::{DIM, GOOD, Printer, paint};
use super::super::surroundings;
use super::super::words;
use super::verify;

pub(super) async fn checkpoint(app: &App, arguments: args::Checkpoint) -> Result<u8, Error> {
    let signed = app.reader().await?.migrator.checkpoint().await?;
    let path = arguments.out.map(|path| app.around.working.join(path));
    if let Some(path) = &path {
        write("checkpoint", path, &signed.note)?;
    }
    let file = path.as_deref().map(surroundings::nearby);
    if app.printer.is_json() {
        app.printer.document(&CheckpointAnswer {
            checkpoint: signed,
            file: file.map(|file| file.display().to_string()),
        });
        return Ok(0);
    }
    match file {
        None => app.printer.part(signed.note.as_bytes()),
        Some(file) => app.printer.answer(format!(
            "wrote a checkpoint over {} to `{}`",
            words::count(signed.size, "event", "events"),
            file.display()
        )),
    }
    app.printer.note(paint(
        DIM,
        "keep it where the database's administrators cannot change it; `mledger verify --checkpoint \
         FILE` compares",
    ));
    Ok(0)
}

pub(super) fn write(what: &str, path: &Path, text: &str) -> Result<(), Error> {
    checkpoints::write(path, text.as_bytes()).map_err(|error| {
        usage(
            "file-not-written",
            format!("cannot write the {what} to `{}`: {error}", path.display()),
            "check the folder and its permissions",
        )
    })
}

pub(super) async fn export(app: &App, arguments: args::Export) -> Result<u8, Error> {
    let request = request::Export {
        path: surroundings::nearby(&app.around.working.join(arguments.path)),
        record: !arguments.no_record,
        asked: Asked {
            since: arguments.period.since,
            until: arguments.period.until,
            framework: None,
        },
    };
    let opened = if request.record {
        app.writer().await?
    } else {
        app.reader().await?
    };
    let exported = opened.migrator.export(&request).await?;
    if app.printer.is_json() {
        app.printer.document(&exported);
        return Ok(0);
    }
    app.printer.answer(format!(
        "{}: {}, {} and what is needed to check them, in `{}`",
        paint(GOOD, "exported"),
        words::count(exported.size, "event", "events"),
        words::count(exported.objects, "object", "objects"),
        words::line(&exported.path)
    ));
    app.printer.answer(format!("ledger    {}", exported.ledger));
    app.printer.answer(format!("root      {}", exported.root));
    app.printer
        .answer(format!("manifest  {}", exported.manifest));
    app.printer.note(paint(
        DIM,
        match exported.recorded {
            Some(seq) => {
                format!("recorded as event {seq}, which will be in the next export")
            }
            None => "not recorded".to_owned(),
        },
    ));
    Ok(0)
}

/// Verifies a bundle where there is neither a database nor a configuration.
pub(super) fn bundle(
    global: &args::Global,
    arguments: &args::Verify,
    printer: &Printer,
) -> Result<u8, Error> {
    let folder = global.project.clone().unwrap_or_default();
    let path = folder.join(arguments.bundle.as_deref().unwrap_or(Path::new("")));
    let request = verify::request(arguments, |path| folder.join(path))?;
    Ok(verify::print(printer, &audit::verify(&path, &request)?))
}

#[derive(Serialize)]
struct CheckpointAnswer {
    #[serde(flatten)]
    checkpoint: mledger::report::CheckpointView,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
}
