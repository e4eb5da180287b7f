//! `checkpoint`, `export` and `verify --bundle`: what auditors take home.

use std::fs;
use std::io;
use std::path::Path;

use mledger::audit;
use mledger::checkpoints;
use mledger::compliance::Asked;
use mledger::error::Error;
use mledger::report::{CheckpointView, StampRequested};
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
    if let Some(code) = timestamp(app, &arguments.tsa).await? {
        return Ok(code);
    }
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

/// Does what was asked about timestamps, if anything.
async fn timestamp(app: &App, asked: &args::Tsa) -> Result<Option<u8>, Error> {
    let at = |path: &Path| surroundings::nearby(&app.around.working.join(path));
    let stamped = match asked {
        args::Tsa {
            tsa_request: Some(path),
            ..
        } => {
            let path = at(path);
            let requested = app.reader().await?.migrator.request_timestamp().await?;
            checkpoints::write(&path, &requested.request)
                .map_err(|error| unwritten("request", &path, &error))?;
            if app.printer.is_json() {
                app.printer.document(&Requested {
                    requested,
                    file: path.display().to_string(),
                });
                return Ok(Some(0));
            }
            app.printer.answer(format!(
                "wrote a request for a timestamp over `{}` to `{}`",
                requested.checkpoint,
                path.display()
            ));
            app.printer.note(paint(
                DIM,
                "carry it to an authority, and its reply back: `mledger checkpoint --tsa-reply FILE`",
            ));
            return Ok(Some(0));
        }
        args::Tsa {
            tsa_reply: Some(path),
            ..
        } => {
            let path = at(path);
            let reply = fs::read(&path).map_err(|error| {
                usage(
                    "file-unreadable",
                    format!("cannot read `{}`: {error}", path.display()),
                    "check the path and its permissions",
                )
            })?;
            app.writer()
                .await?
                .migrator
                .record_timestamp(&reply)
                .await?
        }
        args::Tsa { tsa: Some(url), .. } => app.writer().await?.migrator.timestamp(url).await?,
        args::Tsa { .. } => return Ok(None),
    };
    if app.printer.is_json() {
        app.printer.document(&stamped);
        return Ok(Some(0));
    }
    app.printer.answer(format!(
        "{}: {} at {}, as the authority says; recorded as event {}",
        paint(GOOD, "stamped"),
        words::count(stamped.size, "event", "events"),
        stamped.time,
        stamped.seq
    ));
    app.printer.note(paint(
        DIM,
        format!(
            "its signature is yours to check: `openssl ts -verify -data {} -in {} -CAfile FILE`",
            words::line(&stamped.checkpoint),
            words::line(&stamped.token)
        ),
    ));
    Ok(Some(0))
}

pub(super) fn write(what: &str, path: &Path, text: &str) -> Result<(), Error> {
    checkpoints::write(path, text.as_bytes()).map_err(|error| unwritten(what, path, &error))
}

fn unwritten(what: &str, path: &Path, error: &io::Error) -> Error {
    usage(
        "file-not-written",
        format!("cannot write the {what} to `{}`: {error}", path.display()),
        "check the folder and its permissions",
    )
}

pub(super) async fn export(app: &App, arguments: args::Export) -> Result<u8, Error> {
    let request = request::Export {
        path: surroundings::nearby(&app.around.working.join(arguments.path)),
        record: !arguments.no_record,
        asked: Asked {
            since: arguments.period.since,
            until: arguments.period.until,
            from: arguments.period.from,
            to: arguments.period.to,
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
    let request = verify::request(&arguments.anchors, |path| folder.join(path))?;
    Ok(verify::print(printer, &audit::verify(&path, &request)?))
}

#[derive(Serialize)]
struct Requested {
    #[serde(flatten)]
    requested: StampRequested,
    file: String,
}

#[derive(Serialize)]
struct CheckpointAnswer {
    #[serde(flatten)]
    checkpoint: CheckpointView,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
}
