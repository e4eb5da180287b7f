//! Test hooks, only with the feature `failpoints`: a clock and ids that are the same in every run.

use std::env;
use std::fs;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use ledger::{Digest, Timestamp};
use mledger::context::Source;
use uuid::{Builder, Uuid};

const MINUTE: i64 = 60_000_000;

/// Returns the clock and ids that `MLEDGER_TEST_CLOCK` and `MLEDGER_TEST_IDS` ask for.
///
/// The clock is a time, or the path of a file that holds one: then each process leaves it a minute
/// later than it found it, so that time passes from command to command.
pub(crate) fn source() -> Option<Fixed> {
    let start = start(&env::var("MLEDGER_TEST_CLOCK").ok()?)?.as_micros();
    let seed = env::var("MLEDGER_TEST_IDS").ok()?;
    Some(Fixed {
        start,
        now: AtomicI64::new(start),
        seed: Digest::of(format!("{seed} {start}").as_bytes()),
        next: AtomicU64::new(0),
    })
}

/// Returns the host's name that `MLEDGER_TEST_HOST` asks for.
pub(crate) fn host() -> Option<String> {
    env::var("MLEDGER_TEST_HOST").ok()
}

fn start(clock: &str) -> Option<Timestamp> {
    if let Ok(time) = clock.parse() {
        return Some(time);
    }
    let found: Timestamp = fs::read_to_string(clock).ok()?.trim().parse().ok()?;
    let later = Timestamp::from_micros(found.as_micros() + MINUTE);
    fs::write(clock, format!("{later}\n")).ok()?;
    Some(found)
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
