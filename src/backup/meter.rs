//! How far a dump or a restore has come, in bytes.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::context::{Observer, Progress, Silent};

/// After how many bytes it is told again.
const STRIDE: u64 = 1024 * 1024;

/// Counts bytes, and tells an observer from time to time; clones count together.
#[derive(Clone)]
pub struct Meter {
    observer: Arc<dyn Observer>,
    of: Option<u64>,
    done: Arc<AtomicU64>,
}

impl Meter {
    /// Starts at nothing.
    pub fn new(observer: Arc<dyn Observer>) -> Self {
        Self {
            observer,
            of: None,
            done: Arc::default(),
        }
    }

    /// Returns a meter that starts again, for work of so many bytes.
    #[must_use]
    pub fn of(&self, bytes: u64) -> Self {
        Self {
            observer: Arc::clone(&self.observer),
            of: Some(bytes),
            done: Arc::default(),
        }
    }

    /// Takes note of so many bytes more.
    pub fn add(&self, bytes: u64) {
        let before = self.done.fetch_add(bytes, Ordering::Relaxed);
        self.tell(before, before.saturating_add(bytes));
    }

    /// Takes note of how many there are by now.
    pub fn set(&self, done: u64) {
        let before = self.done.swap(done, Ordering::Relaxed);
        self.tell(before, done);
    }

    fn tell(&self, before: u64, done: u64) {
        let ended = self.of == Some(done) && before != done;
        if before / STRIDE != done / STRIDE || ended {
            let of = self.of;
            self.observer.observe(&Progress::Bytes { done, of });
        }
    }
}

impl Default for Meter {
    /// Tells nobody.
    fn default() -> Self {
        Self::new(Arc::new(Silent))
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Meter")
            .field("of", &self.of)
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Heard(Mutex<Vec<(u64, Option<u64>)>>);

    impl Observer for Heard {
        fn observe(&self, progress: &Progress<'_>) {
            if let Progress::Bytes { done, of } = progress {
                self.0.lock().unwrap().push((*done, *of));
            }
        }
    }

    #[test]
    fn it_tells_each_stride_and_the_end_and_no_more() {
        let heard = Arc::new(Heard::default());
        let meter = Meter::new(Arc::clone(&heard) as Arc<dyn Observer>);
        for _ in 0..64 {
            meter.add(STRIDE / 16);
        }
        let whole = meter.of(STRIDE + 7);
        whole.clone().add(STRIDE);
        whole.set(STRIDE + 7);
        whole.set(STRIDE + 7);
        let heard = heard.0.lock().unwrap().clone();
        let each = [1, 2, 3, 4].map(|stride| (stride * STRIDE, None));
        let of = Some(STRIDE + 7);
        assert_eq!(heard[..4], each);
        assert_eq!(heard[4..], [(STRIDE, of), (STRIDE + 7, of)]);
    }
}
