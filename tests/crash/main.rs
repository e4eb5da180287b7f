//! Dies at every point, in every passage, and must find its way back.
//!
//! The program is made to kill itself with SIGKILL where [`mledger::fault::POINTS`] says. After each
//! death the ledger must verify and agree with the effects that are in the database; the next run must
//! finish what was asked without a person, except where a step's outcome is unknown; and once it has,
//! nothing is left to do and nothing is written any more.

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod adopting;
mod backups;
#[path = "../support/diary.rs"]
mod diary;
mod drops;
mod every_point;
#[path = "../support/mend.rs"]
mod mend;
#[path = "../support/oracle.rs"]
mod oracle;
#[path = "../support/processes.rs"]
mod processes;
mod refusals;
mod signals;
mod stepwise;
