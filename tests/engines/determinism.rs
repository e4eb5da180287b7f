//! With a frozen clock and counted ids a ledger is the same to the byte each time.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write as _;

use mledger::ledger::Digest;
use mledger::request::{Back, EventFilter, Resolution};

use crate::place::{Kind, on_every_engine};
use crate::shop::Shop;

/// Goes through everything that appends, and returns a line an event: seq, kind, entry hash.
async fn story(kind: &Kind) -> (Vec<Vec<u8>>, String) {
    let shop = Shop::with(
        kind.fresh(),
        &[
            ("1_one", "CREATE TABLE one (id INTEGER);", "DROP TABLE one;"),
            ("2_two", "CREATE TABLE two (id INTEGER);", "DROP TABLE two;"),
        ],
    );
    shop.up().await.unwrap();
    shop.down(Back::Steps(1)).await.unwrap();
    shop.migration(
        "3_steps",
        "-- mledger:no-transaction\nCREATE TABLE a (id INTEGER);\nSELECT 1;",
        "",
    );
    shop.migration("4_wrong", "INSERT INTO nowhere VALUES (1);", "");
    shop.up().await.unwrap_err();
    shop.resolve("4", Resolution::Applied).await.unwrap();
    shop.migration(
        "1_one",
        "CREATE TABLE one (id INTEGER, late INTEGER);",
        "DROP TABLE one;",
    );
    shop.up().await.unwrap_err();
    shop.resolve("1", Resolution::AcceptChange).await.unwrap();
    shop.remove("4_wrong");
    shop.up().await.unwrap();
    let mut lines = Vec::new();
    let mut summary = String::new();
    shop.migrator()
        .events(&EventFilter::default(), &mut |view| {
            let digest = Digest::of(&view.line).to_string();
            writeln!(
                summary,
                "{} {} {}",
                view.event.seq,
                view.event.body.kind(),
                &digest[..16]
            )
            .unwrap();
            let mut line = view.line.clone();
            line.extend_from_slice(view.signature.as_bytes());
            line.extend_from_slice(view.hash.as_bytes());
            lines.push(line);
            std::ops::ControlFlow::Continue(())
        })
        .await
        .unwrap();
    (lines, summary)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_story_gives_the_same_bytes_in_a_database_that_is_a_file() {
    on_every_engine(async |kind, _| {
        // a server names each of its databases, and the first event records the name
        if kind.name != "sqlite" {
            return;
        }
        let (first, summary) = story(kind).await;
        let (second, _) = story(kind).await;
        assert!(first.len() > 30, "{summary}");
        assert_eq!(first, second, "{summary}");
    })
    .await;
}

/// F37.
///
/// What is written for one story is the same in the next version of the tool, or somebody meant it: a
/// change of this file is a change of what events say.
#[tokio::test(flavor = "multi_thread")]
async fn the_story_is_what_it_was() {
    let (_, summary) = story(&crate::place::ENGINES[0]).await;
    let expected = include_str!("snapshots/story.txt");
    assert_eq!(summary, expected, "the new one is:\n{summary}");
}
