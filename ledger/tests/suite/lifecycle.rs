//! The rules of the lifecycle, each with what it allows and what it refuses.

use ledger::Direction::{Down, Up};
use ledger::{
    Body, HistoryAdopted, HistorySquashed, Lifecycle, Marked, MigrationAccepted, Outcome,
    StepResolution,
};

use crate::support::bodies::*;
use crate::support::{Log, run_id};

/// A lifecycle that is fed bodies; only the last one may be refused.
struct Story {
    log: Log,
    lifecycle: Lifecycle,
    seq: u64,
}

impl Story {
    fn new() -> Self {
        let log = Log::opened();
        let mut lifecycle = Lifecycle::new();
        lifecycle.apply(&log.records[0].event().unwrap()).unwrap();
        Self {
            log,
            lifecycle,
            seq: 1,
        }
    }

    /// Begins with run 1 holding the lock.
    fn locked() -> Self {
        let mut story = Self::new();
        story.ok(1, acquired(1)).ok(1, run_started("plan"));
        story
    }

    fn tell(&mut self, run: u64, body: impl Into<Body>) -> Result<(), String> {
        let mut event = self.log.next(1, run, body);
        event.seq = self.seq;
        self.seq += 1;
        self.lifecycle.apply(&event)
    }

    fn ok(&mut self, run: u64, body: impl Into<Body>) -> &mut Self {
        let body = body.into();
        let kind = body.kind().to_owned();
        if let Err(message) = self.tell(run, body) {
            panic!("`{kind}` at {}: {message}", self.seq - 1);
        }
        self
    }

    fn refused(&mut self, run: u64, body: impl Into<Body>, expected: &str) -> &mut Self {
        let message = self.tell(run, body).unwrap_err();
        assert!(message.contains(expected), "{message}");
        self
    }

    /// Applies a version in run 1.
    fn apply(&mut self, version: &str) -> &mut Self {
        self.ok(1, started(version, Up)).ok(1, applied(version))
    }
}

#[test]
fn a_ledger_is_created_once_and_first() {
    let mut story = Story::new();
    let created = story.log.records[0].event().unwrap().body;
    story.refused(0, created, "only in the first entry");
    let mut lifecycle = Lifecycle::new();
    let event = story.log.next(1, 0, note("hello"));
    assert!(lifecycle.apply(&event).unwrap_err().contains("first entry"));
}

#[test]
fn what_runs_stands_in_the_lock_of_its_run() {
    let mut story = Story::new();
    story
        .refused(1, run_started("plan"), "outside of any lock")
        .refused(1, started("1", Up), "outside of any lock")
        .refused(1, backup_restored(1), "outside of any lock")
        .ok(1, note("notes need none"))
        .ok(1, acquired(1))
        .refused(2, run_started("plan"), "in the lock of run")
        .ok(1, run_started("plan"))
        .refused(2, started("1", Up), "in the lock of run")
        .refused(1, run_started("plan"), "started again")
        .refused(2, released(2), "expected the release")
        .refused(1, released(2), "expected the release")
        .ok(1, run_finished(0))
        .refused(1, run_finished(0), "not started")
        .ok(1, released(1))
        .refused(1, released(1), "not held")
        .refused(1, marked("1", Marked::Applied), "outside of any lock");
    assert!(story.lifecycle.lock().is_none());
}

#[test]
fn a_second_lock_is_refused_and_then_counts() {
    let mut story = Story::locked();
    story
        .refused(2, acquired(2), "while run")
        .ok(2, run_started("plan"))
        .ok(2, run_finished(0))
        .ok(2, released(2))
        .ok(3, acquired(3));
}

#[test]
fn a_crashed_run_is_replaced_and_its_start_closed() {
    let mut story = Story::locked();
    story
        .ok(1, started_atomic("1", Up))
        .ok(2, broken(1))
        .ok(2, acquired(2))
        .ok(2, run_started("plan"))
        .refused(2, started("1", Up), "while its start at seq 3 is open")
        .ok(2, aborted("1", Up))
        .ok(2, started("1", Up))
        .ok(2, applied("1"));
    assert_eq!(story.lifecycle.open_run(), Some(run_id(2)));
    assert!(story.lifecycle.is_applied("1"));
    // a lease that never came to stand in the log is broken, too
    let mut story = Story::new();
    story.ok(2, broken(1)).ok(2, acquired(2));
}

