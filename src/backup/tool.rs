//! The databases' own programs: found, asked for their version, and run with nothing but what they need.
//!
//! A program is started with the variables of [`Job::variables`](super::Job) and those that its database
//! needs, no others. A secret reaches it in a file that only its owner may read, never as an argument,
//! which every user of the machine could see.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{failed, unwritable};
use crate::context::Stop;
use crate::error::Error;
use crate::fault;

/// How many bytes are handed on at a time, and how often a request to stop is looked for.
const CHUNK: usize = 64 * 1024;

/// How much of what a program complains about is kept.
const COMPLAINT: u64 = 4 * 1024;

/// How long a program whose input or output broke may take to say why.
const PAUSE: Duration = Duration::from_millis(100);

/// How often a program that says nothing is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// A program with everything but its arguments.
#[derive(Debug, Clone)]
pub(super) struct Tool {
    program: String,
    variables: Vec<(OsString, OsString)>,
}

impl Tool {
    /// Names a program and all variables that it is started with.
    pub(super) fn new(program: &str, variables: &[(OsString, OsString)]) -> Self {
        Self {
            program: program.to_owned(),
            variables: variables.to_vec(),
        }
    }

    /// Adds variables.
    pub(super) fn with(mut self, more: Vec<(OsString, OsString)>) -> Self {
        self.variables.extend(more);
        self
    }

    /// Returns the program's name.
    pub(super) fn name(&self) -> &str {
        &self.program
    }

    fn command(&self, arguments: &[OsString]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Returns the first line of what it says to `--version`; none where it is not there.
    pub(super) fn version(&self) -> Option<String> {
        let output = self.command(&["--version".into()]).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        output
            .status
            .success()
            .then(|| text.lines().next().unwrap_or_default().to_owned())
    }

    /// Runs it, and hands all that it says to `out`.
    pub(super) fn read(
        &self,
        arguments: &[OsString],
        out: &mut dyn Write,
        stop: &Stop,
    ) -> Result<(), Error> {
        let mut running = self.start(arguments, false, stop)?;
        let mut source = running.output.take();
        let copied = match &mut source {
            Some(source) => hand_on(source, out, stop),
            None => Ok(()),
        };
        running.end(copied)
    }

    /// Starts it to be written to; what it says is dropped.
    pub(super) fn writing(&self, arguments: &[OsString], stop: &Stop) -> Result<Running, Error> {
        let mut running = self.start(arguments, true, stop)?;
        if let Some(mut said) = running.output.take() {
            running.drained = Some(thread::spawn(move || {
                // a program that is not read from stops
                drop(io::copy(&mut said, &mut io::sink()));
            }));
        }
        Ok(running)
    }

    /// Starts it between a source and whoever reads what it says.
    pub(super) fn between(
        &self,
        arguments: &[OsString],
        mut source: Box<dyn Read + Send>,
        stop: &Stop,
    ) -> Result<Running, Error> {
        let mut running = self.start(arguments, true, stop)?;
        if let Some(mut sink) = running.input.take() {
            // the program says itself what it misses where the source ends early
            running.fed = Some(thread::spawn(move || io::copy(&mut source, &mut sink)));
        }
        Ok(running)
    }

    fn start(&self, arguments: &[OsString], fed: bool, stop: &Stop) -> Result<Running, Error> {
        let mut command = self.command(arguments);
        if fed {
            command.stdin(Stdio::piped());
        }
        let mut child = command
            .spawn()
            .map_err(|error| unwritable(&format!("starting `{}`", self.program), &error))?;
        let complaints = child.stderr.take().map(|mut said| {
            thread::spawn(move || {
                let mut kept = Vec::new();
                drop(said.by_ref().take(COMPLAINT).read_to_end(&mut kept));
                drop(io::copy(&mut said, &mut io::sink()));
                String::from_utf8_lossy(&kept).trim().to_owned()
            })
        });
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let child = Arc::new(Mutex::new(child));
        end_on_request(&child, stop.clone());
        Ok(Running {
            program: self.program.clone(),
            child,
            input,
            output,
            stop: stop.clone(),
            complaints,
            drained: None,
            fed: None,
        })
    }
}

/// Ends a program that is asked to stop while it neither reads nor writes; looks as long as it is known.
fn end_on_request(child: &Arc<Mutex<Child>>, stop: Stop) {
    let child = Arc::downgrade(child);
    thread::spawn(move || {
        while let Some(child) = child.upgrade() {
            if stop.requested().is_some() {
                // fails only where it has ended
                drop(locked(&child).kill());
                return;
            }
            drop(child);
            thread::sleep(GLANCE);
        }
    });
}

fn locked(child: &Mutex<Child>) -> MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A program at work; ended when it is dropped.
#[derive(Debug)]
pub(super) struct Running {
    program: String,
    child: Arc<Mutex<Child>>,
    input: Option<ChildStdin>,
    output: Option<ChildStdout>,
    stop: Stop,
    complaints: Option<JoinHandle<String>>,
    drained: Option<JoinHandle<()>>,
    fed: Option<JoinHandle<io::Result<u64>>>,
}

impl Running {
    /// Takes what it says.
    pub(super) fn take_output(&mut self) -> Option<ChildStdout> {
        self.output.take()
    }

