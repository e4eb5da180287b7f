//! The engine driven through its seam, on the server that `MLEDGER_TEST_MYSQL_URL` names.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod connecting;
mod examining;
mod leases;
mod schemas;
mod scripts;
mod sessions;
mod stores;
mod views;

use std::env;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ledger::{Digest, Event, Record, Signer, SigningKey};
use sqlx::{AssertSqlSafe, MySqlConnection, raw_sql};

use super::address::Target;
use super::{connect, talk};
use crate::engine::{Access, Begin, Engine, Fault, Session, open};

/// How most transactions of these tests begin.
const BEGIN: Begin = Begin {
    enforce_foreign_keys: false,
    lock_timeout: Some(Duration::from_secs(10)),
    statement_timeout: None,
};

/// A database of its own on the server, gone when it is dropped.
struct Place {
    name: String,
}

/// The URL of the server, without a database.
fn server() -> String {
    let Ok(url) = env::var("MLEDGER_TEST_MYSQL_URL") else {
        panic!("expected `MLEDGER_TEST_MYSQL_URL` to name a server, found it is not set");
    };
    let (server, _) = url.rsplit_once('/').unwrap();
    server.to_owned()
}

/// A connection in no database that matters.
async fn administrator() -> MySqlConnection {
    let url = format!("{}/mysql", server());
    let rest = url.split_once(':').unwrap().1;
    let target = Target::parse(rest, Path::new("/")).unwrap();
    connect::beside(&target).await.unwrap()
}

impl Place {
    /// An empty database.
    async fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let id = std::process::id();
        Self::named(&format!("my_unit_{id}_{count}")).await
    }

    async fn named(name: &str) -> Self {
        let quoted = super::literal::name(name);
        let sql = format!("DROP DATABASE IF EXISTS {quoted}; CREATE DATABASE {quoted}");
        talk::execute(&mut administrator().await, sql)
            .await
            .unwrap();
        Self {
            name: name.to_owned(),
        }
    }

    /// A database that has the ledger's store.
    async fn with_store() -> Self {
        let place = Self::new().await;
        place.create_store().await;
        place
    }

    async fn create_store(&self) {
        let mut session = self.writer().await;
        session.begin(&BEGIN).await.unwrap();
        session.create_store("identity").await.unwrap();
        session.commit().await.unwrap();
        session.close().await.unwrap();
    }

    fn engine(&self) -> Arc<dyn Engine> {
        let name: String = self
            .name
            .bytes()
            .map(|byte| format!("%{byte:02x}"))
            .collect();
        open(&format!("{}/{name}", server()), Path::new("/")).unwrap()
    }

    async fn writer(&self) -> Box<dyn Session> {
        self.engine().connect(Access::Write).await.unwrap()
    }

    async fn reader(&self) -> Box<dyn Session> {
        self.engine().connect(Access::Read).await.unwrap()
    }

    /// A plain connection, for looking and tampering behind the session's back.
    async fn raw(&self) -> MySqlConnection {
        let mut connection = administrator().await;
        run(
            &mut connection,
            &format!("USE {}", super::literal::name(&self.name)),
        )
        .await;
        connection
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE {}", super::literal::name(&self.name));
        // a test's runtime cannot be waited for from within
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let wait = "SET SESSION lock_wait_timeout = 20; ";
                talk::execute(&mut administrator().await, format!("{wait}{sql}")).await
            })
        });
        drop(dropping.join());
    }
}

async fn run(connection: &mut MySqlConnection, sql: &str) {
    raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(connection)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Returns the number of the error with which the server refuses a statement.
async fn refused(connection: &mut MySqlConnection, sql: &str) -> u16 {
    let answer = talk::execute(connection, sql.to_owned()).await;
    super::fault::number(&answer.unwrap_err())
}

async fn ask(connection: &mut MySqlConnection, sql: &str) -> String {
    let row = talk::row(connection, sql.to_owned()).await;
    match row.unwrap_or_else(|error| panic!("{sql}: {error}")) {
        Some(row) => row.text(0).unwrap(),
        None => String::new(),
    }
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
        let body = format!("{{\"text\":\"note {} Ä 🎉 ' \\\\ \"}}", self.seq);
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

/// Executes statements that all must succeed.
async fn all(session: &mut dyn Session, statements: &[&str]) {
    for sql in statements {
        session
            .execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}
