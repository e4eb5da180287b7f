//! The real clock and real ids, and under the feature `failpoints` ones that repeat themselves.

use std::sync::Arc;
use std::time::Instant;

use chrono::Utc;
use ledger::{Digest, Timestamp};
use mledger::context::Source;
use mledger::error::Error;
use uuid::Uuid;

/// Returns the clock and ids of this process.
///
/// # Errors
///
/// When the operating system gives no random bytes.
pub(crate) fn source() -> Result<Arc<dyn Source>, Error> {
    #[cfg(feature = "failpoints")]
    if let Some(fixed) = super::rehearsal::source() {
        return Ok(Arc::new(fixed));
    }
    let mut probe = [0; 32];
    getrandom::fill(&mut probe).map_err(|error| {
        super::failure::usage(
            "no-randomness",
            format!("expected random bytes from the operating system, found none: {error}"),
            "check the system",
        )
    })?;
    Ok(Arc::new(System {
        begun: Instant::now(),
        spare: Digest::from_bytes(probe),
    }))
}

struct System {
    begun: Instant,
    spare: Digest,
}

impl Source for System {
    fn now(&self) -> Timestamp {
        Timestamp::from(Utc::now())
    }

    fn id(&self) -> Uuid {
        Uuid::now_v7()
    }

    fn nonce(&self) -> Digest {
        let mut bytes = [0; 32];
        match getrandom::fill(&mut bytes) {
            Ok(()) => Digest::from_bytes(bytes),
            // as random, and needed once: a second ledger is opened by another process
            Err(_) => self.spare,
        }
    }

    fn ticks_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
