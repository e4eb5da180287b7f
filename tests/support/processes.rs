//! Processes that are stopped, continued and told to end, each by its own id.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![allow(
    dead_code,
    clippy::allow_attributes,
    reason = "each suite uses a part of it, and which part differs"
)]

use std::fs;
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Ended, Project, ended};

/// How a process that was killed ends, in the form of [`Ended::code`].
pub(crate) const KILLED: i32 = -9;

/// How long a condition is waited for; only a hanging program needs so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running program that does not outlive the test, also where the test fails.
pub(crate) struct Running {
    child: Option<Child>,
}

impl Running {
    /// Starts the program in `project`.
    pub(crate) fn start(project: &Project, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self {
            child: Some(project.start(arguments, variables)),
        }
    }

    /// Starts the program and waits until a fault point has suspended it.
    pub(crate) fn stopped_at(project: &Project, arguments: &[&str], faults: &str) -> Self {
        let mut running = Self::start(project, arguments, &[("FAILPOINTS", faults)]);
        running.wait_until_stopped();
        running
    }

    fn child(&mut self) -> &mut Child {
        self.child.as_mut().unwrap()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&mut self, name: &str) {
        let id = self.child().id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success(), "signal {name} to {id}");
    }

    /// Waits until it is suspended.
    pub(crate) fn wait_until_stopped(&mut self) {
        let id = self.child().id();
        wait_for("the process to be suspended", || {
            let state = state(id);
            assert_ne!(state, Some('Z'), "it ended before it was suspended");
            state == Some('T')
        });
    }

    /// Says whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child().try_wait().unwrap().is_some()
    }

    /// Waits for the end, and fails where it takes longer than `limit`.
    pub(crate) fn ends_within(mut self, limit: Duration) -> Ended {
        let begun = Instant::now();
        while !self.has_ended() {
            assert!(
                begun.elapsed() < limit,
                "it did not end within {limit:?}: {:?}",
                self.end()
            );
            thread::sleep(Duration::from_millis(10));
        }
        ended(self.child.take().unwrap().wait_with_output().unwrap())
    }

    /// Waits for the end.
    pub(crate) fn ends(self) -> Ended {
        self.ends_within(PATIENCE)
    }

    fn end(&mut self) -> Option<Ended> {
        let mut child = self.child.take()?;
        child.kill().ok()?;
        Some(ended(child.wait_with_output().ok()?))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.end());
    }
}

/// Waits until a condition holds.
pub(crate) fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        if begun.elapsed() > PATIENCE {
            panic!("waited in vain for {what}");
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// The state of a process: field 3 of proc(5) `stat`, behind a name that may hold spaces.
fn state(id: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}
