//! One suite for every engine, through the traits that the tool itself uses.
//!
//! [`support::engines::ENGINES`] lists the engines; one line there runs everything here on another database. What
//! differs between databases is data beside that line. Clock and ids are frozen, so that a ledger is
//! the same to the byte each time.

#[path = "../support/mod.rs"]
mod support;

mod adopting;
mod analyze;
mod approvals;
mod backups;
mod backups_under_load;
mod blocks;
mod canary;
mod checkpoints;
mod clients;
mod corpora;
mod cutting;
mod definitions;
mod determinism;
mod differences;
mod encryption;
mod exports;
mod flows;
mod foreign_keys;
mod health;
mod keys;
mod leases;
mod leaving;
mod limits;
mod liquibase;
mod openings;
mod partial;
mod place;
mod programs;
mod promotions;
mod proofs;
mod rehearsals;
mod releases;
mod repeating;
mod reversals;
mod rights;
mod sessions;
mod shop;
mod sizes;
mod splitting;
mod stores;
mod story;
mod timestamps;
mod transactions;
mod validation;
