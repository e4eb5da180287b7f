//! What is changed: one ledger in a database and in a bundle, and what somebody has kept of it elsewhere.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use mledger::audit;
use mledger::compliance::{Asked, Report};
use mledger::context::{Context, Forgetful, Heads, Observer, Progress, Remembered, Source, Stop};
use mledger::ledger::{Checkpoint, Digest, Head, Severity, Signer as _, SigningKey, Timestamp};
use mledger::migrator::{Keys, Signing};
use mledger::report::VerifyReport;
use mledger::request::{Export, Settings, Verify};
use mledger::{Error, Migrator};
use uuid::Uuid;

use super::changes::as_written;
use crate::attacker::Definitions;
use crate::bundle::{Bundle, Said, theirs};
use crate::records::{Row, rows, unhex};
use crate::support::Project;

/// What a verification is given from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Nothing,
    RememberedHead,
    Checkpoint,
    Id,
    TrustFile,
}

impl Anchor {
    pub(super) const ALL: [Self; 5] = [
        Self::Nothing,
        Self::RememberedHead,
        Self::Checkpoint,
        Self::Id,
        Self::TrustFile,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::RememberedHead => "remembered head",
            Self::Checkpoint => "checkpoint",
            Self::Id => "ledger id",
            Self::TrustFile => "trust file",
        }
    }
}

/// Another ledger that holds together.
pub(super) struct Other {
    pub(super) file: Vec<u8>,
    pub(super) bundle: Bundle,
}

/// A script that ran.
pub(super) struct Object {
    pub(super) digest: Vec<u8>,
    pub(super) bytes: Vec<u8>,
}

pub(super) struct Subject {
    project: Project,
    /// The database with its constraints and guards taken away, and what puts them back.
    weak: Vec<u8>,
    definitions: Definitions,
    pub(super) whole: Bundle,
    pub(super) rows: Vec<Row>,
    pub(super) key: Arc<SigningKey>,
    pub(super) identity: Vec<u8>,
    pub(super) object: Object,
    pub(super) strangers: Other,
    pub(super) owners: Other,
    head: Remembered,
    checkpoint: String,
    trust: String,
    exceptions: BTreeSet<String>,
    runtime: tokio::runtime::Runtime,
}

impl Subject {
    pub(super) fn new() -> Self {
        let project = history(None);
        project.ok(&["export", "--no-record", "bundle"]);
        let whole = Bundle::copy_of(&project.path().join("bundle"));
        let secret = project.path().join(KEY);
        let secret = fs::read_to_string(secret).unwrap();
        let key = Arc::new(SigningKey::from_openssh(&secret, None).unwrap());
        let report = audit::verify(&whole.path(), &Verify::default()).unwrap();
        let id = *report.lineage.last().unwrap();
        let head = HeadOf(&report);
        let checkpoint = head.checkpoint(id).sign(&*key).unwrap().to_string();
        let trust = format!("dana@example.com {}\n", key.public_key().to_openssh());
        let stored =
            project.ask("SELECT hex(digest) FROM mledger_objects ORDER BY size DESC, 1 LIMIT 1");
        let digest = unhex(stored.trim());
        let name = format!("objects/{}", stored.trim().to_lowercase());
        let object = Object {
            bytes: whole.read(&name),
            digest,
        };
        let mut subject = Self {
            rows: rows(&project),
            identity: project
                .ask("SELECT identity FROM mledger_lease")
                .trim()
                .as_bytes()
                .to_vec(),
            definitions: Definitions::of(&*project.place),
            head: head.remembered(),
            strangers: other(None),
            owners: other(Some(&secret)),
            weak: Vec::new(),
            exceptions: BTreeSet::new(),
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            object,
            whole,
            key,
            checkpoint,
            trust,
            project,
        };
        subject.project.ask(&subject.definitions.weaken);
        subject.weak = subject.project.place.save_ledger();
        subject
            .project
            .write("kept/checkpoint", &subject.checkpoint);
        subject.project.write("kept/signers", &subject.trust);
        subject.exceptions = exceptions(&subject.whole);
        subject
    }

    /// The event that is changed where only one is.
    pub(super) fn middle(&self) -> usize {
        self.rows.len() / 2
    }

