//! What migrations wait for.

use std::collections::BTreeSet;

use super::super::subject::Subject;
use super::super::{Context, Found, rule};
use crate::migration::{Migration, Version};

pub(super) fn find(context: &Context<'_>, subject: &Subject<'_>, found: &mut Vec<Found>) {
    let migration = subject.migration;
    for dependency in &migration.metadata.dependencies {
        let Some(other) = migration_of(context, dependency) else {
            let message = format!("it depends on `{dependency}`, and no file has that version");
            found.push(Found::whole(&rule::DEPENDENCY_MISSING, message));
            continue;
        };
        if other.version == migration.version {
            let message = "it depends on itself";
            found.push(Found::whole(&rule::DEPENDENCY_CIRCLE, message));
        } else if leads_to(context, other, &migration.version) {
            let message = format!("it depends on `{dependency}`, which depends on it");
            found.push(Found::whole(&rule::DEPENDENCY_CIRCLE, message));
        }
    }
}

fn migration_of<'a>(context: &Context<'a>, dependency: &str) -> Option<&'a Migration> {
    let version = dependency.parse::<Version>().ok()?;
    let mut migrations = context.migrations.iter();
    migrations.find(|migration| migration.version == version)
}

/// Says whether `from` waits for `wanted`, in however many steps.
fn leads_to(context: &Context<'_>, from: &Migration, wanted: &Version) -> bool {
    let mut seen: BTreeSet<&Version> = BTreeSet::new();
    let mut open = vec![from];
    while let Some(next) = open.pop() {
        if next.version == *wanted {
            return true;
        }
        if seen.insert(&next.version) {
            let dependencies = next.metadata.dependencies.iter();
            open.extend(dependencies.filter_map(|one| migration_of(context, one)));
        }
    }
    false
}
