//! The network between the program and a server breaks, at every message of a run.
//!
//! A proxy stands in between and closes the connection before a message, loses the answer to one,
//! breaks it off half way, or swallows everything from there on while both ends believe that they are
//! connected. Whatever the program says then, the next run finishes what was asked: each effect is
//! there once, the log verifies, and what it says is what the database holds. A person is asked only
//! where a statement that commits by itself has an unknown outcome.

#[macro_use]
#[path = "../support/mod.rs"]
mod support;

mod clients;
#[path = "../support/diary.rs"]
mod diary;
mod every_message;
mod heartbeats;
#[path = "../support/mend.rs"]
mod mend;
#[path = "../support/oracle.rs"]
mod oracle;
#[path = "../support/processes.rs"]
mod processes;
mod proxy;
mod targeted;
