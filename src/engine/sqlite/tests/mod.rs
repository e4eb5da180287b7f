//! The engine driven through its seam, on files.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod connecting;
mod leases;
mod schemas;
mod scripts;
mod sizes;
mod stores;
mod views;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ledger::{Digest, Event, Record, Signer, SigningKey};
use sqlx::SqliteConnection;

use super::connect;
use crate::engine::{Access, Begin, Engine, Fault, Session, open};

/// How most transactions of these tests begin.
const BEGIN: Begin = Begin {
    enforce_foreign_keys: false,
    lock_timeout: Some(Duration::from_secs(10)),
    statement_timeout: None,
};

/// A folder with a database that does not exist yet.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A place whose database has the ledger's store.
    async fn with_store() -> Self {
        let place = Self::new();
        let mut session = place.writer().await;
        session.begin(&BEGIN).await.unwrap();
        session.create_store("identity").await.unwrap();
        session.commit().await.unwrap();
        session.close().await.unwrap();
        place
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("shop.db")
    }

    fn engine(&self) -> Arc<dyn Engine> {
        open("sqlite:shop.db", self.folder.path()).unwrap()
    }

    async fn writer(&self) -> Box<dyn Session> {
        self.engine().connect(Access::Write).await.unwrap()
    }

    async fn reader(&self) -> Box<dyn Session> {
        self.engine().connect(Access::Read).await.unwrap()
    }

    /// A plain connection, for looking and tampering behind the session's back.
    async fn raw(&self) -> SqliteConnection {
        raw(&self.file()).await
    }
}

async fn raw(file: &Path) -> SqliteConnection {
    connect::open(file, super::Opening::Create, Access::Write)
        .await
        .unwrap()
}

async fn run(connection: &mut SqliteConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(connection).await.unwrap();
}

async fn count(connection: &mut SqliteConnection, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}

/// Signs events one behind the other.
struct Log {
    key: SigningKey,
    seq: u64,
    prev: Digest,
}

impl Log {
    fn new() -> Self {
        Self {
            key: SigningKey::from_seed([7; 32]),
            seq: 0,
            prev: Digest::ZERO,
        }
    }

    /// The next event, its body as canonical JSON; `outcome` follows from the kind.
    fn next(&mut self, kind: &str, body: &str) -> Record {
        let outcome = if kind.ends_with(".failed") {
            "failure"
        } else {
            "success"
        };
        let line = format!(
            "{{\"actor\":\"dana\",\"body\":{body},\"env\":\"test\",\"host\":\"here\",\
             \"key\":\"{}\",\"kind\":\"{kind}\",\"ledger\":\"{}\",\"outcome\":\"{outcome}\",\
             \"prev\":\"{}\",\"run\":\"0193a000-0000-7000-8000-000000000001\",\"seq\":{},\
             \"time\":\"2026-11-20T20:00:{:02}.000000Z\",\"tool\":\"mledger/0.1.0\",\"v\":1}}",
            self.key.public_key().fingerprint(),
            Digest::ZERO,
            self.prev,
            self.seq,
            self.seq % 60,
        );
        let event = Event::parse(line.as_bytes()).unwrap_or_else(|fault| panic!("{fault}: {line}"));
        let record = Record::sign(&event, &self.key).unwrap();
        self.seq += 1;
        self.prev = record.hash();
        record
    }

    fn note(&mut self) -> Record {
        let body = format!("{{\"text\":\"note {}\"}}", self.seq);
        self.next("note.added", &body)
    }
}

/// Appends in a transaction of its own.
async fn append(session: &mut dyn Session, records: &[Record]) -> Result<(), Fault> {
    session.begin(&BEGIN).await.map_err(|error| error.fault)?;
    match session.append(records).await {
        Ok(()) => session.commit().await.map_err(|error| error.fault),
        Err(error) => {
            session.rollback().await.unwrap();
            Err(error.fault)
        }
    }
}

/// Appends a first event, inside the open transaction.
async fn append_note(session: &mut dyn Session) {
    session.append(&[Log::new().note()]).await.unwrap();
}

/// Executes statements that all must succeed.
async fn all(session: &mut dyn Session, statements: &[&str]) {
    for sql in statements {
        session
            .execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}
