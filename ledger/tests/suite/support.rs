//! What several modules of the suite use.

pub(crate) mod bodies;
mod fixtures;
mod log;

pub(crate) use fixtures::{fact_lines, golden, golden_keys, read_text, vectors};
pub(crate) use log::{Log, OWNER, database, grant, key, run_id};