    /// Hands everything that `source` gives to it.
    pub(super) fn feed(&mut self, source: &mut dyn Read) -> Result<(), Error> {
        fault::reach("restore::within-content");
        match &mut self.input {
            Some(sink) => hand_on(source, sink, &self.stop),
            None => Ok(()),
        }
    }

    /// Ends it before it has all it waits for; what it said itself goes before `error`.
    pub(super) fn abandon(self, error: Error) -> Error {
        match self.end(Err(error)) {
            Err(error) => error,
            Ok(()) => failed("the program ended early", "run the command again"),
        }
    }

    /// Waits for its end; what went wrong before counts only where it did not fail itself.
    pub(super) fn end(mut self, before: Result<(), Error>) -> Result<(), Error> {
        if before.is_err() {
            // one that has failed itself is given the time to say so; its input stays open until it is
            // gone, so that it does not take what it has for all there is
            thread::sleep(PAUSE);
            drop(locked(&self.child).kill());
        }
        drop(self.input.take());
        let status = self.wait();
        drop(self.drained.take().map(JoinHandle::join));
        let fed = self.fed.take().map(JoinHandle::join);
        let complaint = self
            .complaints
            .take()
            .and_then(|complaints| complaints.join().ok())
            .unwrap_or_default();
        if let Err(error @ Error::Stopped { .. }) = before {
            return Err(error);
        }
        if let Some(Ok(Err(error))) = fed
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            return Err(failed(
                format!("the backup's file cannot be read to its end: {error}"),
                "compare it with `mledger backup verify`",
            ));
        }
        let status = status.map_err(|error| unwritable("waiting for a program", &error))?;
        if status.success() {
            return before;
        }
        if let Some(reason) = self.stop.requested() {
            return Err(Error::Stopped {
                reason,
                done: Box::default(),
            });
        }
        if before.is_err() && complaint.is_empty() {
            return before;
        }
        let said = if complaint.is_empty() {
            status.to_string()
        } else {
            complaint
        };
        Err(failed(
            format!("`{}` failed: {said}", self.program),
            "correct what it says, then run the command again",
        ))
    }
}

impl Running {
    /// Waits for the end, so that somebody else can bring it about.
    fn wait(&self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = locked(&self.child).try_wait()? {
                return Ok(status);
            }
            thread::sleep(GLANCE);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut child = locked(&self.child);
        // fails only where it has ended
        drop(child.kill());
        drop(child.wait());
    }
}

fn hand_on(source: &mut dyn Read, sink: &mut dyn Write, stop: &Stop) -> Result<(), Error> {
    let mut chunk = vec![0; CHUNK];
    loop {
        if let Some(reason) = stop.requested() {
            return Err(Error::Stopped {
                reason,
                done: Box::default(),
            });
        }
        let count = source
            .read(&mut chunk)
            .map_err(|error| unwritable("reading the dump", &error))?;
        let Some(read) = chunk.get(..count).filter(|read| !read.is_empty()) else {
            return Ok(());
        };
        sink.write_all(read)
            .map_err(|error| unwritable("writing the dump", &error))?;
    }
}

