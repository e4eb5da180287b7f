//! How the tests of this suite come to a database of each engine.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use mledger::engine::{Access, Begin, Session};

pub(crate) use crate::support::engines::{Database, ENGINES, Kind};

/// Runs `test` on a fresh database of every engine.
pub(crate) async fn on_every_engine(test: impl AsyncFn(&Kind, Box<dyn Database>)) {
    for kind in ENGINES {
        test(kind, kind.fresh()).await;
    }
}

/// How transactions of these tests begin.
pub(crate) fn begin() -> Begin {
    Begin {
        enforce_foreign_keys: false,
        lock_timeout: Some(Duration::from_secs(10)),
        statement_timeout: None,
    }
}

pub(crate) async fn writer(database: &dyn Database) -> Box<dyn Session> {
    database.engine().connect(Access::Write).await.unwrap()
}

pub(crate) async fn reader(database: &dyn Database) -> Box<dyn Session> {
    database.engine().connect(Access::Read).await.unwrap()
}

/// A writing session on a database that has the ledger's store.
pub(crate) async fn with_store(database: &dyn Database) -> Box<dyn Session> {
    let mut session = writer(database).await;
    session.begin(&begin()).await.unwrap();
    session.create_store("the identity").await.unwrap();
    session.commit().await.unwrap();
    session
}
