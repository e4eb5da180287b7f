//! `init` and `new`: the first steps.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use mledger::config::{Config, FILE_NAME, Origin};
use mledger::error::Error;
use mledger::migration::{Version, create};
use serde::Serialize;
use serde_json::json;

use super::super::app::App;
use super::super::args::{Init, Kind, New};
use super::super::failure::usage;
use super::super::output::{DIM, GOOD, HINT, paint};
use super::super::surroundings;
use super::version;

/// How long `new` waits for a database to say which versions were used.
const LEDGER_WAIT: Duration = Duration::from_secs(3);

/// What a new project's configuration file says.
const TEMPLATE: &str = "\
# Settings of mledger for this project; `mledger config` prints what holds and where it comes from.
# A flag comes first, then a variable, then `.env`, then this file, then the default shown here.

# database_url = \"sqlite:mledger.db\"
# migrations = \"migrations\"
# recursive = false
# format = \"auto\"

# How long to wait for another run and for the database's own locks, and how long a statement may take.
# lease_wait = \"5m\"
# lock_timeout = \"5s\"
# statement_timeout = \"10m\"

# The id that the ledger must have; `mledger status --json` prints it.
# ledger = \"\"

# One section for each environment; what it says comes before the settings above.
# [environments.production]
# database_url = \"sqlite:/srv/shop/production.db\"
# protected = true
# require_approval = 1
";

pub(super) async fn init(app: &App, arguments: Init) -> Result<u8, Error> {
    let config = &app.around.config;
    let file = surroundings::nearby(&config.project.join(FILE_NAME));
    let migrations = &surroundings::nearby(&config.migrations.value);
    let begun = write_new(&file, &template(config))?;
    let mut things = vec![
        Thing::new("configuration", file.display(), begun),
        Thing::new("folder", migrations.display(), make_folder(migrations)?),
    ];
    let opened = app.writer().await?;
    let answer = opened.migrator.init(arguments.new_ledger).await;
    opened.watcher.finish();
    let answer = answer?;
    // with a ledger that is there already, a key is needed only once something is signed
    if answer.created {
        let key = opened.keystore.key(false)?;
        things.push(Thing::new("key", key.public_key().fingerprint(), false));
    }
    things.push(Thing::new("ledger", answer.ledger.id, answer.created));
    if app.printer.is_json() {
        app.printer
            .document(&json!({ "things": things, "ledger": answer.ledger }));
        return Ok(0);
    }
    for thing in &things {
        let (mark, word) = match (thing.created, thing.what) {
            (true, _) => (paint(GOOD, "✓"), "created"),
            (false, "key") => (paint(GOOD, "✓"), "signs"),
            (false, _) => (paint(DIM, "·"), "is there already"),
        };
        app.printer
            .answer(format!("{mark} {} {} {word}", thing.what, thing.name));
    }
    // a URL may hold a password, so it is not written into a file that is kept with the sources
    if begun && matches!(config.database.origin, Origin::Flag(_)) {
        app.printer.answer(format!(
            "{} {} does not name the database: give `--database` to later commands too, or set \
             `DATABASE_URL` or `database_url`",
            paint(HINT, "note:"),
            file.display()
        ));
    }
    app.printer.answer(format!(
        "{} `mledger new NAME` writes a migration, `mledger up` applies it",
        paint(HINT, "next:")
    ));
    Ok(0)
}

/// Returns the template, with the folder that was named: what `init` was told holds for later commands too.
fn template(config: &Config) -> String {
    let folder = &config.migrations;
    let within = folder.value.strip_prefix(&config.project).ok();
    match within.and_then(Path::to_str) {
        Some(name) if matches!(folder.origin, Origin::Flag(_)) => TEMPLATE.replace(
            "# migrations = \"migrations\"",
            &format!(
                "migrations = {}",
                toml::Value::from(if name.is_empty() { "." } else { name })
            ),
        ),
        _ => TEMPLATE.to_owned(),
    }
}

pub(super) async fn new(app: &App, arguments: New) -> Result<u8, Error> {
    let folder = &surroundings::nearby(&app.around.config.migrations.value);
    make_folder(folder)?;
    for text in &arguments.requires {
        version(text)?;
    }
    let request = create::New {
        name: arguments.name,
        kind: Some(
            match arguments.kind {
                Kind::Ddl => "ddl",
                Kind::Dml => "dml",
                Kind::Function => "function",
            }
            .to_owned(),
        ),
        breaking: arguments.breaking,
        pair: arguments.pair,
        description: arguments.description,
        author: arguments.author.or_else(|| Some(app.around.actor())),
        requires: arguments.requires,
        taken: recorded(app).await,
    };
    let created = create::create(
        folder,
        app.around.config.format.value,
        &request,
        app.source.now(),
    )
    .map_err(|problem| Error::Files(vec![problem]))?;
    let files: Vec<String> = created
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    if app.printer.is_json() {
        app.printer.document(&json!({ "files": files }));
        return Ok(0);
    }
    for file in files {
        app.printer
            .answer(format!("{} created {file}", paint(GOOD, "✓")));
    }
    Ok(0)
}

/// Returns the versions that the ledger knows, as far as the database says so soon: a new file can be
/// written without one.
async fn recorded(app: &App) -> Vec<Version> {
    let ask = async { app.reader().await?.migrator.known_versions().await };
    match tokio::time::timeout(LEDGER_WAIT, ask).await {
        Ok(Ok(versions)) => versions,
        Ok(Err(error)) => {
            tracing::debug!(code = error.code(), "the ledger was not asked");
            Vec::new()
        }
        Err(_) => {
            tracing::debug!("the ledger was not asked: the database did not answer in time");
            Vec::new()
        }
    }
}

/// Something that `init` looked after.
#[derive(Debug, Serialize)]
struct Thing {
    what: &'static str,
    name: String,
    created: bool,
}

impl Thing {
    fn new(what: &'static str, name: impl std::fmt::Display, created: bool) -> Self {
        Self {
            what,
            name: name.to_string(),
            created,
        }
    }
}

/// Writes a file unless it is there; says whether it did.
fn write_new(path: &Path, text: &str) -> Result<bool, Error> {
    let written = fs::File::options().write(true).create_new(true).open(path);
    match written.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(unwritten(path, &error)),
    }
}

/// Makes a folder unless it is there; says whether it did.
fn make_folder(path: &Path) -> Result<bool, Error> {
    if path.is_dir() {
        return Ok(false);
    }
    fs::create_dir_all(path).map_err(|error| unwritten(path, &error))?;
    Ok(true)
}

fn unwritten(path: &Path, error: &io::Error) -> Error {
    usage(
        "file-not-written",
        format!("cannot write `{}`: {error}", path.display()),
        "check the folder and its permissions",
    )
}
