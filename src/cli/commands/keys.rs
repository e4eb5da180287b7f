//! `key`: the signing key of this command, and the keys that the ledger knows.

use std::fs;

use ledger::Signer;
use mledger::error::Error;
use mledger::keystore;
use mledger::report::KeyView;
use mledger::request::{Authorize, Retire};
use serde::Serialize;
use serde_json::json;

use super::super::app::App;
use super::super::args::{KeyAuthorize, KeyCommand, KeyNew, KeyProve, KeyRetire};
use super::super::failure::{refused, usage};
use super::super::output::{DIM, STRONG, paint};
use super::super::surroundings;
use super::super::words;
use super::decide;

pub(super) async fn key(app: &App, command: KeyCommand) -> Result<u8, Error> {
    match command {
        KeyCommand::List => list(app).await,
        KeyCommand::New(arguments) => new(app, arguments),
        KeyCommand::Show(_) => show(app),
        KeyCommand::Prove(arguments) => prove(app, arguments).await,
        KeyCommand::Authorize(arguments) => authorize(app, arguments).await,
        KeyCommand::Retire(arguments) => retire(app, arguments).await,
    }
}

async fn list(app: &App) -> Result<u8, Error> {
    let keys = app.reader().await?.migrator.keys().await?;
    if app.printer.is_json() {
        app.printer.document(&Keys { keys });
        return Ok(0);
    }
    if keys.is_empty() {
        app.printer.answer("no keys: the ledger is not opened yet");
        return Ok(0);
    }
    let mut rows = vec![
        ["NAME", "ROLES", "SINCE", "FINGERPRINT"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for key in &keys {
        let since = match key.retired {
            Some(retired) => format!("event {} to {retired}{}", key.added, suspect(key)),
            None => format!("event {}", key.added),
        };
        rows.push(vec![
            words::line(&key.name),
            key.roles.join(","),
            since,
            key.fingerprint.clone(),
        ]);
    }
    for (index, line) in words::columns(&rows).into_iter().enumerate() {
        app.printer.answer(if index == 0 {
            paint(STRONG, line)
        } else {
            line
        });
    }
    Ok(0)
}

fn new(app: &App, arguments: KeyNew) -> Result<u8, Error> {
    let path = match arguments.out {
        Some(path) => app.around.working.join(path),
        None => surroundings::own_key().ok_or_else(|| {
            usage(
                "home-missing",
                "expected a home folder for the signing key, found none",
                "name a file with `--out FILE`",
            )
        })?,
    };
    let comment = arguments
        .comment
        .unwrap_or_else(|| format!("{}@{}", app.around.actor(), app.host()));
    if !keystore::create(&path, &words::line(&comment))? {
        return Err(refused(
            "key-exists",
            format!("expected no file at `{}`, found one", path.display()),
            "name another file with `--out FILE`; a key is never replaced".to_owned(),
        ));
    }
    let public = keystore::beside(&path);
    if app.printer.is_json() {
        app.printer.document(&json!({
            "key_file": path.display().to_string(),
            "public_file": public.display().to_string(),
        }));
        return Ok(0);
    }
    app.printer
        .answer(format!("made a signing key at `{}`", path.display()));
    app.printer
        .answer(format!("its public form is `{}`", public.display()));
    app.printer.note(paint(
        DIM,
        "keep a copy of the key; the public form may be shown to anybody",
    ));
    Ok(0)
}

fn show(app: &App) -> Result<u8, Error> {
    let keystore = app.keystore();
    let key = keystore.key(false)?;
    let public = key.public_key();
    if app.printer.is_json() {
        app.printer.document(&json!({
            "public": public.to_openssh(),
            "fingerprint": public.fingerprint().to_string(),
            "origin": app.around.config.key.origin.to_string(),
        }));
        return Ok(0);
    }
    app.printer.answer(public.to_openssh());
    app.printer.note(format!(
        "{}  {}",
        public.fingerprint(),
        app.around.config.key.origin
    ));
    Ok(0)
}

async fn prove(app: &App, arguments: KeyProve) -> Result<u8, Error> {
    let proof = app
        .reader()
        .await?
        .migrator
        .prove_key(arguments.ledger)
        .await?;
    let Some(path) = arguments.out else {
        if app.printer.is_json() {
            app.printer.document(&json!({ "proof": proof }));
        } else {
            app.printer.answer(proof.trim_end());
        }
        return Ok(0);
    };
    let path = app.around.working.join(path);
    fs::write(&path, &proof).map_err(|error| {
        usage(
            "file-not-written",
            format!("cannot write the proof to `{}`: {error}", path.display()),
            "check the folder and its permissions",
        )
    })?;
    if app.printer.is_json() {
        app.printer
            .document(&json!({ "proof": proof, "file": path.display().to_string() }));
        return Ok(0);
    }
    app.printer
        .answer(format!("wrote the proof to `{}`", path.display()));
    app.printer.note(paint(
        DIM,
        "give it to an owner: `mledger key authorize FILE --name NAME --role approver`",
    ));
    Ok(0)
}

async fn authorize(app: &App, arguments: KeyAuthorize) -> Result<u8, Error> {
    let path = app.around.working.join(&arguments.proof);
    let proof = fs::read_to_string(&path).map_err(|error| {
        usage(
            "key-proof-invalid",
            format!("cannot read the proof `{}`: {error}", path.display()),
            "the new person makes it with `mledger key prove --out FILE`",
        )
    })?;
    let request = Authorize {
        proof,
        name: arguments.name,
        roles: arguments.roles,
    };
    let decided = app.writer().await?.migrator.authorize_key(&request).await?;
    decide::print(&app.printer, &decided);
    Ok(0)
}

async fn retire(app: &App, arguments: KeyRetire) -> Result<u8, Error> {
    let migrator = app.writer().await?.migrator;
    let decided = migrator
        .retire_key(&Retire {
            key: arguments.retired,
            reason: arguments.reason,
            compromised: arguments.compromised_from,
        })
        .await?;
    decide::print(&app.printer, &decided);
    Ok(0)
}

/// Says from where on what a key signed is suspect.
fn suspect(key: &KeyView) -> String {
    key.compromised_from
        .map_or_else(String::new, |from| format!(", suspect from {from}"))
}

#[derive(Serialize)]
struct Keys {
    keys: Vec<KeyView>,
}
