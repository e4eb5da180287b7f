//! What another ledger says, told event by event.
#![expect(clippy::unwrap_used, reason = "tests")]

use ledger::{
    Body, CheckFinished, Digest, Marked, MigrationAccepted, MigrationMarked, Outcome, When,
};

use super::{Elsewhere, There};
use crate::migration::Version;
use crate::release::story_tests::Story;

fn elsewhere(story: &Story) -> Elsewhere {
    let mut elsewhere = Elsewhere::default();
    for event in &story.events {
        elsewhere.apply(event).unwrap();
    }
    elsewhere
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// The checksum that [`Story::applied`] gives to a version without a header.
fn bytes(version: &str) -> Digest {
    Digest::of(format!("{version}[]").as_bytes())
}

fn marked(text: &str) -> Body {
    Body::MigrationMarked(MigrationMarked {
        r#as: Marked::Applied,
        checksum: Some(bytes(text)),
        reason: "by hand".to_owned(),
        version: text.to_owned(),
    })
}

#[test]
fn only_bytes_that_ran_and_are_in_force_count() {
    let mut story = Story::default();
    story.applied("1", &[]).applied("2", &[]).applied("3", &[]);
    story.rolled_back("3").failed("4", true);
    story.happen(marked("5"), Outcome::Success);
    let accepted = Digest::of(b"edited since");
    let body = MigrationAccepted {
        new_checksum: accepted,
        old_checksum: bytes("2"),
        reason: "a comment".to_owned(),
        script: accepted,
        version: "2".to_owned(),
    };
    story.happen(Body::MigrationAccepted(body), Outcome::Success);
    let other = elsewhere(&story);
    let there = |text: &str| other.standing(&version(text), &bytes(text));
    assert!(matches!(there("1"), There::Ran(ran) if ran.seq == 0));
    assert!(
        matches!(there("01"), There::OtherBytes(_)),
        "of another text"
    );
    assert_eq!(there("3"), There::RolledBack(Some(3)));
    assert_eq!(there("4"), There::Unfinished);
    assert_eq!(there("5"), There::Marked(5));
    assert_eq!(there("6"), There::Absent);
    // what was accepted did not run; what ran did
    let of_two = |checksum| other.standing(&version("2"), checksum);
    assert!(matches!(of_two(&accepted), There::OtherBytes(_)));
    assert!(matches!(of_two(&bytes("2")), There::Ran(_)));
}

#[test]
fn an_application_after_a_rollback_counts_again() {
    let mut story = Story::default();
    story.applied("1", &[]).rolled_back("1").applied("1", &[]);
    let other = elsewhere(&story);
    let there = other.standing(&version("1"), &bytes("1"));
    assert!(matches!(there, There::Ran(ran) if ran.seq == 2));
    assert_eq!(other.past_of(&version("1")).unwrap().rolled_back.len(), 1);
}

#[test]
fn the_checks_of_a_run_belong_to_what_it_applied() {
    let mut story = Story::default();
    for (name, outcome) in [("disk", Outcome::Success), ("shop", Outcome::Failure)] {
        let body = CheckFinished {
            detail: None,
            name: name.to_owned(),
            when: When::After,
        };
        story.happen(Body::CheckFinished(body), outcome);
    }
    story.applied("1", &[]);
    let other = elsewhere(&story);
    let run = other.application(&version("1")).unwrap().run;
    let checks = &other.run(&run).unwrap().checks;
    let held: Vec<(&str, bool)> = checks
        .iter()
        .map(|check| (check.name.as_str(), check.holds))
        .collect();
    assert_eq!(held, [("disk", true), ("shop", false)]);
}
