//! A program that signs: what fronts a key service or a hardware module.
//!
//! It is started for each signature, reads the bytes to sign from its standard input, and prints the
//! signature in base64. What it prints beside is shown where it fails, without secrets.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use ledger::{PublicKey, SignError, Signature, Signer};

use crate::config::Secrets;

/// How often the program is asked whether it has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// The most bytes of what it prints that are looked at.
const KEPT: u64 = 2 * 1024;

/// Variables with secrets of ours; its own are in others.
const NOT_ITS_BUSINESS: [&str; 4] = [
    "MLEDGER_KEY",
    "MLEDGER_KEY_PASSPHRASE",
    "DATABASE_URL",
    "BACKUP_ENCRYPTION_KEY",
];

/// A key whose private half only a program can reach.
#[derive(Debug)]
pub(super) struct Program {
    words: Vec<String>,
    folder: Option<PathBuf>,
    public: PublicKey,
    limit: Duration,
    secrets: Secrets,
}

impl Program {
    /// Creates a signer that starts the program of `words` in `folder` for each signature, which may take
    /// `limit`.
    pub(super) fn new(
        words: Vec<String>,
        folder: Option<PathBuf>,
        public: PublicKey,
        limit: Duration,
        secrets: Secrets,
    ) -> Self {
        Self {
            words,
            folder,
            public,
            limit,
            secrets,
        }
    }

    fn run(&self, preimage: &[u8]) -> Result<String, String> {
        let Some((program, arguments)) = self.words.split_first() else {
            return Err("expected a program that signs, found no words".to_owned());
        };
        let mut running = Running::start(program, arguments, self.folder.as_ref(), preimage)
            .map_err(|error| format!("`{program}` could not be started: {error}"))?;
        let status = running
            .wait(self.limit)
            .map_err(|error| format!("`{program}` could not be waited for: {error}"))?;
        let words = self.secrets.hide(&last(&mut running.errors));
        let said = |text: String| match words.as_str() {
            "" => text,
            words => format!("{text}: {words}"),
        };
        match status {
            None => Err(said(format!(
                "`{program}` did not sign within {:?}",
                self.limit
            ))),
            Some(status) if !status.success() => Err(said(format!(
                "`{program}` ended with {}",
                status.code().map_or_else(
                    || "a signal".to_owned(),
                    |code| format!("exit status {code}")
                )
            ))),
            // one that did not read what it was given is found by its signature
            Some(_) => Ok(last(&mut running.output)),
        }
    }
}

impl Signer for Program {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, preimage: &[u8]) -> Result<Signature, SignError> {
        let printed = self.run(preimage).map_err(SignError::Refused)?;
        // what it printed may be a secret that it should not have printed
        let signature = printed.parse().map_err(|_| {
            SignError::Refused(format!(
                "expected a signature as 88 characters of base64 from the program, found {} characters",
                printed.chars().count()
            ))
        })?;
        super::checked(&self.public, preimage, signature)
    }
}

/// A program that was started. What it reads and prints are files without a name, so nobody waits
/// for one that does not read.
struct Running {
    child: Child,
    output: File,
    errors: File,
}

impl Running {
    fn start(
        program: &str,
        arguments: &[String],
        folder: Option<&PathBuf>,
        preimage: &[u8],
    ) -> io::Result<Self> {
        let (output, errors) = (tempfile::tempfile()?, tempfile::tempfile()?);
        let mut input = tempfile::tempfile()?;
        input.write_all(preimage)?;
        input.rewind()?;
        let mut command = Command::new(program);
        if let Some(folder) = folder {
            command.current_dir(folder);
        }
        for variable in NOT_ITS_BUSINESS {
            command.env_remove(variable);
        }
        let child = command
            .args(arguments)
            .stdin(input)
            .stdout(output.try_clone()?)
            .stderr(errors.try_clone()?)
            .spawn()?;
        Ok(Self {
            child,
            output,
            errors,
        })
    }

    /// Waits until it has ended; one that takes too long is ended, and has no status.
    fn wait(&mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            if Instant::now() >= deadline {
                // it may have ended by itself meanwhile
                let _ = self.child.kill();
                let _ = self.child.wait();
                return Ok(None);
            }
            thread::sleep(PAUSE);
        }
    }
}

fn last(file: &mut File) -> String {
    let length = file.seek(SeekFrom::End(0)).unwrap_or(0);
    let begin = length.saturating_sub(KEPT);
    let mut bytes = Vec::new();
    if file.seek(SeekFrom::Start(begin)).is_err() || file.read_to_end(&mut bytes).is_err() {
        return String::new();
    }
    ledger::clean(String::from_utf8_lossy(&bytes).trim())
}
