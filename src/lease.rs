//! The lease: who may run, and how a run that lost it is kept from committing.
//!
//! The lease is one row with a token, a holder and an expiry by the database's clock. A heartbeat
//! renews it on a connection of its own while statements run; each commit of the run renews it inside
//! its transaction and so learns whether it is still the holder.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ledger::Timestamp;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::engine::{Access, Engine, Fault, Interrupter, Lease, Session};
use crate::fault;
use crate::report::LockView;

/// How often the heartbeat renews within one lease.
const BEATS_PER_LEASE: u32 = 4;

/// What one beat may take, as a part of the lease: a connection that has fallen silent is given up while
/// there is time to renew over another one.
const BEAT_LIMITS_PER_LEASE: u32 = 2;

/// How soon a beat that was missed is made up for, as a part of the lease.
const RETRIES_PER_LEASE: u32 = 16;

/// Returns what tells this process from all others on this host: boot id, process namespace, process
/// id and start time, or an empty text where the system does not tell.
///
/// Two processes with one id, one after the other, differ in their start time; a process id of another
/// container or of the time before a reboot means nothing here.
pub fn this_process() -> String {
    let pid = std::process::id();
    match (place(), start_time(pid)) {
        (Some(place), Some(start)) => format!("{place}/{pid}/{start}"),
        _ => String::new(),
    }
}

/// Says whether a process that [`this_process`] described is known to have ended.
///
/// `false` where it is alive, and also where this host cannot know.
pub fn is_gone(process: &str) -> bool {
    let mut parts = process.rsplitn(3, '/');
    let (Some(start), Some(pid), Some(there)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let (Some(here), Ok(pid)) = (place(), pid.parse()) else {
        return false;
    };
    here == there && start_time(pid).is_none_or(|now| now != start)
}

/// The boot and the process namespace, within which a process id means one process at a time.
fn place() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}/{}", boot.trim(), namespace.display()))
}

/// The start time of a process in clock ticks since boot: field 22 of proc(5) `stat`. A zombie has
/// ended, though its entry is still there.
fn start_time(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // the command's name, field 2, may hold spaces and parentheses
    let (_, after_name) = stat.rsplit_once(") ")?;
    let mut fields = after_name.split(' ');
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18).map(str::to_owned)
}

/// Returns the lease row as people read it.
pub fn view(lease: &Lease) -> LockView {
    LockView {
        token: lease.token,
        actor: lease.actor.clone(),
        host: lease.host.clone(),
        run: lease.run,
        since: Timestamp::from_micros(lease.since_ms.saturating_mul(1000)),
        expires: Timestamp::from_micros(lease.expires_ms.saturating_mul(1000)),
        expired: lease.expires_ms <= lease.now_ms,
        holder_gone: is_gone(&lease.process),
    }
}

/// Returns why the lease may be taken from its holder, if it may.
pub fn replaceable(view: &LockView) -> Option<&'static str> {
    if view.holder_gone {
        Some("the holder's process has ended")
    } else if view.expired {
        Some("the lease has expired")
    } else {
        None
    }
}

/// Renews a lease from a task of its own until it is dropped.
#[derive(Debug)]
pub struct Heartbeat {
    task: JoinHandle<()>,
    lost: Arc<AtomicBool>,
}

impl Heartbeat {
    /// Starts renewing; a lease that turns out to be lost stops the work session's statement.
    pub fn start(
        engine: Arc<dyn Engine>,
        run: Uuid,
        token: Uuid,
        lease: Duration,
        work: Interrupter,
    ) -> Self {
        let lost = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&lost);
        let task = tokio::spawn(async move {
            let mut session: Option<Box<dyn Session>> = None;
            let mut pause = lease / BEATS_PER_LEASE;
            loop {
                tokio::time::sleep(pause).await;
                let beat = tokio::time::timeout(
                    lease / BEAT_LIMITS_PER_LEASE,
                    beat(&*engine, &mut session, run, token, lease),
                );
                pause = match beat.await {
                    Ok(Beat::Alive) => lease / BEATS_PER_LEASE,
                    Ok(Beat::Missed) => lease / RETRIES_PER_LEASE,
                    Ok(Beat::Lost) => {
                        flag.store(true, Ordering::SeqCst);
                        work.interrupt();
                        return;
                    }
                    Err(_) => {
                        tracing::warn!("the heartbeat's connection is silent, and is replaced");
                        session = None;
                        lease / RETRIES_PER_LEASE
                    }
                };
            }
        });
        Self { task, lost }
    }

    /// Says whether the lease was found to be somebody else's.
    pub fn lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beat {
    /// Renewed, or busy: the holder itself keeps all others out.
    Alive,
    /// Nobody knows: the database was not reached.
    Missed,
    /// Somebody else has it.
    Lost,
}

async fn beat(
    engine: &dyn Engine,
    session: &mut Option<Box<dyn Session>>,
    run: Uuid,
    token: Uuid,
    lease: Duration,
) -> Beat {
    if session.is_none() {
        match engine.connect(Access::Run(run)).await {
            Ok(opened) => *session = Some(opened),
            Err(error) => {
                tracing::warn!(%error, "the heartbeat could not connect");
                return Beat::Missed;
            }
        }
    }
    let Some(connected) = session else {
        return Beat::Missed;
    };
    match connected.beat_lease(token, lease).await {
        Ok(true) => Beat::Alive,
        Ok(false) if fault::without("lease::unfenced") => Beat::Alive,
        Ok(false) => Beat::Lost,
        Err(error) if error.fault == Fault::Busy => Beat::Alive,
        Err(error) => {
            tracing::warn!(%error, "the heartbeat could not renew the lease");
            *session = None;
            Beat::Missed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_not_gone_and_a_later_one_of_its_id_is_another() {
        let me = this_process();
        assert!(!me.is_empty(), "this host tells its processes apart");
        assert!(!is_gone(&me));
        assert!(
            is_gone(&format!("{me}1")),
            "another start time is another process"
        );
    }

    #[test]
    fn what_another_host_says_is_not_known() {
        assert!(!is_gone(""));
        assert!(!is_gone("other-boot/pid:[1]/1/1"));
    }
}