#[test]
fn a_start_is_closed_once_and_in_its_own_direction() {
    let mut story = Story::locked();
    story
        .refused(1, applied("1"), "found none")
        .refused(1, failed("1", Up, true), "found none")
        .refused(1, aborted("1", Up), "found none")
        .ok(1, started("1", Up))
        .refused(1, started("1", Down), "is open")
        .refused(1, failed("1", Down, true), "found `up`")
        .refused(1, aborted("1", Down), "found `up`")
        .refused(1, rolled_back("1"), "found `up`")
        .ok(1, started("2", Up))
        .ok(1, applied("1"))
        .refused(1, applied("1"), "found none")
        .ok(1, failed("2", Up, true));
    assert_eq!(story.lifecycle.open_starts().count(), 0);
}

#[test]
fn nothing_is_applied_twice_or_rolled_back_that_is_not() {
    let mut story = Story::locked();
    story
        .apply("1")
        .ok(1, started("1", Up))
        .refused(1, applied("1"), "applied that is applied")
        .ok(1, aborted("1", Up))
        .ok(1, started("1", Down))
        .ok(1, rolled_back("1"))
        .ok(1, started("1", Down))
        .refused(1, rolled_back("1"), "not applied")
        .ok(1, aborted("1", Down))
        .apply("1");
}

#[test]
fn repeatable_migrations_are_applied_again_only_when_changed() {
    let mut story = Story::locked();
    story
        .ok(1, started("R:views", Up))
        .ok(1, applied_as("R:views", "one"))
        .ok(1, started("R:views", Up))
        .refused(1, applied_as("R:views", "one"), "the checksum it has")
        .ok(1, applied_as("R:views", "two"));
}

#[test]
fn steps_are_counted_across_failures() {
    let mut story = Story::locked();
    story
        .refused(1, step("1", Up, 1), "found none")
        .ok(1, started("1", Up))
        .refused(1, step("1", Up, 2), "expected step 1")
        .ok(1, step("1", Up, 1))
        .refused(1, step("1", Up, 1), "expected step 2")
        .refused(1, step("1", Down, 1), "found `up`")
        .refused(1, aborted("1", Up), "1 steps are done")
        .ok(1, failed("1", Up, false))
        .refused(1, step("1", Up, 2), "found none")
        .ok(1, started("1", Up))
        .refused(1, aborted("1", Up), "1 steps are done")
        .ok(1, step("1", Up, 2));
    assert_eq!(story.lifecycle.steps_done("1", Up), 2);
    story.ok(1, applied("1"));
    assert_eq!(story.lifecycle.steps_done("1", Up), 0);
    story
        .ok(1, started("1", Down))
        .ok(1, step("1", Down, 1))
        .ok(1, failed("1", Down, true));
    assert_eq!(story.lifecycle.steps_done("1", Down), 0);
    story
        .ok(1, started_atomic("2", Up))
        .refused(1, step("2", Up, 1), "is atomic");
}

#[test]
fn a_person_answers_for_the_next_step_of_what_is_unfinished() {
    let yes = StepResolution::Applied;
    let no = StepResolution::NotApplied;
    let mut story = Story::locked();
    story
        .refused(1, resolved("1", 1, yes), "found none")
        .ok(1, started("1", Up))
        .ok(1, step("1", Up, 1))
        .refused(1, resolved("1", 1, yes), "expected step 2")
        .ok(1, resolved("1", 2, no))
        .ok(1, resolved("1", 2, yes))
        .ok(1, failed("1", Up, false))
        .ok(1, resolved("1", 3, yes));
    assert_eq!(story.lifecycle.steps_done("1", Up), 3);
    story.ok(1, marked("1", Marked::Pending));
    assert_eq!(story.lifecycle.steps_done("1", Up), 0);
    story.refused(1, resolved("1", 1, yes), "found none");
}

