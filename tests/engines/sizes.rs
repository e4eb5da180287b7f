//! About how large tables are, and what is made of it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use mledger::policy::Rules;
use mledger::request::{Up, Validate};

use crate::place::{Database, on_every_engine, reader};
use crate::shop::Shop;

/// Doubles the rows of `notes` until there are 2048, of about a kilobyte each, and lets the server count.
fn fill(database: &dyn Database, engine: &str) {
    let text = "x".repeat(1000);
    let mut script = format!("INSERT INTO notes (body) VALUES ('{text}');\n");
    for _ in 0..11 {
        script.push_str("INSERT INTO notes (body) SELECT body FROM notes;\n");
    }
    script.push_str(match engine {
        "mysql" => "ANALYZE TABLE notes;",
        _ => "ANALYZE;",
    });
    database.run(&script).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_are_about_right_and_rules_use_them() {
    on_every_engine(async |kind, database| {
        let name = kind.name;
        let shop = Shop::with(
            database,
            &[(
                "1_notes",
                "CREATE TABLE notes (body VARCHAR(1000));\nCREATE TABLE bare (id INTEGER);",
                "",
            )],
        );
        shop.up().await.unwrap();
        fill(&*shop.database, name);
        let asked = ["Notes", "notes", "bare", "nowhere"].map(str::to_owned);
        let sizes = reader(&*shop.database).await.table_sizes(&asked).await;
        let sizes = sizes.unwrap();
        let notes = sizes["notes"];
        let rows = notes.rows.unwrap();
        assert!((1500..=2600).contains(&rows), "{name}: {notes:?}");
        assert!(
            (2_000_000..=8_000_000).contains(&notes.bytes),
            "{name}: {notes:?}"
        );
        assert!(sizes["bare"].rows.unwrap_or(0) == 0, "{name}: {sizes:?}");
        assert!(!sizes.contains_key("nowhere"), "{name}: {sizes:?}");

        shop.migration("2_emptied", "DELETE FROM notes;", "");
        let migrator = shop.migrator_with(|settings| {
            let rules = Rules {
                max_duration: Some(Duration::from_millis(100)),
                ..Rules::cautious("development")
            };
            settings.rules.insert("development".to_owned(), rules);
        });
        let report = migrator.validate(&Validate::Pending).await.unwrap();
        assert_eq!(report.tables[0].name, "notes", "{name}");
        assert!(report.estimated_ms > 200, "{name}: {}", report.estimated_ms);
        let of = |rule: &str| {
            let found = report.findings.iter().find(|finding| finding.rule == rule);
            found.map(|finding| finding.message.clone())
        };
        assert!(of("takes-too-long").unwrap().contains("estimate"), "{name}");
        let told = of("destructive-no-way-back").unwrap();
        assert!(told.contains("`notes` has about"), "{name}: {told}");
        let plan = migrator.plan_up(&Up::default()).await.unwrap();
        let mut shown = plan.steps[0].findings.iter();
        assert!(
            shown.any(|finding| finding.rule == "takes-too-long"),
            "{name}"
        );
    })
    .await;
}
