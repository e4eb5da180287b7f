//! Whoever can write to the database can change the ledger; what they changed must be found.
//!
//! Each case builds on one real ledger that the program has made, changes its rows with the plain client
//! of its database as an attacker with full rights would, puts the guards back, and asks the program
//! again: without anything from outside, with a remembered head, a checkpoint, the ledger's id, and the
//! project's key. Every test runs on every engine; one that cannot says in its name where it runs.

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod anchors;
mod attacker;
mod bundle;
mod bundles;
mod by_hand;
mod columns;
mod guards;
mod hostile;
mod judge;
mod matrix;
mod outside;
mod page;
mod records;
mod rows;
mod specimen;
mod store;
mod vectors;
