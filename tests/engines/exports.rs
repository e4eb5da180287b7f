//! Checkpoints and exports: what they cover, who may make them, and that they hold without a database.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

use mledger::Migrator;
use mledger::audit;
use mledger::compliance::{Asked, csv};
use mledger::ledger::verify::Anchor;
use mledger::ledger::{Body, Code, Digest, Role, Severity};
use mledger::report::VerifyReport;
use mledger::request::{Authorize, Export, Tag, Up, Verify};

use crate::place::on_every_engine;
use crate::shop::{DANA, Person, Shop, TWO, refused};

const AUDITOR: Person = Person(8, "ada");
const OPERATOR: Person = Person(9, "ops");

fn of(shop: &Shop, person: Person) -> Migrator {
    shop.migrator_of(person, |_| {})
}

async fn with_people(shop: &Shop) {
    shop.migrator().up(&Up::default()).await.unwrap();
    for (person, role) in [(AUDITOR, Role::Auditor), (OPERATOR, Role::Operator)] {
        let request = Authorize {
            proof: of(shop, person).prove_key(None).await.unwrap(),
            name: person.1.to_owned(),
            roles: vec![role],
        };
        of(shop, DANA).authorize_key(&request).await.unwrap();
    }
}

fn to(path: &Path) -> Export {
    Export {
        path: path.to_owned(),
        record: true,
        asked: Asked::default(),
    }
}

fn up_to(release: &str) -> Asked {
    Asked {
        to: Some(release.to_owned()),
        ..Asked::default()
    }
}

fn after(release: &str) -> Asked {
    Asked {
        from: Some(release.to_owned()),
        ..Asked::default()
    }
}

fn errors(report: &VerifyReport) -> Vec<Code> {
    let errors = report.findings.iter();
    errors
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| finding.code)
        .collect()
}

#[tokio::test]
async fn an_export_holds_without_the_database_it_came_from() {
    on_every_engine(async |_, database| {
        let shop = Shop::with(database, &TWO);
        with_people(&shop).await;
        let tag = Tag {
            release: "1.0.0".parse().unwrap(),
            at: None,
            message: None,
        };
        of(&shop, DANA).tag(&tag).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bundle");
        let mut unknown = to(&path);
        unknown.asked.to = Some("2.0.0".to_owned());
        let unknown = of(&shop, AUDITOR).export(&unknown).await;
        refused(unknown, "release-unknown", 2);
        let exported = of(&shop, AUDITOR).export(&to(&path)).await.unwrap();

        let report = audit::verify(&path, &Verify::default()).unwrap();
        assert_eq!(errors(&report), []);
        assert_eq!(
            (report.size, report.root, report.head),
            (exported.size, exported.root, exported.head)
        );
        assert_eq!(
            report.anchored_to,
            Anchor::Nothing,
            "its own checkpoint is checked and anchors nothing"
        );
        assert!(!report.trusted);
        let with_id = Verify {
            ledger: Some(exported.ledger),
            ..Verify::default()
        };
        assert!(audit::verify(&path, &with_id).unwrap().trusted);

        // the report in it is the one that the bundle gives offline, but for what each has verified
        let report = audit::report(&path, &Verify::default(), &Asked::default(), "x").unwrap();
        assert_eq!(report.changes.len(), 2);
        let approvals: Vec<usize> = report
            .changes
            .iter()
            .map(|one| one.approvals.len())
            .collect();
        assert_eq!(approvals, [0, 0]);
        assert_eq!(report.changes[1].name, "orders");
        assert_eq!(
            report.changes[1].scripts.agree,
            Some(true),
            "its plan is in there"
        );
        for (name, text) in csv::files(&report) {
            let written = fs::read_to_string(path.join("reports").join(name)).unwrap();
            assert_eq!(written, text, "{name}");
        }
        for (asked, changes) in [(up_to("1.0.0"), 2), (after("1.0.0"), 0)] {
            let report = audit::report(&path, &Verify::default(), &asked, "x").unwrap();
            assert_eq!(report.changes.len(), changes, "{asked:?}");
        }
        let json = fs::read(path.join("reports/report.json")).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(
            json["verification"]["checked"]["signatures"],
            report.subject.events
        );
        assert_eq!(json["ok"], true);

        let manifest = fs::read(path.join("MANIFEST.sha256")).unwrap();
        let mut recorded = None;
        shop.events(|event| {
            if let Body::HistoryExported(body) = &event.body {
                recorded = Some((event.seq, body.clone()));
            }
        })
        .await;
        let (seq, body) = recorded.unwrap();
        assert_eq!(Some(seq), exported.recorded);
        assert_eq!(seq, exported.size, "it stands right behind what it covers");
        assert_eq!(
            (body.manifest, body.root, body.size),
            (Digest::of(&manifest), exported.root, exported.size)
        );

        // the next one holds the event, and the checkpoint of the first one anchors it
        let archive = folder.path().join("next.tar.zst");
        let next = of(&shop, AUDITOR).export(&to(&archive)).await.unwrap();
        assert_eq!(next.size, exported.size + 1);
        let request = Verify {
            checkpoints: vec![fs::read_to_string(path.join("checkpoint")).unwrap()],
            ..Verify::default()
        };
        let report = audit::verify(&archive, &request).unwrap();
        assert_eq!(errors(&report), []);
        assert_eq!(
            (report.anchored_to, report.anchored_size),
            (Anchor::Checkpoint, exported.size)
        );
        let older = Verify {
            checkpoints: vec![of(&shop, OPERATOR).checkpoint().await.unwrap().note],
            ..Verify::default()
        };
        assert_eq!(
            errors(&audit::verify(&path, &older).unwrap()),
            [Code::Truncated]
        );
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 2, "nothing temporary remains: {left:?}");
    })
    .await;
}

#[tokio::test]
async fn only_auditors_export_and_nothing_is_replaced() {
    on_every_engine(async |_, database| {
        let shop = Shop::with(database, &TWO);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bundle");
        let nothing = of(&shop, DANA).export(&to(&path)).await;
        refused(nothing, "ledger-missing", 2);
        with_people(&shop).await;
        let before = shop.status().await.ledger.unwrap().size;

        let operator = of(&shop, OPERATOR).export(&to(&path)).await;
        refused(operator, "key-not-authorised", 3);
        let stranger = of(&shop, Person(99, "eve")).checkpoint().await;
        refused(stranger, "key-not-authorised", 3);

        fs::write(&path, "mine").unwrap();
        let taken = of(&shop, AUDITOR).export(&to(&path)).await;
        refused(taken, "export-exists", 3);
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        fs::remove_file(&path).unwrap();
        let nowhere = to(&folder.path().join("no/such/folder"));
        let nowhere = of(&shop, AUDITOR).export(&nowhere).await;
        refused(nowhere, "file-not-written", 2);

        let silent = Export {
            path: path.clone(),
            record: false,
            asked: Asked::default(),
        };
        let exported = of(&shop, AUDITOR).export(&silent).await.unwrap();
        assert_eq!(exported.recorded, None);
        assert_eq!(
            shop.status().await.ledger.unwrap().size,
            before,
            "nothing of all this was recorded"
        );
        assert_eq!(
            errors(&audit::verify(&path, &Verify::default()).unwrap()),
            []
        );
    })
    .await;
}
