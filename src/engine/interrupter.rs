//! Stopping a statement that is being executed.

use std::fmt;
use std::sync::Arc;

/// Stops the statement that a session is executing; may be called from any task or thread.
#[derive(Clone)]
pub struct Interrupter(Arc<dyn Fn() + Send + Sync>);

impl Interrupter {
    /// Wraps `stop`, which must return at once.
    pub fn new(stop: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Arc::new(stop))
    }

    /// Asks the database to stop what the session is executing, now and until the session's
    /// [`resume`](super::Session::resume).
    pub fn interrupt(&self) {
        (self.0)();
    }
}

impl fmt::Debug for Interrupter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Interrupter")
    }
}
