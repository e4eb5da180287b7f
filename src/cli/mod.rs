//! The command line: everything that a user touches.

mod app;
mod args;
mod commands;
mod excerpt;
mod failure;
mod output;
mod progress;
mod prompt;
#[cfg(test)]
mod reference;
#[cfg(feature = "failpoints")]
mod rehearsal;
mod signals;
mod source;
mod surroundings;
mod words;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use clap::error::ErrorKind;
use mledger::config::mask_in;
use mledger::error::Error;
use tracing_subscriber::EnvFilter;

use self::args::{Cli, Color};
use self::failure::usage;
use self::output::Printer;

/// Runs the program: reads the arguments, does the command, prints, and returns the exit code.
pub(crate) fn run() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(misused(&arguments, &error)),
    };
    let printer = Arc::new(Printer::new(&cli.global));
    log_to_stderr(cli.global.logs);
    let code = match execute(cli, &printer) {
        Ok(0) if printer.lost_an_answer() => 1,
        Ok(code) => code,
        Err(error) => failure::report(&printer, &error),
    };
    ExitCode::from(code)
}

fn execute(cli: Cli, printer: &Arc<Printer>) -> Result<u8, Error> {
    #[cfg(feature = "failpoints")]
    let _scenario = fail::FailScenario::setup();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| {
            usage(
                "no-threads",
                format!("expected the system to start two threads, found: {error}"),
                "check the limits of this account",
            )
        })?;
    let result = runtime.block_on(commands::dispatch(cli, printer));
    // what still runs in the background has nothing to say any more
    runtime.shutdown_background();
    result
}

/// Answers a command line that cannot be understood, or that asks for help.
fn misused(arguments: &[OsString], error: &clap::Error) -> u8 {
    let texts: Vec<&str> = arguments
        .iter()
        .filter_map(|argument| argument.to_str())
        .collect();
    let json = texts.contains(&"--json")
        || texts.contains(&"--format=json")
        || texts.windows(2).any(|pair| pair == ["--format", "json"]);
    let printer = Printer::with(json, false, color(&texts));
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let plain = Printer::with(false, false, color(&texts));
            plain.part(error.render().ansi().to_string().as_bytes());
            0
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if !json => {
            printer.error(error.render().ansi().to_string().trim_end());
            2
        }
        _ if json => {
            let text = mask_in(&error.render().to_string(), values(&texts));
            let mut lines = text.lines();
            let message = lines
                .next()
                .unwrap_or_default()
                .trim_start_matches("error: ")
                .to_owned();
            let hint = lines
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .collect::<Vec<_>>()
                .join("; ");
            failure::report(&printer, &usage("usage", message, hint))
        }
        _ => {
            let text = mask_in(&error.render().ansi().to_string(), values(&texts));
            printer.error(text.trim_end());
            2
        }
    }
}

/// The parser quotes what it does not understand, and that may be a URL with a password.
fn values<'a>(texts: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    texts
        .iter()
        .flat_map(|text| [Some(*text), text.split_once('=').map(|(_, value)| value)])
        .flatten()
        .filter(|text| text.contains(':'))
}

fn color(texts: &[&str]) -> Color {
    let named = |value: &str| {
        texts.contains(&format!("--color={value}").as_str())
            || texts.windows(2).any(|pair| pair == ["--color", value])
    };
    if named("never") {
        Color::Never
    } else if named("always") {
        Color::Always
    } else {
        Color::Auto
    }
}

fn log_to_stderr(logs: u8) {
    let level = match logs {
        0 => "off",
        1 => "info,sqlx=warn",
        _ => "debug,sqlx=warn",
    };
    let filter = match EnvFilter::try_from_default_env() {
        Ok(filter) => filter,
        Err(_) if logs == 0 => return,
        Err(_) => EnvFilter::new(level),
    };
    let ansi = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    // a second subscriber cannot be there: this is the program's start
    let _only = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(ansi)
        .try_init();
}
