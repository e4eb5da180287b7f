//! Runs the transcripts.

#![expect(clippy::expect_used, reason = "tests")]

use crate::project::{KEY_VARIABLE, SILENCED, key};

/// F109
#[test]
fn commands_print_what_their_transcripts_say() {
    let home = tempfile::tempdir().expect("a folder for what the tool remembers");
    let home = home.path().to_str().expect("a path in UTF-8");
    let cases = trycmd::TestCases::new();
    for name in SILENCED {
        cases.env(name, "");
    }
    cases
        .env("XDG_CONFIG_HOME", home)
        .env("XDG_STATE_HOME", home)
        .env("MLEDGER_TEST_CLOCK", "clock")
        .env("MLEDGER_TEST_IDS", "transcripts")
        .env("MLEDGER_TEST_HOST", "build-1")
        .env("MLEDGER_ACTOR", "dana")
        .env(KEY_VARIABLE, key())
        .case("tests/cli/transcripts/*.trycmd");
}
