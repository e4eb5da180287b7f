//! `key`: the signing key of this command, and the keys that the ledger knows.

use std::fs;

use mledger::error::Error;
use mledger::keystore;
use mledger::report::KeyView;
use mledger::request::{Authorize, Retire};
use serde::Serialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::super::app::App;
use super::super::args::{KeyAuthorize, KeyCommand, KeyNew, KeyProve, KeyRetire};
use super::super::failure::usage;
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
    let opened = app.reader().await?;
    let keys = opened.migrator.keys().await?;
    // who has no key, or one that cannot be used, may look at the others
    let own = opened.keystore.describe().ok();
    let own = own.map(|(public, kind)| (public.fingerprint().to_string(), kind.as_str()));
    if app.printer.is_json() {
        let keys = keys
            .into_iter()
            .map(|key| Listed {
                signs_by: signs_by(own.as_ref(), &key),
                key,
            })
            .collect();
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
            match signs_by(own.as_ref(), key) {
                Some(kind) => format!(
                    "{}  this command's, {}",
                    key.fingerprint,
                    kind.replace('_', " ")
                ),
                None => key.fingerprint.clone(),
            },
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
    let comment = words::line(&comment);
    let made = if arguments.passphrase {
        let passphrase = new_passphrase(app)?;
        keystore::create_encrypted(&path, &comment, &passphrase)?
    } else {
        keystore::create(&path, &comment)?
    };
    if !made {
        return Err(Error::refused(
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
            "encrypted": arguments.passphrase,
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

/// Returns the passphrase for a new key: from its variable, or typed twice.
fn new_passphrase(app: &App) -> Result<Zeroizing<String>, Error> {
    if let Some(passphrase) = app.around.passphrase() {
        return Ok(Zeroizing::new(passphrase));
    }
    let ask = |question: &str| {
        let answer = app.prompt.secret(&app.printer, question);
        answer.map(Zeroizing::new).map_err(|reason| {
            usage(
                "passphrase-missing",
                format!("expected a passphrase for the new key, and {reason}"),
                "set MLEDGER_KEY_PASSPHRASE, or run the command on a terminal",
            )
        })
    };
    let first = ask("passphrase for the new key:")?;
    if first.is_empty() {
        return Err(usage(
            "passphrase-missing",
            "expected a passphrase for the new key, found none",
            "leave `--passphrase` out for a key that is not encrypted",
        ));
    }
    if *first != *ask("the same again:")? {
        return Err(usage(
            "passphrase-differs",
            "expected the same passphrase twice, found two",
            "run the command again; no key was made",
        ));
    }
    Ok(first)
}

fn show(app: &App) -> Result<u8, Error> {
    let (public, kind) = app.keystore().describe()?;
    if app.printer.is_json() {
        app.printer.document(&json!({
            "public": public.to_openssh(),
            "fingerprint": public.fingerprint().to_string(),
            "origin": app.around.config.key.origin.to_string(),
            "kind": kind.as_str(),
        }));
        return Ok(0);
    }
    app.printer.answer(public.to_openssh());
    app.printer.note(format!(
        "{}  {}  {}",
        public.fingerprint(),
        app.around.config.key.origin,
        kind.as_str().replace('_', " ")
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

/// Says where the private half of a key is, if it is the one that this command signs with.
fn signs_by(own: Option<&(String, &'static str)>, key: &KeyView) -> Option<&'static str> {
    own.filter(|(fingerprint, _)| *fingerprint == key.fingerprint && key.retired.is_none())
        .map(|(_, kind)| *kind)
}

#[derive(Serialize)]
struct Keys {
    keys: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    key: KeyView,
    #[serde(skip_serializing_if = "Option::is_none")]
    signs_by: Option<&'static str>,
}
