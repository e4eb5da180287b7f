//! Warnings of the server. The driver only logs them, as events of a target of its own, so they are
//! picked out of the log while a script's statement runs; all other events go on to the log.

use std::fmt;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::dispatcher;
use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber;
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};

use crate::engine::Executed;

/// Where the driver logs what the server says beside its answers.
const TARGET: &str = "sqlx::postgres::notice";

/// How many messages are kept of one statement.
const KEPT: usize = 8;

/// Collects the warnings of a session's statements.
#[derive(Debug, Clone)]
pub(super) struct Notices {
    found: Arc<Mutex<Executed>>,
    dispatch: Dispatch,
}

impl Notices {
    pub(super) fn new() -> Self {
        let found = Arc::default();
        let collector = Collector {
            found: Arc::clone(&found),
            log: dispatcher::get_default(Clone::clone),
        };
        Self {
            found,
            dispatch: Dispatch::new(collector),
        }
    }

    /// Does `work`, and returns the warnings that came meanwhile.
    pub(super) async fn during<T>(&self, work: impl Future<Output = T>) -> (T, Executed) {
        let answer = work.with_subscriber(self.dispatch.clone()).await;
        (answer, mem::take(&mut *locked(&self.found)))
    }
}

fn locked(found: &Mutex<Executed>) -> MutexGuard<'_, Executed> {
    // a count and a list, whole at any time
    found.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Collector {
    found: Arc<Mutex<Executed>>,
    log: Dispatch,
}

impl Collector {
    fn is_warning(metadata: &Metadata<'_>) -> bool {
        metadata.target() == TARGET && *metadata.level() <= Level::WARN
    }
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        Self::is_warning(metadata) || self.log.enabled(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::WARN)
    }

    fn event(&self, event: &Event<'_>) {
        if !Self::is_warning(event.metadata()) {
            self.log.event(event);
            return;
        }
        let mut message = Message(None);
        event.record(&mut message);
        let mut found = locked(&self.found);
        found.warnings += 1;
        if found.messages.len() < KEPT {
            found.messages.extend(message.0);
        }
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.log.new_span(span)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.log.record(span, values);
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        self.log.record_follows_from(span, follows);
    }

    fn enter(&self, span: &Id) {
        self.log.enter(span);
    }

    fn exit(&self, span: &Id) {
        self.log.exit(span);
    }
}

/// The text of an event.
struct Message(Option<String>);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = Some(format!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.0 = Some(value.to_owned());
        }
    }
}
