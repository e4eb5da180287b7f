//! A change in production as its people see it, from the plan to the day after.
//!
//! It is planned, refused, approved, and applied behind a backup; it turns out wrong, is rolled back, and
//! what no script could bring back comes from the backup. What the log says of all this is the test.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use mledger::backup::encryption::Cipher;
use mledger::compliance::{self, Asked, Report};
use mledger::ledger::{Outcome, Role};
use mledger::policy::{Check, Checks, Probe, Rules};
use mledger::report::State;
use mledger::request::{Approve, Authorize, Export, Settings, Up, Verify};
use mledger::{Error, Migrator};

use crate::place::{Kind, on_every_engine};
use crate::shop::{DANA, Person, Shop, refused};
use crate::support::bare;

const LEE: Person = Person(8, "lee");
const OPS: Person = Person(9, "ops");

const KEY: &str = "5f6c0e2b9a7d4c318e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f";

const USERS: (&str, &str, &str) = (
    "1_users",
    "CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(20));",
    "DROP TABLE users;",
);

/// No script brings back what this one overwrites.
const SHORTEN: (&str, &str, &str) = (
    "2_shorten",
    "UPDATE users SET name = 'x';",
    "UPDATE users SET name = 'y';",
);

/// What the log says, one event a line; `!` stands before what failed or was denied.
const STORY: &str = "\
dana@example.com ledger.created
dana@example.com note.added
dana@example.com key.added
dana@example.com key.added
lee approval.granted
ops backup.taken
ops lock.acquired
ops run.started
ops validation.finished
ops migration.started
ops migration.applied
ops check.finished
ops run.finished
ops lock.released
ops ! run.refused
lee approval.granted
ops backup.taken
ops lock.acquired
ops run.started
ops validation.finished
ops migration.started
ops migration.applied
ops ! check.finished
ops migration.started
ops migration.rolled_back
ops ! run.finished
ops lock.released
ops backup.taken
ops lock.acquired
ops run.started
ops backup.restored
ops run.finished
ops lock.released
ops ! run.refused
ops backup.accepted
ops backup.taken
ops lock.acquired
ops run.started
ops validation.finished
ops migration.started
ops migration.applied
ops check.finished
ops run.finished
ops lock.released
";

/// A shop in production: its rules, its backups, and the sign that its check looks for.
struct Production {
    shop: Shop,
    folder: tempfile::TempDir,
}

