//! What the rules look for, a file for each group.

mod destructive;
mod header;
mod keys;
mod locks;
mod names;
mod order;
mod rebuild;
mod secrets;
mod shape;
mod size;

pub(super) use self::size::{estimate, tell_sizes};
use super::subject::Subject;
use super::{Context, Found};

/// Looks at one migration, and adds what it finds.
type Finder = fn(&Context<'_>, &Subject<'_>, &mut Vec<Found>);

/// All of them.
pub(super) const ALL: &[Finder] = &[
    header::find,
    order::find,
    destructive::find,
    locks::find,
    rebuild::find,
    keys::find,
    names::find,
    shape::find,
    secrets::find,
    size::find,
];
