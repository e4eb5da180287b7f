//! The crate as others use it: vectors, whole ledgers good and bad, and other tools.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod bad_ledgers;
mod canonical_oracle;
mod golden;
mod keys;
mod lifecycle;
mod other_tools;
mod rewinds_and_forks;
mod roles;
mod support;
mod tampering;
mod threads;
mod trees_and_notes;
mod verdicts;
