//! Making a check: a program is run, or an address is asked.
//!
//! What a program prints is kept only as far as a person needs it, and without secrets. It gets no
//! input, and it inherits the variables of this process, which is where its secrets belong, but for the
//! signing key.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tokio::time::Instant;

use crate::config::Secrets;
use crate::context::Stop;
use crate::error::StopReason;
use crate::policy::{Check, Probe};

/// How often a program is asked whether it has ended.
const PAUSE: Duration = Duration::from_millis(20);

/// The most bytes of a program's output that are kept: its last ones.
const OUTPUT_KEPT: u64 = 2 * 1024;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// It holds.
    pub holds: bool,
    /// What was found, in words.
    pub detail: String,
}

/// Makes a check, its program in `folder`; a request to stop ends it.
///
/// # Errors
///
/// Why the run was asked to stop.
pub async fn ask(
    check: &Check,
    folder: Option<&Path>,
    stop: &Stop,
    secrets: &Secrets,
) -> Result<Answer, StopReason> {
    let answered = match &check.probe {
        Probe::Command(words) => run(words, folder, check.timeout, stop).await?,
        Probe::Url { url, status } => {
            tokio::select! {
                reason = stop.wait() => return Err(reason),
                answered = fetch(url.clone(), *status, check.timeout) => answered,
            }
        }
    };
    Ok(match answered {
        Ok(detail) => Answer {
            holds: true,
            detail: secrets.hide(&detail),
        },
        Err(detail) => Answer {
            holds: false,
            detail: secrets.hide(&detail),
        },
    })
}

async fn run(
    words: &[String],
    folder: Option<&Path>,
    timeout: Duration,
    stop: &Stop,
) -> Result<Result<String, String>, StopReason> {
    let Some((program, arguments)) = words.split_first() else {
        return Ok(Err("expected a program, found no words".to_owned()));
    };
    let started = start(program, arguments, folder);
    let (mut child, mut output) = match started {
        Ok(started) => started,
        Err(error) => return Ok(Err(format!("`{program}` could not be started: {error}"))),
    };
    let deadline = Instant::now() + timeout;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => {}
            Err(error) => return Ok(Err(format!("`{program}` could not be waited for: {error}"))),
        }
        if let Some(reason) = stop.requested() {
            end(&mut child);
            return Err(reason);
        }
        if Instant::now() >= deadline {
            end(&mut child);
            return Ok(Err(format!("`{program}` did not end within {timeout:?}")));
        }
        tokio::time::sleep(PAUSE).await;
    };
    let printed = last_lines(&mut output);
    let ended = format!("`{program}` ended with {}", code(status));
    let detail = if printed.is_empty() {
        ended
    } else {
        format!("{ended}: {printed}")
    };
    Ok(if status.success() {
        Ok(detail)
    } else {
        Err(detail)
    })
}

/// Starts a program whose output, both kinds in one, goes to a file without a name.
fn start(
    program: &str,
    arguments: &[String],
    folder: Option<&Path>,
) -> std::io::Result<(Child, File)> {
    let output = tempfile::tempfile()?;
    let mut command = Command::new(program);
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    let child = command
        .args(arguments)
        // a check signs nothing
        .env_remove("MLEDGER_KEY")
        .env_remove("MLEDGER_KEY_PASSPHRASE")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output.try_clone()?)
        .spawn()?;
    Ok((child, output))
}

fn end(child: &mut Child) {
    // it may have ended by itself meanwhile
    let _ = child.kill();
    let _ = child.wait();
}

fn code(status: ExitStatus) -> String {
    status.code().map_or_else(
        || "a signal".to_owned(),
        |code| format!("exit status {code}"),
    )
}

fn last_lines(output: &mut File) -> String {
    let length = output.seek(SeekFrom::End(0)).unwrap_or(0);
    let begin = length.saturating_sub(OUTPUT_KEPT);
    let mut bytes = Vec::new();
    if output.seek(SeekFrom::Start(begin)).is_err() || output.read_to_end(&mut bytes).is_err() {
        return String::new();
    }
    ledger::clean(String::from_utf8_lossy(&bytes).trim())
}

async fn fetch(url: String, expected: u16, timeout: Duration) -> Result<String, String> {
    let asked = tokio::task::spawn_blocking(move || status(&url, timeout));
    let found = asked
        .await
        .map_err(|error| format!("the address could not be asked: {error}"))?;
    match found {
        Ok(found) if found == expected => Ok(format!("answered with status {found}")),
        Ok(found) => Err(format!("expected status {expected}, found {found}")),
        Err(error) => Err(format!(
            "expected status {expected}, found no answer: {error}"
        )),
    }
}

fn status(url: &str, timeout: Duration) -> Result<u16, String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        // the status that is expected is that of the address itself
        .max_redirects(0)
        .max_redirects_will_error(false)
        // a variable that names a proxy is none of this library's business
        .proxy(None)
        .build()
        .into();
    agent
        .get(url)
        .call()
        .map(|response| response.status().as_u16())
        .map_err(|error| error.to_string())
}

#[cfg(all(test, unix))]
mod tests;
