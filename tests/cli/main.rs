//! The command line as its users meet it: what is typed, what is printed, and how it ends.
//!
//! Transcripts are files (`transcripts/*.trycmd`), on a clock and with ids that repeat themselves, so
//! that even hashes are the same in every run; `TRYCMD=overwrite` writes them anew. What a transcript
//! cannot show (signals, pipes, secrets) is tested beside them. The clock needs the feature
//! `failpoints`.

mod answers;
mod project;
mod secrets;
#[cfg(unix)]
mod signals;
#[cfg(target_os = "linux")]
mod terminal;
mod transcripts;
mod validating;
