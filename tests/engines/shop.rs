//! A project of the library: a folder of migrations, a database, a frozen clock and counted ids.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mledger::context::{Context, Forgetful, Heads, Observer, Progress, Source, Stop};
use mledger::heads::FileHeads;
use mledger::ledger::{Body, Digest, Event, SigningKey, Timestamp};
use mledger::migrator::{Keys, Signing};
use mledger::report::{RunReport, State, Status, VerifyReport};
use mledger::request::{Back, Down, EventFilter, Resolution, Resolve, Settings, Up, Verify};
use mledger::{Error, Migrator};
use uuid::Uuid;

use crate::place::{Database, Kind};

/// Two migrations that say nothing but tables, each with its way back.
pub(crate) const TWO: [(&str, &str, &str); 2] = [
    (
        "1_users",
        "CREATE TABLE users (id INTEGER);",
        "DROP TABLE users;",
    ),
    (
        "2_orders",
        "CREATE TABLE orders (id INTEGER);",
        "DROP TABLE orders;",
    ),
];

/// A clock that stands still and ids that count.
#[derive(Debug, Default)]
pub(crate) struct Frozen {
    ids: AtomicU64,
}

impl Source for Frozen {
    fn now(&self) -> Timestamp {
        "2026-11-20T20:00:00.000000Z".parse().unwrap()
    }

    fn id(&self) -> Uuid {
        let number = self.ids.fetch_add(1, Ordering::SeqCst);
        Uuid::from_u128(0x0193_a000_0000_7000_8000_0000_0000_0000 + u128::from(number))
    }

    fn nonce(&self) -> Digest {
        Digest::of(b"a nonce that repeats itself")
    }

    fn ticks_ms(&self) -> u64 {
        0
    }
}

/// Keeps the warnings that a command tells.
#[derive(Debug, Default)]
pub(crate) struct Warnings(Mutex<Vec<String>>);

impl Observer for Warnings {
    fn observe(&self, progress: &Progress<'_>) {
        if let Progress::Warning { message } = progress {
            self.0.lock().unwrap().push((*message).to_owned());
        }
    }
}

/// A person with a key: the seed of the key, and their name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person(pub(crate) u8, pub(crate) &'static str);

/// Whose key a project's commands sign with, where nobody else is named.
pub(crate) const DANA: Person = Person(7, "dana@example.com");

impl Keys for Person {
    fn signer(&self, _: bool) -> Result<Signing, Error> {
        Ok(Signing {
            signer: Arc::new(SigningKey::from_seed([self.0; 32])),
            name: self.1.to_owned(),
        })
    }
}

/// One project.
pub(crate) struct Shop {
    pub(crate) database: Box<dyn Database>,
    folder: tempfile::TempDir,
    source: Arc<Frozen>,
    warnings: Arc<Warnings>,
    pub(crate) stop: Stop,
    heads: Arc<dyn Heads>,
}

impl Shop {
    pub(crate) fn new(database: Box<dyn Database>) -> Self {
        Self {
            database,
            folder: tempfile::tempdir().unwrap(),
            source: Arc::default(),
            warnings: Arc::default(),
            stop: Stop::default(),
            heads: Arc::new(Forgetful),
        }
    }

    /// Goes on at a machine that remembers what it has seen, and nothing of what others have.
    pub(crate) fn at(&mut self, machine: &str) {
        let folder = self.folder.path().join(".heads").join(machine);
        self.heads = Arc::new(FileHeads::new(folder));
    }

    /// A project on another database, which holds a copy of this ledger.
    pub(crate) fn copy_to(&self, database: Box<dyn Database>) -> Self {
        // tables can be loaded only into a database that is there
        database.load_ledger(&self.database.save_ledger());
        Self::new(database)
    }

