//! What the events mean: pure folds that can be rebuilt from the log at any time.

pub mod approvals;
pub(crate) mod attempts;
pub mod backups;
pub mod history;
pub mod releases;
mod rewinding;
pub mod schema;
pub mod timeline;