    /// The log as a bundle has it.
    pub(super) fn written(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.rows.iter().map(as_written).collect()
    }

    /// Changes the database as whoever has the file can, and puts the guards back; says why not.
    pub(super) fn change(&self, sql: &str) -> Result<(), String> {
        self.project.place.load_ledger(&self.weak);
        let mend = &self.definitions.mend;
        let whole = format!(
            "PRAGMA ignore_check_constraints = ON; PRAGMA writable_schema = ON; BEGIN; {sql}; {mend} COMMIT;"
        );
        self.project.place.attempt(&whole).map(drop)
    }

    /// Puts another database in the place of ours.
    pub(super) fn replace(&self, file: &[u8]) {
        self.project.place.load_ledger(file);
    }

    /// What `verify` says of the database.
    pub(super) fn database(&self, anchor: Anchor) -> Answer {
        let heads: Arc<dyn Heads> = match anchor {
            Anchor::RememberedHead => Arc::new(Kept(self.head.clone())),
            _ => Arc::new(Forgetful),
        };
        let verification = self.migrator(heads);
        let request = self.request(anchor);
        match self.runtime.block_on(verification.verify(&request)) {
            Ok(report) => Answer::of(&report),
            Err(error) => Answer::failed(&error),
        }
    }

    /// The exceptions that a report of the database has more than one of the ledger as it was made.
    pub(super) fn exceptions_of_database(&self) -> BTreeSet<String> {
        let migrator = self.migrator(Arc::new(Forgetful));
        let (request, asked) = (Verify::default(), Asked::default());
        match self.runtime.block_on(migrator.report(&request, &asked)) {
            Ok(report) => &kinds(&report) - &self.exceptions,
            Err(_) => BTreeSet::new(),
        }
    }

    /// What comes of an export of the database as it is now.
    pub(super) fn export(&self) -> Result<Bundle, Error> {
        let bundle = Bundle::empty();
        let request = Export {
            path: bundle.path(),
            record: false,
            asked: Asked::default(),
        };
        let migrator = self.migrator(Arc::new(Forgetful));
        self.runtime.block_on(migrator.export(&request))?;
        Ok(bundle)
    }

    /// What both programs say of a bundle, which is the same.
    pub(super) fn bundle(&self, bundle: &Bundle, anchor: Anchor, case: &str) -> Answer {
        let path = bundle.path();
        let request = self.request(anchor);
        let kept = |name: &str| self.project.path().join("kept").join(name);
        let (checkpoint, signers) = (kept("checkpoint"), kept("signers"));
        let id = self.head.lineage[0].to_string();
        let arguments = match anchor {
            Anchor::Nothing | Anchor::RememberedHead => Vec::new(),
            Anchor::Checkpoint => vec!["--checkpoint", checkpoint.to_str().unwrap()],
            Anchor::Id => vec!["--ledger", &id],
            Anchor::TrustFile => vec!["--trust", signers.to_str().unwrap()],
        };
        let (answer, ours) = match audit::verify(&path, &request) {
            Ok(report) => (Answer::of(&report), Said::of(&report)),
            Err(error) => (Answer::failed(&error), Said::failed(&error)),
        };
        let name = anchor.name();
        assert_eq!(
            ours,
            theirs(&path, &arguments),
            "{case}, given {name}: ours and verify.py"
        );
        answer
    }

    /// The exceptions that a report of the bundle has more than one of the bundle as it was packed.
    pub(super) fn exceptions(&self, bundle: &Bundle) -> BTreeSet<String> {
        &exceptions(bundle) - &self.exceptions
    }

    fn request(&self, anchor: Anchor) -> Verify {
        let mut request = Verify::default();
        match anchor {
            Anchor::Nothing | Anchor::RememberedHead => {}
            Anchor::Checkpoint => request.checkpoints.push(self.checkpoint.clone()),
            Anchor::Id => request.ledger = self.head.lineage.first().copied(),
            Anchor::TrustFile => request.trust = Some(self.trust.clone()),
        }
        request
    }

