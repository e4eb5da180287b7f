//! Copies, moves and restores from outside: refused until somebody says what they are, explained after.
#![expect(clippy::unwrap_used, reason = "tests")]

use mledger::ledger::{Anchor, Body, Code, Role, Severity};
use mledger::report::VerifyReport;
use mledger::request::{Authorize, Fork, Move, Rewind, Settings, Up, Verify};
use mledger::{Migrator, checkpoints};

use crate::place::{Kind, on_every_engine};
use crate::shop::{DANA, Person, Shop, refused};
use crate::support::engines::Wire;

const LEE: Person = Person(8, "lee@example.com");

const A: (&str, &str, &str) = ("1_a", "CREATE TABLE a (id INTEGER);", "DROP TABLE a;");
const B: (&str, &str, &str) = ("2_b", "CREATE TABLE b (id INTEGER);", "DROP TABLE b;");

fn of(shop: &Shop, person: Person, environment: &str) -> Migrator {
    shop.migrator_of(person, |settings: &mut Settings| {
        settings.environment = Some(environment.to_owned());
        settings.backup.before_run = Some(false);
    })
}

fn fork(confirmed: Option<&str>) -> Fork {
    Fork {
        reason: "refreshed".to_owned(),
        new_key: false,
        confirmed: confirmed.map(str::to_owned),
    }
}

fn rewind(checkpoints: &[&str]) -> Rewind {
    Rewind {
        reason: "restored the dump of Monday".to_owned(),
        checkpoints: checkpoints.iter().map(|text| (*text).to_owned()).collect(),
        confirmed: None,
    }
}

fn moved() -> Move {
    Move {
        reason: "failover".to_owned(),
        confirmed: None,
    }
}

/// Every finding but that the first key is taken on trust.
fn codes(report: &VerifyReport) -> Vec<Code> {
    let mut codes: Vec<Code> = report.findings.iter().map(|found| found.code).collect();
    codes.retain(|code| !matches!(code, Code::FirstKeyNotTrusted | Code::SchemaDrift));
    codes
}

/// Says whether a database of this kind knows by itself that it is a copy.
fn knows_copies(kind: &Kind) -> bool {
    kind.name == "postgres"
}

/// The name of a database, by which a ledger speaks of it.
fn name(shop: &Shop) -> String {
    let url = shop.database.url();
    url.rsplit('/').next().unwrap_or(&url).to_owned()
}

