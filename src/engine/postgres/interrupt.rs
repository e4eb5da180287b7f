//! Stopping a script's statement: a second connection asks the server to cancel it, again and again
//! until it has ended, and nobody asks anything else of the session before that connection is done.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::Postgres;
use super::connect;
use super::ending::{AS_SIGNED_IN, began_at};
use super::fault::Of;
use super::link::Backend;
use crate::engine::{Access, EngineError};

/// How long to wait for a statement to notice before asking again.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// How often a statement is asked to stop that nobody waits for any more.
const FAREWELLS: u32 = 25;

/// Whether to stop, and what is stopped.
#[derive(Debug)]
pub(super) struct Switch {
    database: Postgres,
    stop: AtomicBool,
    running: AtomicBool,
    at: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    backend: Backend,
    task: Option<JoinHandle<()>>,
}

impl Switch {
    pub(super) fn new(database: Postgres) -> Arc<Self> {
        Arc::new(Self {
            database,
            stop: AtomicBool::new(false),
            running: AtomicBool::new(false),
            at: Mutex::default(),
        })
    }

    /// Says which server process serves the session now.
    pub(super) fn set_backend(&self, backend: Backend) {
        self.state().backend = backend;
    }

    /// Asks that the script's statement be stopped, now and until [`Switch::resume`].
    pub(super) fn stop(self: &Arc<Self>, runtime: Option<&Handle>) {
        self.stop.store(true, Ordering::SeqCst);
        if self.running.load(Ordering::SeqCst)
            && let Some(runtime) = runtime
        {
            self.cancel(runtime);
        }
    }

    pub(super) fn resume(&self) {
        self.stop.store(false, Ordering::SeqCst);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Marks that a script's statement runs until the guard is dropped.
    pub(super) fn running(self: &Arc<Self>) -> Running {
        self.running.store(true, Ordering::SeqCst);
        Running {
            switch: Arc::clone(self),
            ended: false,
        }
    }

    /// Waits until no cancellation is under way: one that came late would stop the next statement.
    pub(super) async fn settle(&self) {
        let task = self.state().task.take();
        if let Some(task) = task {
            drop(task.await);
        }
    }

    fn cancel(self: &Arc<Self>, runtime: &Handle) {
        let mut state = self.state();
        if state.task.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        let switch = Arc::clone(self);
        let backend = state.backend;
        state.task = Some(runtime.spawn(async move {
            let running = || switch.running.load(Ordering::SeqCst);
            if let Err(error) = cancel_while(&switch.database, backend, running).await {
                tracing::warn!(%error, "a running statement could not be cancelled");
            }
        }));
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // what is guarded is two values that are whole at any time
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A statement that runs; one whose future is dropped is cancelled, as far as the server can be asked.
pub(super) struct Running {
    switch: Arc<Switch>,
    ended: bool,
}

impl Running {
    /// The server has answered.
    pub(super) async fn end(mut self) {
        self.ended = true;
        self.switch.running.store(false, Ordering::SeqCst);
        self.switch.settle().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        self.switch.running.store(false, Ordering::SeqCst);
        let (database, backend) = (self.switch.database.clone(), self.switch.state().backend);
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                let mut left = FAREWELLS;
                let again = move || {
                    left = left.saturating_sub(1);
                    left > 0
                };
                drop(cancel_while(&database, backend, again).await);
            });
        }
    }
}

/// Asks the server to cancel what `backend` executes, as long as `go_on` says so and it is there.
async fn cancel_while(
    database: &Postgres,
    backend: Backend,
    mut go_on: impl FnMut() -> bool,
) -> Result<(), EngineError> {
    let mut opened = connect::open(database, Access::Read).await?;
    let Backend { pid, start } = backend;
    let sql = format!(
        "{AS_SIGNED_IN}SELECT pg_catalog.pg_cancel_backend(pid) \
         FROM pg_catalog.pg_stat_get_activity({pid}) \
         WHERE {}",
        began_at(start)
    );
    while go_on() {
        if opened.link.ask(&sql, Of::Ours).await?.is_empty() {
            break;
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
    opened.link.close().await;
    Ok(())
}