    fn migrator(&self, heads: Arc<dyn Heads>) -> Migrator {
        let context = Context {
            actor: "auditor@example.com".to_owned(),
            host: "laptop".to_owned(),
            process: String::new(),
            ci: None,
            tool: TOOL.to_owned(),
            source: Arc::new(Still),
            observer: Arc::new(Still),
            stop: Stop::default(),
            heads,
        };
        let settings = Settings::new(self.project.path().join("migrations"));
        let keys = Owner(Arc::clone(&self.key));
        Migrator::new(
            self.project.place.engine(),
            settings,
            context,
            Arc::new(keys),
        )
    }
}

const KEY: &str = "home/config/mledger/id_ed25519";
const TOOL: &str = "mledger/0.1.0";

/// Two migrations up and one down, with this key or one of its own.
fn history(key: Option<&str>) -> Project {
    let project = Project::with_effects(2);
    if let Some(key) = key {
        project.write(KEY, key);
        restrict(&project.path().join(KEY));
    }
    project.ok(&["up"]);
    project.ok(&["down"]);
    project
}

/// A key that others can read is refused.
fn restrict(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn other(key: Option<&str>) -> Other {
    let project = history(key);
    project.ok(&["export", "--no-record", "bundle"]);
    Other {
        bundle: Bundle::copy_of(&project.path().join("bundle")),
        file: project.place.save_ledger(),
    }
}

fn exceptions(bundle: &Bundle) -> BTreeSet<String> {
    let asked = Asked::default();
    audit::report(&bundle.path(), &Verify::default(), &asked, TOOL)
        .map_or_else(|_| BTreeSet::new(), |report| kinds(&report))
}

fn kinds(report: &Report) -> BTreeSet<String> {
    let found = report.exceptions.iter();
    found.map(|one| one.kind.as_str().to_owned()).collect()
}

/// What was said, as it stands in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) exit: u8,
    pub(super) words: String,
}

impl Answer {
    fn of(report: &VerifyReport) -> Self {
        let errors: BTreeSet<&str> = report
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| finding.code.as_str())
            .collect();
        if errors.is_empty() {
            let trusted = if report.trusted {
                "first key known"
            } else {
                "first key on trust"
            };
            return Self {
                exit: 0,
                words: format!("intact: {}, {trusted}", report.anchored_to.as_str()),
            };
        }
        let errors: Vec<&str> = errors.into_iter().collect();
        Self {
            exit: 4,
            words: errors.join(" "),
        }
    }

    pub(super) fn failed(error: &Error) -> Self {
        Self {
            exit: error.exit_code(),
            words: error.code().to_owned(),
        }
    }
}

struct HeadOf<'a>(&'a VerifyReport);

impl HeadOf<'_> {
    fn checkpoint(&self, ledger: Digest) -> Checkpoint {
        Checkpoint {
            ledger,
            size: self.0.size,
            root: self.0.root,
        }
    }

    fn remembered(&self) -> Remembered {
        Remembered {
            lineage: self.0.lineage.clone(),
            head: Head {
                size: self.0.size,
                hash: self.0.head,
            },
            root: self.0.root,
        }
    }
}

/// A machine that has seen the ledger as it was.
struct Kept(Remembered);

impl Heads for Kept {
    fn recall(&self, _: &str) -> Result<Option<Remembered>, String> {
        Ok(Some(self.0.clone()))
    }

    fn remember(&self, _: &str, _: &Remembered) -> Result<(), String> {
        Ok(())
    }

    fn forget(&self, _: &str) -> Result<(), String> {
        Ok(())
    }
}

/// A clock that stands still, and nobody who watches.
struct Still;

impl Source for Still {
    fn now(&self) -> Timestamp {
        "2026-11-20T20:00:00.000000Z".parse().unwrap()
    }

    fn id(&self) -> Uuid {
        Uuid::from_u128(0x0193_a000_0000_7000_8000_0000_0000_0000)
    }

    fn nonce(&self) -> Digest {
        Digest::ZERO
    }

    fn ticks_ms(&self) -> u64 {
        0
    }
}

impl Observer for Still {
    fn observe(&self, _: &Progress<'_>) {}
}

struct Owner(Arc<SigningKey>);

impl Keys for Owner {
    fn signer(&self, _: bool) -> Result<Signing, Error> {
        Ok(Signing {
            signer: Arc::clone(&self.0) as _,
            name: "dana@example.com".to_owned(),
        })
    }
}
