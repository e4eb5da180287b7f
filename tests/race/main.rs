//! Many processes at once, on one database: each migration takes effect once, the log has one line of
//! events, and a run that was suspended beyond its lease commits nothing.
//!
//! What is true in the end is judged by an oracle that reads the database without the program. A build
//! that leaves the fence out must be caught by the same oracle, or the suite would prove nothing.

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod herd;
mod holders;
mod index;
#[path = "../support/mend.rs"]
mod mend;
mod mixed;
#[path = "../support/oracle.rs"]
mod oracle;
#[path = "../support/processes.rs"]
mod processes;
mod refusals;
mod takeover;
