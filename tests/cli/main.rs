//! The command line as its users meet it: what is typed, what is printed, and how it ends.
//!
//! Transcripts are files (`transcripts/*.trycmd`), on a clock and with ids that repeat themselves, so
//! that even hashes are the same in every run; `TRYCMD=overwrite` writes them anew. What a transcript
//! cannot show (signals, pipes, secrets) is tested beside them.
//!
//! The suite needs the feature `failpoints` for the clock; without it, it says so.

#[cfg(feature = "failpoints")]
mod answers;
#[cfg(feature = "failpoints")]
mod project;
#[cfg(feature = "failpoints")]
mod secrets;
#[cfg(all(feature = "failpoints", unix))]
mod signals;
#[cfg(feature = "failpoints")]
mod transcripts;

#[cfg(all(feature = "failpoints", target_os = "linux"))]
mod terminal;

#[cfg(not(feature = "failpoints"))]
#[test]
#[ignore = "the command line's suite needs `--features failpoints`"]
fn needs_the_feature_failpoints() {
    assert!(cfg!(feature = "failpoints"));
}
