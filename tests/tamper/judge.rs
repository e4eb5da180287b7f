//! `verify.py`, which one interpreter is asked for as often as a test likes.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde::Deserialize;

const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/audit/verify.py");
const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tamper/judge.py");

/// How `verify.py` ended.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Ended {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

struct Interpreter {
    /// Ends when its input does.
    _child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Interpreter {
    fn start() -> Self {
        let mut child = Command::new("python3")
            .args([DRIVER, PROGRAM])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // it may outlive the test for a moment
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            questions: child.stdin.take().unwrap(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            _child: child,
        }
    }
}

/// Runs `verify.py` with these arguments.
pub(crate) fn ask(arguments: &[&str]) -> Ended {
    static INTERPRETER: OnceLock<Mutex<Interpreter>> = OnceLock::new();
    let interpreter = INTERPRETER.get_or_init(|| Mutex::new(Interpreter::start()));
    let mut interpreter = interpreter.lock().unwrap_or_else(PoisonError::into_inner);
    let question = serde_json::to_string(arguments).unwrap();
    writeln!(interpreter.questions, "{question}").unwrap();
    let mut answer = String::new();
    interpreter.answers.read_line(&mut answer).unwrap();
    serde_json::from_str(&answer).unwrap()
}
