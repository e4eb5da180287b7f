//! Ending what a session does, from a connection beside it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::MySqlConnection;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::address::Target;
use super::details::{Details, Whereabouts};
use super::{connect, fault, talk};
use crate::engine::{Access, EngineError, Fault};

/// How often a statement that goes on is asked to stop: the first time may have come before the
/// server had read it.
const AGAIN: Duration = Duration::from_millis(100);

/// How long the end of a session is waited for: the server may have much to roll back.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a session that is to end is looked for.
const POLL: Duration = Duration::from_millis(20);

/// Stops the statement of a script that a session executes, and no other: the ledger's own are short.
#[derive(Debug)]
pub(super) struct Switch {
    target: Target,
    runtime: Handle,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The session's number on the server.
    id: u64,
    /// A stop was asked for, and nobody has taken it back.
    stop: bool,
    /// A script's statement is with the server.
    armed: bool,
    /// What asks the server to stop it.
    killer: Option<JoinHandle<()>>,
}

impl Switch {
    /// Makes the switch of the session with the number `id`; inside a runtime.
    pub(super) fn new(target: Target, id: u64) -> Arc<Self> {
        Arc::new(Self {
            target,
            runtime: Handle::current(),
            state: Mutex::new(State {
                id,
                ..State::default()
            }),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks that the script's statement be stopped, now and until [`Switch::resume`].
    pub(super) fn stop(self: &Arc<Self>) {
        let mut state = self.state();
        state.stop = true;
        if state.armed && state.killer.is_none() {
            let switch = Arc::clone(self);
            state.killer = Some(self.runtime.spawn(async move { switch.kill_query().await }));
        }
    }

    /// Lets statements run again.
    pub(super) fn resume(&self) {
        self.state().stop = false;
    }

    /// Follows the session to another connection, on which nothing runs yet.
    pub(super) fn follow(&self, id: u64) {
        let mut state = self.state();
        state.id = id;
        state.armed = false;
        if let Some(killer) = state.killer.take() {
            killer.abort();
        }
    }

    /// Refuses what was asked to stop before, and puts what follows under the switch.
    pub(super) fn arm(&self) -> Result<(), EngineError> {
        let mut state = self.state();
        if state.stop {
            return Err(EngineError::new(Fault::Interrupted, "interrupted"));
        }
        state.armed = true;
        Ok(())
    }

    /// Takes the session from under the switch, and says whether the server was asked to stop it;
    /// after that it will not be any more.
    pub(super) async fn disarm(&self) -> bool {
        let killer = {
            let mut state = self.state();
            state.armed = false;
            state.killer.take()
        };
        match killer {
            Some(killer) => {
                // it ends by itself; that it was cancelled with the runtime is as good
                let _ = killer.await;
                true
            }
            None => false,
        }
    }

    /// Says whether a script's statement was left with the server, since nobody waited for its end.
    pub(super) fn is_armed(&self) -> bool {
        self.state().armed
    }

    /// Ends the session itself, if a script's statement was left with the server.
    pub(super) fn abandon(&self) {
        let id = {
            let state = self.state();
            if !state.armed {
                return;
            }
            state.id
        };
        let target = self.target.clone();
        self.runtime.spawn(async move {
            match connect::beside(&target).await {
                Ok(mut beside) => {
                    let killed = talk::execute(&mut beside, format!("KILL CONNECTION {id}")).await;
                    if let Err(error) = killed {
                        tracing::debug!(%error, "an abandoned session could not be ended");
                    }
                }
                Err(error) => tracing::debug!(%error, "an abandoned session could not be ended"),
            }
        });
    }

    async fn kill_query(&self) {
        let mut beside: Option<MySqlConnection> = None;
        loop {
            let id = {
                let state = self.state();
                if !state.armed {
                    return;
                }
                state.id
            };
            let asked = async {
                let connection = match &mut beside {
                    Some(connection) => connection,
                    None => beside.insert(connect::beside(&self.target).await?),
                };
                talk::execute(connection, format!("KILL QUERY {id}")).await
            };
            if let Err(error) = asked.await {
                tracing::warn!(%error, "a statement could not be stopped yet");
                if error.fault == Fault::Disconnected {
                    beside = None;
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}

/// Ends the script's statement that a session leaves behind when it goes away, so that its locks go
/// too.
#[derive(Debug)]
pub(super) struct StopOnDrop(pub(super) Arc<Switch>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// Ends a session given by its name and waits until it is gone with all that it did not commit; says
/// whether it is.
pub(super) async fn end_session(target: &Target, session: &str) -> Result<bool, EngineError> {
    let (mut beside, details) = connect::open(target, Access::Write).await?;
    let ended = end(&mut beside, &details, session).await;
    connect::close(beside).await?;
    ended
}

/// Ends a session from `connection`, as [`end_session`] does.
pub(super) async fn end(
    connection: &mut MySqlConnection,
    details: &Details,
    session: &str,
) -> Result<bool, EngineError> {
    let id = match details.locate(session) {
        Whereabouts::Here(id) => id,
        Whereabouts::Ended => return Ok(true),
        Whereabouts::Unknown => return Ok(false),
    };
    let killed = talk::execute(connection, format!("KILL CONNECTION {id}")).await;
    if let Err(refused) = killed {
        return match refused.fault {
            _ if fault::number(&refused) == fault::NO_SUCH_THREAD => Ok(true),
            Fault::Disconnected => Err(refused),
            // not the right to do so
            _ => Ok(false),
        };
    }
    let deadline = Instant::now() + PATIENCE;
    loop {
        let listed = talk::row(
            connection,
            format!("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = {id}"),
        )
        .await?;
        if listed.map(|row| row.number(0)).transpose()?.flatten() == Some(0) {
            return Ok(true);
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
        tokio::time::sleep(POLL).await;
    }
}