/// Refuses a program that is not there, or whose version is below what the server needs.
///
/// `needed` and the first number in what the program says are compared part by part.
pub(super) fn suits(tool: &Tool, needed: &str, package: &str) -> Result<String, Error> {
    let Some(said) = tool.version() else {
        return Err(Error::Backup {
            code: "dump-tool-missing",
            message: format!("expected the program `{}`, found none", tool.name()),
            hint: format!("install the package `{package}`; nothing was changed"),
        });
    };
    let found = numbers(&said);
    if found < numbers(needed) {
        return Err(Error::Backup {
            code: "dump-tool-too-old",
            message: format!(
                "expected `{}` of at least version {needed}, as the server has, found `{said}`",
                tool.name()
            ),
            hint: format!("install a newer package `{package}`; nothing was changed"),
        });
    }
    Ok(said)
}

/// The first dotted number of a text that begins a word; that of the distribution, where it is named.
pub(super) fn numbers(text: &str) -> Vec<u64> {
    let named = text
        .split_once(" Distrib ")
        .map_or(text, |(_, after)| after);
    named
        .split(|c: char| c.is_whitespace() || c == '-' || c == ',')
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()))
        .map(|word| {
            word.split('.')
                .map_while(|part| part.parse().ok())
                .collect()
        })
        .unwrap_or_default()
}

/// Returns a variable for a program.
pub(super) fn variable(name: &str, value: impl AsRef<OsStr>) -> (OsString, OsString) {
    (name.into(), value.as_ref().to_owned())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn shell() -> Tool {
        Tool::new("/bin/sh", &[])
    }

    #[test]
    fn what_a_program_says_is_handed_on_and_its_failure_is_told_in_its_words() {
        let mut out = Vec::new();
        let say = ["-c".into(), "printf 'a\\nb'".into()];
        shell().read(&say, &mut out, &Stop::default()).unwrap();
        assert_eq!(out, b"a\nb");
        let fail = ["-c".into(), "echo half; echo no >&2; exit 3".into()];
        let error = shell().read(&fail, &mut out, &Stop::default()).unwrap_err();
        assert_eq!(error.to_string(), "`/bin/sh` failed: no");
    }

    #[test]
    fn a_program_that_is_fed_takes_all_of_it() {
        let mut running = shell()
            .writing(
                &["-c".into(), "test $(wc -c) -eq 200000".into()],
                &Stop::default(),
            )
            .unwrap();
        let fed = running.feed(&mut &[b'x'; 200_000][..]);
        running.end(fed).unwrap();
    }

    #[test]
    fn a_program_that_says_nothing_is_ended_when_somebody_asks() {
        let stop = Stop::default();
        let asked = stop.clone();
        let asking = thread::spawn(move || {
            thread::sleep(PAUSE);
            asked.request(crate::error::StopReason::Interrupt);
        });
        let begun = std::time::Instant::now();
        let sleep = ["-c".into(), "exec sleep 600".into()];
        let ended = shell().read(&sleep, &mut Vec::new(), &stop);
        assert!(matches!(ended, Err(Error::Stopped { .. })), "{ended:?}");
        assert!(begun.elapsed() < Duration::from_secs(60));
        asking.join().unwrap();
    }

    #[test]
    fn versions_are_found_and_compared() {
        assert_eq!(
            numbers("pg_dump (PostgreSQL) 15.8 (Debian 15.8-0)"),
            [15, 8]
        );
        assert_eq!(
            numbers("mariadb-dump  Ver 10.19 Distrib 10.5.23-MariaDB, for Linux"),
            [10, 5, 23]
        );
        assert_eq!(
            numbers("mariadb-dump from 11.4.2-MariaDB, client 10.19"),
            [11, 4, 2]
        );
        let missing = suits(&Tool::new("no-such-program", &[]), "1", "a-package").unwrap_err();
        assert_eq!(missing.code(), "dump-tool-missing");
        let old = suits(&shell_that_says("x 9.6.1"), "15", "a-package").unwrap_err();
        assert_eq!(old.code(), "dump-tool-too-old");
        assert!(suits(&shell_that_says("x 15.1"), "15", "a-package").is_ok());
    }

    fn shell_that_says(text: &str) -> Tool {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap().keep();
        let path = folder.join("tool");
        std::fs::write(&path, format!("#!/bin/sh\necho '{text}'\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        Tool::new(path.to_str().unwrap(), &[])
    }
}
