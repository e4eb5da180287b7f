//! SIGINT and SIGTERM: the first one stops cleanly and says so, the second one leaves at once.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use mledger::context::Stop;
use mledger::error::StopReason;

use super::output::Printer;

/// There is nothing to clean up: the first signal leaves.
const IDLE: u8 = 0;
/// Something is being written: the first signal stops it cleanly.
const WORKING: u8 = 1;
/// Something is being watched: the first signal ends that, and nothing needs to be said.
const WATCHING: u8 = 2;

/// What a signal does; clones share the state.
#[derive(Debug, Clone, Default)]
pub(crate) struct Signals {
    stop: Stop,
    state: Arc<AtomicU8>,
}

impl Signals {
    /// Returns what asks the library to stop.
    pub(crate) fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// From now on the first signal stops cleanly; before, there is nothing to clean up.
    pub(crate) fn work_begins(&self) {
        self.state.store(WORKING, Ordering::SeqCst);
    }

    /// From now on the first signal ends what would go on for ever.
    pub(crate) fn watching_begins(&self) {
        self.state.store(WATCHING, Ordering::SeqCst);
    }

    /// Begins to listen, on the current runtime.
    #[cfg(unix)]
    pub(crate) fn listen(&self, printer: &Arc<Printer>) {
        use tokio::signal::unix::{SignalKind, signal};
        for (kind, reason) in [
            (SignalKind::interrupt(), StopReason::Interrupt),
            (SignalKind::terminate(), StopReason::Terminate),
        ] {
            // as process 1 of a container the default would be to ignore it
            let mut listener = match signal(kind) {
                Ok(listener) => listener,
                Err(error) => {
                    printer.warn(format!("cannot listen for signals: {error}"));
                    continue;
                }
            };
            let (signals, printer) = (self.clone(), Arc::clone(printer));
            tokio::spawn(async move {
                while listener.recv().await.is_some() {
                    signals.receive(reason, &printer);
                }
            });
        }
    }

    /// Begins to listen, on the current runtime.
    #[cfg(not(unix))]
    pub(crate) fn listen(&self, printer: &Arc<Printer>) {
        let (signals, printer) = (self.clone(), Arc::clone(printer));
        tokio::spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                signals.receive(StopReason::Interrupt, &printer);
            }
        });
    }

    fn receive(&self, reason: StopReason, printer: &Printer) {
        let (name, code) = match reason {
            StopReason::Terminate => ("SIGTERM", 143),
            StopReason::Interrupt | StopReason::Timeout => ("SIGINT", 130),
        };
        let state = self.state.load(Ordering::SeqCst);
        if state == IDLE {
            process::exit(code);
        }
        if self.stop.requested().is_some() {
            printer.error(format!(
                "{name} again: leaving at once; the next run settles what is unfinished"
            ));
            process::exit(code);
        }
        if state == WORKING {
            printer.error(format!(
                "{name}: stopping the current statement, undoing its migration, recording the \
             interruption and releasing the lock; once more leaves at once"
            ));
        }
        self.stop.request(reason);
    }
}
