//! What a test did, a JSON object a line, in a file that is named when the test fails.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;

use serde_json::Value;

/// The file of one test.
pub(crate) struct Diary {
    path: PathBuf,
    file: File,
}

impl Diary {
    /// Begins the diary `name` of a suite.
    pub(crate) fn begin(suite: &str, name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(suite);
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{name}.jsonl"));
        let file = File::create(&path).unwrap();
        Self { path, file }
    }

    /// Writes one line, before what it tells of is looked at.
    pub(crate) fn note(&mut self, line: &Value) {
        writeln!(self.file, "{line}").unwrap();
    }
}

impl Drop for Diary {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("what was done until then: {}", self.path.display());
        }
    }
}
