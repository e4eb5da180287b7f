//! Messages that matter most, by name.

use crate::every_message::broken;
use crate::mend::{assert_done, until_done};
use crate::oracle::facts;
use crate::proxy::{Act, At};
use crate::support::Project;
use crate::support::engines::Kind;

/// F23: the answer to each COMMIT of a run is lost; whoever comes next repeats nothing.
fn a_lost_answer_to_commit_repeats_nothing(kind: &Kind) {
    let mut lost = 0;
    for number in 1.. {
        let project = Project::with_effects_on(kind, 3);
        let at = At::Text("COMMIT", number);
        let broken = broken(&project, &["up"], at, Act::LoseTheAnswer);
        if broken.message.is_none() {
            break;
        }
        lost += 1;
        let what = format!("COMMIT {number}: {:?}", broken.message);
        // what was committed is there already, though nobody was told
        let before = facts(&project);
        until_done(&project, &["up"], &what);
        let after = facts(&project);
        assert_eq!(
            after.events[..before.events.len()],
            before.events,
            "{what}: what was committed stays"
        );
        for version in before.applied() {
            let starts = after
                .events
                .iter()
                .filter(|(kind, of)| kind == "migration.started" && *of == version);
            assert_eq!(starts.count(), 1, "{what}: `{version}` ran again");
        }
        assert_done(&project, &["up"], &["1", "2", "3"], &what);
    }
    assert!(lost >= 4, "only {lost} answers were lost");
}

on_each_server!(a_lost_answer_to_commit_repeats_nothing);
