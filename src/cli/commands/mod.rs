//! The commands: each asks the library once and prints its answer.

mod adopt;
mod analyze;
mod approve;
mod audit;
mod backup;
mod decide;
mod drift;
mod events;
mod health;
mod history;
mod keys;
mod openings;
mod plan;
mod promote;
mod prove;
mod releases;
mod report;
mod rights;
pub(super) mod runs;
mod setup;
mod shell;
mod status;
mod validate;
pub(super) mod verify;

use std::sync::Arc;

use mledger::error::Error;
use mledger::migration::Version;
use mledger::release;
use mledger::request::ReleaseName;

use super::app::App;
use super::args::{Cli, Command, LockCommand};
use super::failure::usage;
use super::output::Printer;

/// Does the command that was typed and returns its exit code.
pub(crate) async fn dispatch(cli: Cli, printer: &Arc<Printer>) -> Result<u8, Error> {
    let Cli { global, command } = cli;
    let command = match command {
        Command::Completions(arguments) => return shell::completions(&arguments, printer),
        Command::Man(arguments) => return shell::man(&arguments, printer),
        // a bundle is checked where there is neither a database nor a configuration
        Command::Verify(arguments) if arguments.bundle.is_some() => {
            return audit::bundle(&global, &arguments, printer);
        }
        Command::Report(arguments) if report::is_offline(&arguments) => {
            return report::bundle(&global, *arguments, printer);
        }
        Command::Verify(arguments) if arguments.proof.is_some() => {
            return prove::verify(&global, &arguments, printer);
        }
        command => command,
    };
    let out_of_order = match &command {
        Command::Up(arguments) => arguments.out_of_order,
        Command::Plan(arguments) => arguments.out_of_order,
        _ => false,
    };
    let app = App::new(&global, Arc::clone(printer), out_of_order)?;
    app.signals.listen(printer);
    match command {
        Command::Init(arguments) => setup::init(&app, arguments).await,
        Command::New(arguments) => setup::new(&app, arguments).await,
        Command::Up(arguments) => runs::up(&app, arguments).await,
        Command::Down(arguments) => runs::down(&app, arguments).await,
        Command::Redo(arguments) => runs::redo(&app, arguments).await,
        Command::Reset(arguments) => runs::reset(&app, arguments).await,
        Command::Approve(arguments) => approve::approve(&app, arguments).await,
        Command::Approvals => approve::approvals(&app).await,
        Command::Status(arguments) => status::status(&app, &arguments).await,
        Command::History(arguments) => history::history(&app, arguments).await,
        Command::Plan(arguments) => plan::plan(&app, arguments).await,
        Command::Resolve(arguments) => decide::resolve(&app, arguments).await,
        Command::Validate(arguments) => validate::validate(&app, arguments).await,
        Command::Verify(arguments) => verify::verify(&app, arguments).await,
        Command::Drift(arguments) => drift::drift(&app, arguments).await,
        Command::Analyze(arguments) => analyze::analyze(&app, &arguments).await,
        Command::Health(arguments) => health::health(&app, &arguments).await,
        Command::Events(arguments) => events::events(&app, arguments).await,
        Command::Show(arguments) => events::show(&app, &arguments).await,
        Command::Export(arguments) => audit::export(&app, arguments).await,
        Command::Report(arguments) => report::report(&app, *arguments).await,
        Command::Checkpoint(arguments) => audit::checkpoint(&app, arguments).await,
        Command::Prove(arguments) => prove::prove(&app, arguments).await,
        Command::Key(arguments) => keys::key(&app, arguments.command).await,
        Command::Lock(arguments) => match arguments.command {
            LockCommand::Status => decide::lock_status(&app).await,
            LockCommand::Break(arguments) => decide::lock_break(&app, &arguments).await,
        },
        Command::Fork(arguments) => openings::fork(&app, arguments).await,
        Command::Move(arguments) => openings::move_here(&app, arguments).await,
        Command::Rewind(arguments) => openings::rewind(&app, arguments).await,
        Command::Grants(arguments) => rights::grants(&app, arguments).await,
        Command::Redact(arguments) => rights::redact(&app, arguments).await,
        Command::Backup(arguments) => backup::backup(&app, arguments.command).await,
        Command::Tag(arguments) => releases::tag(&app, arguments).await,
        Command::Release(arguments) => releases::release(&app, arguments).await,
        Command::Releases(arguments) => releases::releases(&app, &arguments).await,
        Command::Changelog(arguments) => releases::changelog(&app, arguments).await,
        Command::Promote(arguments) => promote::promote(&app, arguments).await,
        Command::Adopt(arguments) => adopt::adopt(&app, arguments).await,
        Command::Baseline(arguments) => adopt::baseline(&app, arguments).await,
        Command::ExportHistory(arguments) => adopt::export_history(&app, &arguments).await,
        Command::Config => shell::config(&app),
        Command::Completions(_) | Command::Man(_) => Ok(0),
    }
}

/// What was typed behind `--to`.
pub(super) enum Target {
    Version(Version),
    Release(ReleaseName),
}

/// Reads a version or a release. Which of the two a text means that could be both, the ledger knows.
fn target(text: &str) -> Result<Target, Error> {
    if let Some(name) = text.strip_prefix("release:") {
        return Ok(Target::Release(ReleaseName {
            name: name.to_owned(),
            or_version: None,
        }));
    }
    if let Some(text) = text.strip_prefix("version:") {
        return version(text).map(Target::Version);
    }
    if release::parse(text).is_ok() {
        return Ok(Target::Release(ReleaseName {
            name: text.to_owned(),
            or_version: text.parse().ok(),
        }));
    }
    version(text).map(Target::Version)
}

/// Reads a version that was typed.
fn version(text: &str) -> Result<Version, Error> {
    text.parse().map_err(|_| {
        usage(
            "version-invalid",
            format!(
                "expected a migration's version such as `20250101120000` or `1.2`, found `{text}`"
            ),
            "`mledger status` lists the versions",
        )
    })
}
