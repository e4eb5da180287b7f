//! Whoever can write to the database can change the ledger; what they changed must be found.
//!
//! Each case builds on one real ledger that the program has made, changes its rows with the `sqlite3`
//! shell as an attacker with full rights would, puts the guards back, and asks the program again:
//! without anything from outside, with a remembered head, a checkpoint, the ledger's id, and the
//! project's key.

#[path = "../support/mod.rs"]
mod support;

mod anchors;
mod attacker;
mod by_hand;
mod columns;
mod rows;
mod specimen;
mod store;
