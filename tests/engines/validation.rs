//! What rules refuse, and what a script may allow with a reason.
#![expect(clippy::unwrap_used, reason = "tests")]

use mledger::ledger::{Body, Outcome};
use mledger::policy::Rules;
use mledger::request::{Settings, Up, Validate};

use crate::place::on_every_engine;
use crate::shop::{Shop, refused};

#[tokio::test(flavor = "multi_thread")]
async fn an_error_refuses_the_run_and_a_waiver_is_recorded() {
    on_every_engine(async |kind, database| {
        let shop = Shop::with(
            database,
            &[(
                "1_notes",
                "CREATE TABLE notes (id INTEGER PRIMARY KEY);",
                "",
            )],
        );
        shop.up().await.unwrap();
        let recorded = |kinds: &[String]| {
            let validations = kinds.iter().filter(|one| *one == "validation.finished");
            validations.count()
        };
        assert_eq!(recorded(&shop.kinds().await), 0, "{}", kind.name);

        shop.write("2_drop_notes.sql", "DROP TABLE notes;\n");
        let development = shop.migrator().plan_up(&Up::default()).await.unwrap();
        assert!(!development.steps[0].findings.is_empty() && development.refusals.is_empty());
        let validated = shop.migrator_with(|settings: &mut Settings| {
            let rules = Rules {
                skip_validation: false,
                ..Rules::cautious("development")
            };
            settings.rules.insert("development".to_owned(), rules);
        });
        let run = validated.up(&Up::default()).await;
        let error = refused(run, "validation-failed", 3);
        assert!(error.to_string().contains("destructive-no-way-back"));
        assert_eq!(recorded(&shop.kinds().await), 1, "what refused it");
        let pending = shop.migrator().validate(&Validate::Pending).await.unwrap();
        assert_eq!((pending.migrations, pending.errors), (1, 1));

        let waiver = "-- mledger:allow destructive-no-way-back it was never filled\n";
        shop.write("2_drop_notes.sql", &format!("{waiver}DROP TABLE notes;\n"));
        validated.up(&Up::default()).await.unwrap();
        assert_eq!(recorded(&shop.kinds().await), 2, "{}", kind.name);
        let before = shop.kinds().await.len();
        assert_eq!(validated.up(&Up::default()).await.unwrap().applied, 0);
        assert_eq!(shop.kinds().await.len(), before, "nothing to do");
        shop.migration("3_more", "CREATE TABLE more (id INTEGER PRIMARY KEY);", "");
        validated.up(&Up::default()).await.unwrap();
        let mut last = None;
        shop.events(|event| {
            if let Body::ValidationFinished(body) = &event.body {
                last = Some((event.outcome, body.errors, body.warnings > 0));
            }
        })
        .await;
        assert_eq!(last, Some((Outcome::Success, 0, true)), "warnings alone");
        Shop::assert_intact(&shop.verify().await);
        let left = shop.migrator().validate(&Validate::Pending).await.unwrap();
        assert_eq!(left.migrations, 0, "what is applied is not spoken of");

        // warnings refuse a run where the rules say so, until somebody says why it is to go on
        shop.migration("4_most", "CREATE TABLE most (id INTEGER PRIMARY KEY);", "");
        let strict = shop.migrator_with(|settings: &mut Settings| {
            let rules = Rules {
                skip_validation: false,
                refuse_warnings: true,
                ..Rules::cautious("development")
            };
            settings.rules.insert("development".to_owned(), rules);
        });
        let error = refused(strict.up(&Up::default()).await, "validation-warned", 3);
        assert!(format!("{error:?}").contains("mledger up --force REASON"));
        let forced = Up {
            force: Some("read with the team".to_owned()),
            ..Up::default()
        };
        assert_eq!(strict.up(&forced).await.unwrap().applied, 1);
        let mut told = Vec::new();
        shop.events(|event| {
            if let Body::RunStarted(body) = &event.body {
                told.clone_from(&body.forced);
            }
        })
        .await;
        let rules: Vec<&str> = told.iter().map(|one| one.finding.as_str()).collect();
        assert!(rules.contains(&"metadata-missing"), "{rules:?}");
        assert!(told.iter().all(|one| one.reason == "read with the team"));
        // an error is none, whatever is said
        shop.write("5_drop_most.sql", "DROP TABLE most;\n");
        refused(strict.up(&forced).await, "validation-failed", 3);
    })
    .await;
}
