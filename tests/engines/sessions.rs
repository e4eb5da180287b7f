//! What scripts do to the transaction and the session they run in, and what of it the next one meets.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use mledger::ledger::{Code, Finding};
use mledger::report::State;
use mledger::request::{Back, Resolution, Up};

use crate::place::on_every_engine;
use crate::shop::{Shop, refused};

/// F25
#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_wraps_itself_in_a_transaction_runs_in_ours() {
    on_every_engine(async |kind, database| {
        let shop = Shop::new(database);
        for (number, (begin, commit)) in kind.wrappings.iter().enumerate() {
            let number = number + 1;
            shop.migration(
                &format!("{number}_wrapped"),
                &format!("{begin}\nCREATE TABLE a{number} (id INTEGER);\n{commit}"),
                &format!("{begin}\nDROP TABLE a{number};\n{commit}"),
            );
        }
        let plan = shop.migrator().plan_up(&Up::default()).await.unwrap();
        assert!(plan.steps.iter().all(|step| step.own_transaction));
        assert_eq!(shop.up().await.unwrap().applied, 4);
        // its failure is undone as any other
        shop.migration(
            "5_wrong",
            "BEGIN;\nCREATE TABLE wrong (id INTEGER);\nINSERT INTO nowhere VALUES (1);\nCOMMIT;",
            "",
        );
        refused(shop.up().await, "migration-failed", 1);
        if kind.transactional {
            assert!(!shop.definitions(kind).contains("wrong"));
            shop.remove("5_wrong");
        } else {
            // a schema change commits what its transaction has done, and itself
            assert_eq!(shop.state("5").await, Some(State::Partial));
            shop.database.run("DROP TABLE wrong").unwrap();
            shop.resolve("5", Resolution::NotApplied).await.unwrap();
            shop.remove("5_wrong");
        }
        shop.down(Back::All).await.unwrap();
        assert_eq!(shop.definitions(kind), "");
        let report = shop.verify().await;
        if kind.transactional {
            Shop::assert_intact(&report);
        } else {
            let found = |finding: &Finding| finding.code == Code::SchemaDrift;
            assert!(
                report.findings.iter().any(found),
                "done by hand: {report:#?}"
            );
        }
    })
    .await;
}

/// F25, F26
#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_ends_the_transaction_elsewhere_is_refused_before_it_runs() {
    on_every_engine(async |kind, database| {
        let shop = Shop::new(database);
        shop.migration("1_one", "CREATE TABLE one (id INTEGER);", "DROP TABLE one;");
        for (script, line) in [
            (
                "CREATE TABLE a (id INTEGER);\nCOMMIT;\nCREATE TABLE b (id INTEGER);",
                3,
            ),
            ("CREATE TABLE a (id INTEGER);\nROLLBACK;", 3),
            (
                "BEGIN;\nCREATE TABLE a (id INTEGER);\nCOMMIT;\nCREATE TABLE b (id INTEGER);",
                4,
            ),
            ("BEGIN;\nCREATE TABLE a (id INTEGER);", 2),
            ("CREATE TABLE a (id INTEGER);\n/* x */ eNd /* y */;", 3),
            (
                "CREATE TABLE a (id INTEGER);\nEND TRANSACTION;\nSELECT 1;",
                3,
            ),
            ("COMMIT;", 2),
            ("BEGIN;\nCREATE TABLE a (id INTEGER);\nROLLBACK;", 4),
            (
                "SAVEPOINT s;\nCREATE TABLE a (id INTEGER);\nROLLBACK TO s;\nRELEASE s;",
                2,
            ),
        ] {
            if script.to_ascii_uppercase().contains("END") && !kind.end_commits {
                continue;
            }
            shop.migration("2_control", script, "");
            let error = refused(shop.up().await, "transaction-control", 3);
            let said = format!("{error:?}");
            assert!(
                said.contains(&format!("line {line}")) || said.contains(&format!(":{line}")),
                "{script}: expected line {line}: {said}"
            );
            assert_eq!(
                shop.definitions(kind),
                "",
                "{script}: nothing ran, not even what is fine"
            );
        }
        // as text and as a body it ends nothing
        shop.migration("2_control", kind.words_in_bodies, "");
        shop.up().await.unwrap();
        assert_eq!(shop.ask("SELECT id, note FROM a"), "2|COMMIT; END;\n");
        Shop::assert_intact(&shop.verify().await);
    })
    .await;
}

/// F27, F28
#[tokio::test(flavor = "multi_thread")]
async fn what_a_script_does_to_its_session_does_not_reach_the_next_one() {
    on_every_engine(async |kind, _| {
        for leak in kind.leaks {
            // in one run, where the next script could inherit the session
            let shop = Shop::new(kind.fresh());
            shop.migration("1_leak", leak.script, "");
            shop.migration("2_later", leak.later, "");
            let report = shop
                .up()
                .await
                .unwrap_or_else(|error| unreachable!("{}: {error:?}", leak.name));
            assert_eq!(report.applied, 2, "{}", leak.name);
            Shop::assert_intact(&shop.verify().await);
        }
    })
    .await;
}

/// F27, F28
#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_script_did_to_its_session_does_not_hurt_the_ledger() {
    on_every_engine(async |kind, _| {
        for leak in kind.leaks {
            let shop = Shop::new(kind.fresh());
            let script = format!("{}\nINSERT INTO nowhere VALUES (1);", leak.script);
            shop.migration("1_leak", &script, "");
            refused(shop.up().await, "migration-failed", 1);
            let stepwise = !kind.transactional || script.contains("no-transaction");
            let expected = if stepwise {
                State::Partial
            } else {
                State::Failed
            };
            assert_eq!(shop.state("1").await, Some(expected), "{}", leak.name);
            assert!(shop.status().await.lock.is_none(), "{}", leak.name);
            let report = shop.verify().await;
            let errors = report
                .findings
                .iter()
                .filter(|finding| finding.severity.as_str() == "error");
            assert_eq!(errors.count(), 0, "{}: {report:#?}", leak.name);
        }
    })
    .await;
}

/// F30: a script that changes the tool's own tables cannot be committed, and is found where it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_script_that_reaches_for_the_ledger_is_undone() {
    on_every_engine(async |kind, database| {
        let shop = Shop::new(database);
        shop.migration("1_one", "CREATE TABLE one (id INTEGER);", "");
        shop.up().await.unwrap();
        for script in kind.reaching {
            shop.migration("2_reaching", script, "");
            let brief = shop.migrator_with(|settings| settings.lease = Duration::from_secs(2));
            let error = brief.up(&Up::default()).await.unwrap_err();
            assert_ne!(error.exit_code(), 0);
            let verified = shop.verify().await;
            Shop::assert_intact(&verified);
            assert_ne!(shop.state("2").await, Some(State::Applied), "{script}");
            // a run that believes its lease lost leaves it to the next one, which waits for its end
            shop.migration("2_reaching", "SELECT 1;", "SELECT 1;");
            assert_eq!(shop.up().await.unwrap().applied, 1, "{script}");
            shop.down(Back::Steps(1)).await.unwrap();
        }
    })
    .await;
}
