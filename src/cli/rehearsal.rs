//! Test hooks, only with the feature `failpoints`: a clock and ids that are the same in every run.

use std::env;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use ledger::{Digest, Timestamp};
use mledger::context::Source;
use uuid::{Builder, Uuid};

/// Returns the clock and ids that `MLEDGER_TEST_CLOCK` and `MLEDGER_TEST_IDS` ask for.
pub(crate) fn source() -> Option<Fixed> {
    let clock = env::var("MLEDGER_TEST_CLOCK")
        .ok()?
        .parse::<Timestamp>()
        .ok()?;
    let seed = env::var("MLEDGER_TEST_IDS").ok()?;
    Some(Fixed {
        start: clock.as_micros(),
        now: AtomicI64::new(clock.as_micros()),
        seed: Digest::of(seed.as_bytes()),
        next: AtomicU64::new(0),
    })
}

/// A clock that goes on by one millisecond a look, and ids that count.
pub(crate) struct Fixed {
    start: i64,
    now: AtomicI64,
    seed: Digest,
    next: AtomicU64,
}

impl Fixed {
    fn digest(&self) -> Digest {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let mut bytes = self.seed.as_bytes().to_vec();
        bytes.extend(number.to_be_bytes());
        Digest::of(&bytes)
    }
}

impl Source for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now.fetch_add(1_000, Ordering::SeqCst))
    }

    fn id(&self) -> Uuid {
        let millis = u64::try_from(self.start / 1_000).unwrap_or(0);
        let mut random = [0; 10];
        for (to, from) in random.iter_mut().zip(self.digest().as_bytes()) {
            *to = *from;
        }
        Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }

    fn nonce(&self) -> Digest {
        self.digest()
    }

    fn ticks_ms(&self) -> u64 {
        0
    }
}

/// Returns the host's name that `MLEDGER_TEST_HOST` asks for.
pub(crate) fn host() -> Option<String> {
    env::var("MLEDGER_TEST_HOST").ok()
}
