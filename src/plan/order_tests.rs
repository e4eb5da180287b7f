//! Dependencies before dependants, whatever the versions.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;

use proptest::prelude::*;

use super::order::{Positions, order};
use crate::engine;
use crate::migration::{Migration, source};

/// Files of these versions, each with what it depends on.
fn files(versions: &[(u32, Vec<u32>)]) -> Vec<Migration> {
    let folder = tempfile::tempdir().unwrap();
    for (version, dependencies) in versions {
        let dependencies: Vec<String> = dependencies
            .iter()
            .map(|one| format!("\"{one}\""))
            .collect();
        let text = format!(
            "-- @metadata {{ \"dependencies\": [{}] }}\n-- UP\nSELECT 1;\n",
            dependencies.join(", ")
        );
        fs::write(folder.path().join(format!("{version}_change.sql")), text).unwrap();
    }
    let engine = engine::open("sqlite:nothing.db", folder.path()).unwrap();
    source::read(
        folder.path(),
        &source::Options::default(),
        engine.lex_rules(),
    )
    .unwrap()
}

fn ordered(versions: &[(u32, Vec<u32>)]) -> (Vec<String>, Vec<String>) {
    let files = files(versions);
    let (ordered, circles) = order(&files.iter().collect::<Vec<_>>());
    (
        ordered
            .iter()
            .map(|file| file.version.to_string())
            .collect(),
        circles
            .into_iter()
            .map(|blocker| blocker.refusal.message)
            .collect(),
    )
}

#[test]
fn what_one_depends_on_comes_before_it_else_the_version_decides() {
    let (order, circles) = ordered(&[
        (1, vec![5]),
        (2, vec![]),
        (3, vec![1, 9]),
        (4, vec![]),
        (5, vec![4]),
        (10, vec![3]),
    ]);
    assert_eq!(order, ["2", "4", "5", "1", "3", "10"]);
    assert_eq!(circles, [] as [&str; 0]);
}

#[test]
fn each_circle_is_shown_as_a_path() {
    let (order, circles) = ordered(&[
        (1, vec![3]),
        (2, vec![]),
        (3, vec![4]),
        (4, vec![1]),
        (5, vec![4]),
        (6, vec![7]),
        (7, vec![6]),
        (8, vec![8]),
    ]);
    assert_eq!(order, ["2"]);
    assert_eq!(circles.len(), 3, "{circles:?}");
    for (circle, path) in circles.iter().zip(["1 → 3 → 4 → 1", "6 → 7 → 6", "8 → 8"]) {
        assert!(circle.ends_with(path), "{circle}");
    }
}

#[test]
fn a_file_is_as_new_as_the_newest_that_it_waits_for() {
    let files = files(&[(1, vec![3]), (2, vec![]), (3, vec![4]), (4, vec![3])]);
    let positions: Vec<&str> = files
        .iter()
        .map(|file| Positions::new(&files).of(file).as_str())
        .collect();
    assert_eq!(positions, ["4", "2", "4", "4"]);
    // 3 is applied, a run stopped before 1, which waits for it: 2 alone comes too late
    let newest = files[2].version.clone();
    let late: Vec<bool> = files
        .iter()
        .map(|file| Positions::new(&files).is_late(file, Some(&newest)))
        .collect();
    assert_eq!(late, [false, true, false, false]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_file_runs_once_after_its_dependencies_or_is_kept_by_a_circle(
        graph in proptest::collection::vec(proptest::collection::vec(0_u32..8, 0..3), 1..8)
    ) {
        let versions: Vec<(u32, Vec<u32>)> = (0..).zip(graph.clone()).collect();
        let (order, circles) = ordered(&versions);
        let mut done: BTreeSet<usize> = BTreeSet::new();
        for version in &order {
            let at: usize = version.parse().unwrap();
            for dependency in &graph[at] {
                let dependency = usize::try_from(*dependency).unwrap();
                prop_assert!(dependency >= graph.len() || done.contains(&dependency));
            }
            prop_assert!(done.insert(at));
        }
        prop_assert_eq!(circles.is_empty(), order.len() == graph.len());
    }
}