/// Inserts the events of one database from a place on into another one, as its guards permit.
fn replay(kind: &Kind, from: &Shop, to: &Shop, seq: u64) {
    for row in from.ask(kind.store.rows).lines() {
        let mut values = row.split('|');
        let place = values.next().unwrap();
        if place.parse::<u64>().unwrap() < seq {
            continue;
        }
        let bytes: Vec<String> = values
            .map(|value| match kind.wire {
                Some(Wire::Letters) => format!("decode('{value}', 'hex')"),
                _ => format!("X'{value}'"),
            })
            .collect();
        let (events, bytes) = (kind.store.events, bytes.join(", "));
        to.database
            .run(&format!(
                "INSERT INTO {events} (seq, line, signature, prev, hash) VALUES ({place}, {bytes});"
            ))
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_writes_nothing_until_it_is_a_fork_and_its_events_stay_out_of_the_original() {
    on_every_engine(async |kind, database| {
        let engine = kind.name;
        let mut shop = Shop::with(database, &[A]);
        shop.at("here");
        let reason = Some("the shop goes live".to_owned());
        of(&shop, DANA, "production").init(reason).await.unwrap();
        let original = shop.status().await.ledger.unwrap();
        let mut copy = shop.copy_to(kind.fresh());
        copy.at("here");
        copy.migration(B.0, B.1, B.2);
        let staging = of(&copy, DANA, "staging");
        let error = refused(staging.up(&Up::default()).await, "environment-mismatch", 4);
        assert!(format!("{error:?}").contains("mledger fork --env staging"));
        let backup = staging.create_backup(None).await;
        refused(backup, "environment-mismatch", 4);
        if knows_copies(kind) {
            let same = of(&copy, DANA, "production");
            let error = refused(same.up(&Up::default()).await, "identity-mismatch", 4);
            let said = format!("{error:?}");
            assert!(said.contains("mledger fork") && said.contains("mledger move"));
            let key = Authorize {
                proof: of(&copy, LEE, "production").prove_key(None).await.unwrap(),
                name: "lee".to_owned(),
                roles: vec![Role::Owner],
            };
            refused(same.authorize_key(&key).await, "identity-mismatch", 4);
        } else {
            // what cannot be told from the original is confirmed by the original's name
            refused(staging.fork(&fork(None)).await, "confirmation-required", 3);
            let other = staging.fork(&fork(Some("staging"))).await;
            refused(other, "confirmation-differs", 3);
        }
        let request = fork((!knows_copies(kind)).then_some("production"));
        let stranger = of(&copy, LEE, "staging").fork(&request).await;
        refused(stranger, "key-not-authorised", 3);
        let unnamed = copy.migrator().fork(&request).await;
        refused(unnamed, "environment-not-stated", 3);

        let forked = staging.fork(&request).await.unwrap();
        assert_eq!(forked.lineage[0], original.id, "{engine}");
        assert_eq!(forked.lineage.len(), 2, "{engine}");
        assert_eq!(
            (forked.seq, &*forked.environment),
            (original.size, "staging")
        );
        assert_eq!(staging.up(&Up::default()).await.unwrap().applied, 1);
        let report = staging.verify(&Verify::default()).await.unwrap();
        assert_eq!(codes(&report), [], "{engine}: {:?}", report.findings);
        assert_eq!(report.lineage, forked.lineage, "{engine}");
        assert_eq!(report.anchored_to, Anchor::RememberedHead, "{engine}");
        let by_first_id = Verify {
            ledger: Some(original.id),
            ..Verify::default()
        };
        let report = staging.verify(&by_first_id).await.unwrap();
        assert_eq!(codes(&report), [Code::LedgerMismatch], "{engine}");

        // each event of the copy follows the last one of the original, and is none of it all the same
        replay(kind, &copy, &shop, original.size);
        let production = of(&shop, DANA, "production");
        let report = production.verify(&Verify::default()).await.unwrap();
        assert!(codes(&report).contains(&Code::LedgerMismatch), "{engine}");
        refused(production.up(&Up::default()).await, "ledger-mismatch", 4);
        shop.at("a machine that knows nothing");
        let staging = of(&shop, DANA, "staging");
        refused(staging.up(&Up::default()).await, "identity-mismatch", 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_ledger_is_rewound_and_only_what_that_names_is_excused() {
    on_every_engine(async |kind, database| {
        let engine = kind.name;
        let mut shop = Shop::new(database);
        shop.at("here");
        let dana = shop.migrator();
        dana.init(None).await.unwrap();
        refused(dana.rewind(&rewind(&[])).await, "nothing-lost", 2);
        let saved = shop.database.save_ledger();
        let mut checkpoints = Vec::new();
        for person in [LEE, Person(9, "sam"), Person(10, "kim")] {
            let theirs = shop.migrator_of(person, |_| {});
            let request = Authorize {
                proof: theirs.prove_key(None).await.unwrap(),
                name: person.1.to_owned(),
                roles: vec![Role::Auditor],
            };
            dana.authorize_key(&request).await.unwrap();
            checkpoints.push(dana.checkpoint().await.unwrap().note);
        }
        let (unnamed, kept) = (&*checkpoints[0], &*checkpoints[1]);
        shop.database.load_ledger(&saved);
        for _ in 0..2 {
            let error = refused(dana.status().await, "truncated", 4);
            assert!(format!("{error:?}").contains("mledger rewind"), "{engine}");
        }
        let stranger = shop.migrator_of(LEE, |_| {}).rewind(&rewind(&[])).await;
        refused(stranger, "key-not-authorised", 3);
        let another = kept.replace("\n3\n", "\n5\n");
        let forged = dana.rewind(&rewind(&[&another])).await;
        refused(forged, "checkpoint-invalid", 4);

        let rewound = dana.rewind(&rewind(&[kept])).await.unwrap();
        let sizes: Vec<u64> = rewound.lost.iter().map(|head| head.size).collect();
        assert_eq!((sizes, rewound.seq), (vec![3, 4], 1), "{engine}");
        refused(dana.rewind(&rewind(&[kept])).await, "nothing-lost", 2);
        shop.migration(A.0, A.1, A.2);
        assert_eq!(shop.up().await.unwrap().applied, 1, "{engine}");
        let with = |text: &str| Verify {
            checkpoints: vec![text.to_owned()],
            ..Verify::default()
        };
        let report = dana.verify(&with(kept)).await.unwrap();
        let excused = [Code::HistoryRewound, Code::HistoryRewound];
        assert_eq!(codes(&report), excused, "{engine}: {:?}", report.findings);
        assert_eq!(report.anchored_to, Anchor::RememberedHead, "{engine}");
        let report = dana.verify(&with(unnamed)).await.unwrap();
        let errors: Vec<Code> = report
            .findings
            .iter()
            .filter(|found| found.severity == Severity::Error)
            .map(|found| found.code)
            .collect();
        assert_eq!(
            errors,
            [Code::CheckpointInvalid],
            "{engine}: it was not named"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_machine_takes_a_rewind_of_what_it_remembers_and_refuses_a_fork() {
    on_every_engine(async |kind, database| {
        let engine = kind.name;
        let mut shop = Shop::new(database);
        shop.at("here");
        of(&shop, DANA, "staging").init(None).await.unwrap();
        let saved = shop.database.save_ledger();
        shop.migration(A.0, A.1, A.2);
        let folder = tempfile::tempdir().unwrap();
        let keeping = |shop: &Shop| {
            shop.migrator_with(|settings| {
                settings.checkpoints = Some(checkpoints::Settings {
                    folder: folder.path().to_owned(),
                    in_development: true,
                });
            })
        };
        let run = keeping(&shop).up(&Up::default()).await.unwrap();
        assert_eq!(run.applied, 1, "{engine}");
        shop.at("there");
        shop.status().await;
        shop.database.load_ledger(&saved);
        shop.database.run("DROP TABLE IF EXISTS a;").unwrap();
        // who remembers nothing has the checkpoint that is kept beside the migrations
        shop.at("a pipeline");
        refused(keeping(&shop).status().await, "truncated", 4);
        keeping(&shop).rewind(&rewind(&[])).await.unwrap();
        keeping(&shop).status().await.unwrap();
        assert_eq!(shop.warnings(), Vec::<String>::new(), "{engine}");
        shop.at("there");
        shop.status().await;
        let told = shop.warnings().join(" ");
        assert!(told.contains("was rewound"), "{engine}: {told}");
        shop.status().await;
        assert_eq!(shop.warnings(), Vec::<String>::new(), "{engine}: told once");

        shop.at("here");
        let request = Fork {
            new_key: true,
            ..fork(None)
        };
        let stranger = of(&shop, LEE, "staging");
        let forked = stranger.fork(&request).await.unwrap();
        assert_eq!(forked.lineage.len(), 3, "{engine}");
        refused(shop.up().await, "key-not-authorised", 3);
        assert_eq!(stranger.up(&Up::default()).await.unwrap().applied, 1);
        let report = stranger.verify(&Verify::default()).await.unwrap();
        let mut strangers = report.findings.iter();
        assert!(
            strangers.any(
                |found| found.code == Code::FirstKeyNotTrusted && found.seq == Some(forked.seq)
            ),
            "{engine}: {:?}",
            report.findings
        );
        shop.at("there");
        refused(shop.migrator().status().await, "ledger-mismatch", 4);
        let reason = Some("staging is a fork now".to_owned());
        assert!(!shop.migrator().init(reason).await.unwrap().created);
        shop.status().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moved_ledger_keeps_its_id() {
    on_every_engine(async |kind, database| {
        let engine = kind.name;
        let shop = Shop::with(database, &[A]);
        shop.up().await.unwrap();
        let nothing = shop.migrator().move_here(&moved()).await;
        refused(nothing, "nothing-moved", 2);
        let copy = shop.copy_to(kind.fresh());
        for (name, up, down) in [A, B] {
            copy.migration(name, up, down);
        }
        let told_apart = name(&copy) != name(&shop);
        if told_apart && !knows_copies(kind) {
            assert_eq!(copy.up().await.unwrap().applied, 1, "{engine}");
            let told = copy.warnings().join(" ");
            assert!(told.contains("mledger fork") && told.contains("mledger move"));
        }
        if told_apart {
            let decided = copy.migrator().move_here(&moved()).await.unwrap();
            let id = shop.status().await.ledger.unwrap().id;
            assert_eq!(
                (decided.ledger, decided.lineage),
                (id, vec![id]),
                "{engine}"
            );
        }
        let again = copy.migrator().move_here(&moved()).await;
        refused(again, "nothing-moved", 2);
        copy.up().await.unwrap();
        assert_eq!(copy.warnings(), Vec::<String>::new(), "{engine}");
        let report = copy.verify().await;
        assert_eq!(codes(&report), [], "{engine}: {:?}", report.findings);
        let mut names = Vec::new();
        copy.events(|event| {
            if let Body::LedgerMoved(body) = &event.body {
                names.push(body.database.name.clone());
            }
        })
        .await;
        let expected: Vec<String> = told_apart.then(|| name(&copy)).into_iter().collect();
        assert_eq!(names, expected, "{engine}");
    })
    .await;
}