impl Production {
    fn new(shop: Shop) -> Self {
        Self {
            shop,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn sign(&self) -> PathBuf {
        self.folder.path().join("the-shop-answers")
    }

    /// What everybody's configuration says.
    fn settings(&self) -> impl FnOnce(&mut Settings) + use<> {
        let folder = self.folder.path().join("backups");
        let looks = ["test", "-e", self.sign().to_str().unwrap()].map(str::to_owned);
        move |settings| {
            let mut rules = Rules::cautious("production");
            rules.auto_rollback = true;
            rules.checks = Checks {
                before: Vec::new(),
                after: vec![Check {
                    name: "shop".to_owned(),
                    probe: Probe::Command(looks.into()),
                    timeout: Duration::from_secs(10),
                }],
            };
            settings.environment = Some("production".to_owned());
            settings.rules.insert("production".to_owned(), rules);
            settings.backup.folder = folder;
            settings.backup.cipher = Cipher::new(&[], Some(KEY)).unwrap();
            settings.backup.variables = vec![("PATH".into(), std::env::var_os("PATH").unwrap())];
        }
    }

    fn of(&self, person: Person) -> Migrator {
        self.shop.migrator_of(person, self.settings())
    }

    /// Opens the ledger, and lets an approver and an operator in.
    async fn with_people(&self) {
        let reason = Some("the shop goes live".to_owned());
        self.of(DANA).init(reason).await.unwrap();
        for (person, role) in [(LEE, Role::Approver), (OPS, Role::Operator)] {
            let request = Authorize {
                proof: self.of(person).prove_key(None).await.unwrap(),
                name: person.1.to_owned(),
                roles: vec![role],
            };
            self.of(DANA).authorize_key(&request).await.unwrap();
        }
    }

    async fn approve(&self) {
        let planned = self.of(OPS).plan_up(&Up::default()).await.unwrap();
        assert!(planned.backup, "the plan says that a backup is taken first");
        let approval = Approve {
            plan: planned.plan,
            object: Some(planned.object),
            comment: Some("read with the team".to_owned()),
            lasts: None,
        };
        self.of(LEE).approve(&approval).await.unwrap();
    }

    async fn up(&self) -> Result<u64, Error> {
        let report = self.of(OPS).up(&Up::default()).await?;
        assert!(report.backup.is_some());
        Ok(report.applied)
    }

    fn names(&self) -> String {
        self.shop.ask("SELECT name FROM users ORDER BY id")
    }

    /// The log, but for the single statements, which differ between databases.
    async fn told(&self) -> String {
        let mut told = String::new();
        self.shop
            .events(|event| {
                let kind = event.body.kind();
                if kind == "migration.step_applied" {
                    return;
                }
                let mark = if event.outcome == Outcome::Success {
                    ""
                } else {
                    "! "
                };
                told += &format!("{} {mark}{kind}\n", event.actor);
            })
            .await;
        told
    }
}

/// What an auditor reads of all this.
const TOLD: [&str; 6] = [
    "| **rolled-back** | rolled back | 1 |",
    "| **check-failed** | a check did not hold | 1 |",
    "| **refused** | refused before it began | 2 |",
    "| **restored** | the database was restored from a backup | 1 |",
    "| lee | approver | 0 | 4 | 0 | 0 | 0 | - | no |",
    "| ops | operator | 0 | 0 | 4 | 0 | 0 | - | no |",
];

fn assert_report(report: &Report, kind: &Kind) {
    let sorts = report.population.exceptions.len();
    assert_eq!(sorts, 4, "{}: {:?}", kind.name, report.exceptions);
    for change in &report.changes {
        let approvers: Vec<&str> = change.approvals.iter().map(|one| one.by.as_str()).collect();
        assert_eq!((approvers, change.ran.by.as_str()), (vec!["lee"], "ops"));
        assert_eq!(change.scripts.agree, Some(true), "{}", change.version);
    }
    let page = compliance::markdown(report);
    for line in TOLD {
        let told = page.lines().any(|found| found == line);
        assert!(told, "{}: `{line}` in\n{page}", kind.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_in_production_goes_wrong_and_is_put_right() {
    on_every_engine(async |kind, database| {
        let production = Production::new(Shop::with(database, &[USERS]));
        let shop = &production.shop;
        production.with_people().await;
        fs::write(production.sign(), "").unwrap();
        production.approve().await;
        assert_eq!(production.up().await.unwrap(), 1);
        shop.ask("INSERT INTO users VALUES (1, 'ann'), (2, 'bob')");

        // planned, refused, approved by somebody else
        shop.migration(SHORTEN.0, SHORTEN.1, SHORTEN.2);
        refused(production.up().await, "approval-missing", 3);
        production.approve().await;

        // applied behind a backup; the shop does not answer any more, and what was done is undone
        fs::remove_file(production.sign()).unwrap();
        let failed = refused(production.up().await, "check-failed", 1);
        let done = failed.done().unwrap();
        assert_eq!((done.applied, done.rolled_back), (1, 1));
        assert_eq!(shop.state("2").await, Some(State::RolledBack));
        assert_eq!(production.names(), "y\ny\n", "a script forgets");

        // what no script brings back comes from the backup; a person has to look before anything runs
        let backups = production.of(OPS).backups().await.unwrap();
        let before = backups.last().unwrap().id.to_string();
        let restored = production.of(OPS).restore_backup(&before).await.unwrap();
        assert_eq!(restored.safety_backup.name, "before-restore");
        assert_eq!(production.names(), "ann\nbob\n", "{}", kind.name);
        assert_eq!(shop.state("2").await, Some(State::Pending));
        refused(production.up().await, "restore-not-accepted", 7);
        let operator = production.of(OPS);
        operator
            .accept_backup(&before, "all names are there")
            .await
            .unwrap();

        // the approval was given before the backup was taken, and no run has used it up
        fs::write(production.sign(), "").unwrap();
        assert_eq!(production.up().await.unwrap(), 1);
        let approvals = production.of(OPS).approvals().await.unwrap();
        assert!(approvals.iter().all(|approval| approval.state == "spent"));
        assert_eq!(production.told().await, STORY, "{}", kind.name);
        Shop::assert_intact(&shop.verify().await);
        let asked = Asked::default();
        let report = production.of(OPS).report(&Verify::default(), &asked).await;
        assert_report(&report.unwrap(), kind);

        // what the auditor takes home is checked where there is nothing of ours
        let bundle = production.folder.path().join("bundle");
        let request = Export {
            path: bundle.clone(),
            record: true,
            asked,
        };
        production.of(DANA).export(&request).await.unwrap();
        bare::assert_checks(&bundle);
    })
    .await;
}