    /// A project with migrations: name and the two scripts of each.
    pub(crate) fn with(database: Box<dyn Database>, migrations: &[(&str, &str, &str)]) -> Self {
        let shop = Self::new(database);
        for (name, up, down) in migrations {
            shop.migration(name, up, down);
        }
        shop
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    pub(crate) fn write_bytes(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    /// Says whether there is nothing at all in the database.
    pub(crate) fn database_is_untouched(&self, kind: &Kind) -> bool {
        self.definitions(kind).is_empty() && self.ask(kind.tables).is_empty()
    }

    /// Writes a migration in the one-file form; without a down script where that is empty.
    pub(crate) fn migration(&self, name: &str, up: &str, down: &str) {
        let down = match down {
            "" => String::new(),
            script => format!("-- DOWN\n{script}\n"),
        };
        self.write(&format!("{name}.sql"), &format!("-- UP\n{up}\n{down}"));
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.folder.path().join(format!("{name}.sql"))).unwrap();
    }

    pub(crate) fn migrator(&self) -> Migrator {
        self.migrator_with(|_| {})
    }

    pub(crate) fn migrator_with(&self, change: impl FnOnce(&mut Settings)) -> Migrator {
        self.migrator_of(DANA, change)
    }

    /// The migrator of another person.
    pub(crate) fn migrator_of(
        &self,
        person: Person,
        change: impl FnOnce(&mut Settings),
    ) -> Migrator {
        let mut settings = Settings::new(self.folder.path().to_owned());
        settings.lease_wait = Duration::from_secs(5);
        settings.lock_timeout = Some(Duration::from_secs(5));
        change(&mut settings);
        let context = Context {
            actor: person.1.to_owned(),
            host: "laptop".to_owned(),
            process: String::new(),
            ci: None,
            tool: "mledger/0.1.0".to_owned(),
            source: Arc::clone(&self.source) as Arc<dyn Source>,
            observer: Arc::clone(&self.warnings) as Arc<dyn Observer>,
            stop: self.stop.clone(),
            heads: Arc::clone(&self.heads),
        };
        Migrator::new(self.database.engine(), settings, context, Arc::new(person))
    }

    /// Makes the ids that follow others than those of a project that has done the same.
    pub(crate) fn skip_an_id(&self) {
        self.source.id();
    }

    pub(crate) async fn up(&self) -> Result<RunReport, Error> {
        self.migrator().up(&Up::default()).await
    }

    pub(crate) async fn down(&self, back: Back) -> Result<RunReport, Error> {
        let down = Down {
            back,
            ticket: None,
            timeout: None,
        };
        self.migrator().down(&down).await
    }

    pub(crate) async fn resolve(&self, version: &str, resolution: Resolution) -> Result<(), Error> {
        let request = Resolve {
            version: version.parse().unwrap(),
            resolution,
            reason: "looked at it".to_owned(),
        };
        self.migrator().resolve(&request).await.map(drop)
    }

    pub(crate) async fn status(&self) -> Status {
        self.migrator().status().await.unwrap()
    }

    /// The state of each version.
    pub(crate) async fn states(&self) -> BTreeMap<String, State> {
        self.status()
            .await
            .migrations
            .into_iter()
            .map(|migration| (migration.version, migration.state))
            .collect()
    }

    pub(crate) async fn state(&self, version: &str) -> Option<State> {
        self.states().await.get(version).copied()
    }

    pub(crate) async fn verify(&self) -> VerifyReport {
        self.migrator().verify(&Verify::default()).await.unwrap()
    }

    /// Asserts that the ledger verifies without a finding that counts.
    #[track_caller]
    pub(crate) fn assert_intact(report: &VerifyReport) {
        let worth_a_look: Vec<_> = report
            .findings
            .iter()
            .filter(|finding| finding.code.as_str() != "first-key-not-trusted")
            .collect();
        assert!(worth_a_look.is_empty(), "{worth_a_look:#?}");
    }

    /// The kinds of all events, in order.
    pub(crate) async fn kinds(&self) -> Vec<String> {
        let mut kinds = Vec::new();
        self.events(|event| kinds.push(event.body.kind().to_owned()))
            .await;
        kinds
    }

    pub(crate) async fn events(&self, mut each: impl FnMut(&Event) + Send) {
        self.migrator()
            .events(&EventFilter::default(), &mut |view| {
                each(&view.event);
                ControlFlow::Continue(())
            })
            .await
            .unwrap();
    }

    /// Says whether the ledger, if there is one yet, knows a start of the version.
    pub(crate) async fn has_started(&self, version: &str) -> bool {
        let mut started = false;
        let read = self
            .migrator()
            .events(&EventFilter::default(), &mut |view| {
                started |= matches!(&view.event.body, Body::MigrationStarted(body) if body.version == version);
                ControlFlow::Continue(())
            })
            .await;
        read.is_ok() && started
    }

    /// Takes the warnings told so far.
    pub(crate) fn warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.0.lock().unwrap())
    }

    pub(crate) fn ask(&self, sql: &str) -> String {
        self.database.ask(sql)
    }

    /// The definitions of the database but ours.
    pub(crate) fn definitions(&self, kind: &Kind) -> String {
        self.ask(kind.definitions)
    }
}

/// The code of an error that must have come.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(
    result: Result<T, Error>,
    code: &str,
    exit_code: u8,
) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.code(), code, "{error:#?}");
    assert_eq!(error.exit_code(), exit_code, "{error:#?}");
    error
}