#[test]
fn marks_squashes_and_adoptions_count() {
    let mut story = Story::locked();
    story
        .ok(1, marked("1", Marked::Applied))
        .ok(1, started("1", Up))
        .refused(1, applied("1"), "applied that is applied")
        .ok(1, aborted("1", Up))
        .ok(1, marked("1", Marked::Pending))
        .apply("1")
        .ok(
            1,
            MigrationAccepted {
                new_checksum: ledger::Digest::of(b"new"),
                old_checksum: ledger::Digest::of(b"1"),
                reason: "comment".to_owned(),
                script: ledger::Digest::of(b"new"),
                version: "1".to_owned(),
            },
        )
        .ok(
            1,
            HistorySquashed {
                into: "5".to_owned(),
                reason: "too many".to_owned(),
                through: "1".to_owned(),
            },
        )
        .ok(
            1,
            HistoryAdopted {
                digest: ledger::Digest::of(b"rows"),
                rows: 10,
                table: "migrations".to_owned(),
                through: "10".to_owned(),
                tool: "other".to_owned(),
            },
        );
    assert!(story.lifecycle.is_applied("5"));
    assert!(story.lifecycle.is_applied("009"));
    assert!(!story.lifecycle.is_applied("11"));
    story
        .ok(1, started("9", Down))
        .ok(1, rolled_back("9"))
        .ok(1, started("9", Down))
        .refused(1, rolled_back("9"), "not applied");
}

#[test]
fn outcomes_belong_to_their_kinds() {
    let mut story = Story::locked();
    story.ok(1, started("1", Up));
    let mut event = story.log.next(1, 1, failed("1", Up, true));
    event.outcome = Outcome::Success;
    let message = story.lifecycle.apply(&event).unwrap_err();
    assert!(message.contains("outcome `failure`"), "{message}");
}

#[test]
fn an_approval_is_spent_by_the_first_success_of_its_plan() {
    let plan = ledger::Digest::of(b"plan");
    let mut story = Story::new();
    story
        .ok(9, approved("plan"))
        .ok(9, approved("plan"))
        .ok(1, acquired(1))
        .ok(1, run_started("plan"))
        .ok(1, run_finished(1))
        .ok(1, released(1));
    assert_eq!(story.lifecycle.approvals(&plan).len(), 1);
    story
        .ok(2, acquired(2))
        .ok(2, run_started("plan"))
        .ok(2, run_finished(0))
        .ok(2, released(2));
    assert!(story.lifecycle.approvals(&plan).is_empty());
    story.ok(9, approved("plan")).ok(9, revoked("plan"));
    assert!(story.lifecycle.approvals(&plan).is_empty());
}

#[test]
fn a_restore_goes_back_to_the_state_that_the_backup_holds() {
    let mut story = Story::locked();
    story.apply("1");
    let size = story.seq;
    story
        .ok(9, approved("early"))
        .ok(1, backup_taken(7, size + 1))
        .apply("2")
        .ok(1, started("1", Down))
        .ok(1, rolled_back("1"))
        .ok(1, started("3", Up))
        .ok(1, step("3", Up, 1))
        .ok(9, approved("late"))
        .refused(1, backup_accepted(7), "not the one that was restored")
        .refused(1, backup_restored(8), "not removed")
        .ok(1, backup_restored(7));
    let lifecycle = &story.lifecycle;
    assert!(lifecycle.is_applied("1") && !lifecycle.is_applied("2"));
    assert!(lifecycle.open_start("3").is_none());
    assert_eq!(lifecycle.steps_done("3", Up), 0);
    assert_eq!(lifecycle.approvals(&ledger::Digest::of(b"early")).len(), 1);
    assert!(lifecycle.approvals(&ledger::Digest::of(b"late")).is_empty());
    assert_eq!(lifecycle.restored(), Some(run_id(7)));
    story
        .refused(1, started("2", Up), "before the restored backup")
        .ok(1, backup_accepted(7))
        .apply("2")
        // and back again, over the restore itself
        .ok(1, backup_restored(7))
        .ok(1, backup_accepted(7));
    assert!(!story.lifecycle.is_applied("2"));
    story
        .ok(1, backup_removed(7))
        .refused(1, backup_removed(7), "not removed")
        .refused(1, backup_restored(7), "not removed");
}

#[test]
fn a_backup_cannot_hold_more_than_was_there() {
    let mut story = Story::new();
    story
        .refused(1, backup_taken(1, 100), "at most 1 entries")
        .ok(1, backup_taken(1, 1))
        .refused(1, backup_taken(1, 1), "taken twice");
}
