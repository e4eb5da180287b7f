//! The engine driven through its seam, on the server that `MLEDGER_TEST_POSTGRES_URL` names.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod connections;
mod identities;
mod leases;
mod poolers;
mod schemas;
mod scripts;
mod statements;
mod stores;
mod transactions;
mod views;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ledger::{Digest, Event, Record, Signer, SigningKey};

use crate::engine::{Access, Begin, Engine, Fault, Session, open};

/// How most transactions of these tests begin.
const BEGIN: Begin = Begin {
    enforce_foreign_keys: true,
    lock_timeout: Some(Duration::from_secs(10)),
    statement_timeout: None,
};

/// The URL of the server's own database.
fn server() -> String {
    std::env::var("MLEDGER_TEST_POSTGRES_URL").unwrap_or_else(|_| {
        panic!(
            "`MLEDGER_TEST_POSTGRES_URL` names no server; `./scripts/test` starts a private one and \
             runs every suite"
        )
    })
}

/// Runs `psql`, and returns what it printed.
fn psql(url: &str, sql: &str) -> Result<String, String> {
    let mut client = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only"])
        .args(["--set=ON_ERROR_STOP=1", "--file=-", url])
        .env("PGOPTIONS", "--client-min-messages=warning")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    client
        .stdin
        .take()
        .unwrap()
        .write_all(sql.as_bytes())
        .unwrap();
    let output = client.wait_with_output().unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// A database of its own, gone when it is dropped, and the roles that were made for it.
struct Place {
    name: String,
    roles: Vec<String>,
}

impl Place {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("mledger_unit_{}_{number}", std::process::id());
        psql(
            &server(),
            &format!(
                "DROP DATABASE IF EXISTS {name};
                 CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy;"
            ),
        )
        .unwrap();
        Self {
            name,
            roles: Vec::new(),
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

    fn url(&self) -> String {
        let server = server();
        let (server, _) = server.rsplit_once('/').unwrap();
        format!("{server}/{}", self.name)
    }

    /// The URL for another user.
    fn url_of(&self, user: &str) -> String {
        let url = self.url();
        let (_, place) = url.rsplit_once('@').unwrap();
        format!("postgres://{user}@{place}")
    }

    /// Makes a role that may sign in, and returns its name.
    fn role(&mut self, name: &str) -> String {
        let role = format!("{}_{name}", self.name);
        self.ask(&format!("CREATE ROLE {role} LOGIN"));
        self.roles.push(role.clone());
        role
    }

    fn engine(&self) -> Arc<dyn Engine> {
        open(&self.url(), Path::new("/")).unwrap()
    }

    async fn writer(&self) -> Box<dyn Session> {
        self.engine().connect(Access::Write).await.unwrap()
    }

    async fn reader(&self) -> Box<dyn Session> {
        self.engine().connect(Access::Read).await.unwrap()
    }

    async fn as_role(&self, role: &str) -> Box<dyn Session> {
        let engine = open(&self.url_of(role), Path::new("/")).unwrap();
        engine.connect(Access::Write).await.unwrap()
    }

    /// Asks behind the session's back.
    #[track_caller]
    fn ask(&self, sql: &str) -> String {
        psql(&self.url(), sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// What the server says against a statement.
    #[track_caller]
    fn refusal(&self, sql: &str) -> String {
        match psql(&self.url(), sql) {
            Ok(answer) => panic!("{sql}: {answer}"),
            Err(error) => error,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE);", self.name);
        for role in &self.roles {
            sql.push_str(&format!("DROP ROLE IF EXISTS {role};"));
        }
        let dropped = psql(&server(), &sql);
        assert!(dropped.is_ok() || std::thread::panicking(), "{dropped:?}");
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

/// Executes statements that all must succeed.
async fn all(session: &mut dyn Session, statements: &[&str]) {
    for sql in statements {
        session
            .execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}
