//! A bundle to tamper with, and what two programs say of it: ours, and the one that lies in every bundle.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mledger::audit;
use mledger::error::Error;
use mledger::ledger::sshsig::{self, EXPORT_NAMESPACE};
use mledger::ledger::{Digest, Severity, Signer as _, SigningKey};
use mledger::report::VerifyReport;
use mledger::request::Verify;
use tempfile::TempDir;

use crate::judge::{self, Ended};

const MANIFEST: &str = "MANIFEST.sha256";

/// A copy of a bundle, in a folder of its own.
pub(crate) struct Bundle {
    folder: TempDir,
}

/// What a verifier said: its exit code, and the codes of all errors.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) exit: i32,
    pub(crate) errors: BTreeSet<String>,
}

impl Bundle {
    pub(crate) fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn copy_of(path: &Path) -> Self {
        let bundle = Self::empty();
        copy(path, &bundle.path());
        bundle
    }

    pub(crate) fn copy_to(&self, path: &Path) {
        copy(&self.path(), path);
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("bundle")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.file(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.file(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// The names of all files, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut folders = vec![self.path()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.path()).unwrap();
                    names.push(name.to_str().unwrap().to_owned());
                }
            }
        }
        names.sort();
        names
    }

    /// Lists and signs the files as they are now, as somebody who holds a key can.
    pub(crate) fn seal(&self, key: &SigningKey) {
        let manifest: String = self
            .names()
            .iter()
            .filter(|name| !name.starts_with(MANIFEST))
            .map(|name| format!("{}  {name}\n", Digest::of(&self.read(name))))
            .collect();
        let preimage = sshsig::preimage(EXPORT_NAMESPACE, manifest.as_bytes());
        let signature = key.sign(&preimage).unwrap();
        let armour = sshsig::armor(key.public_key(), EXPORT_NAMESPACE, &signature);
        self.write(MANIFEST, manifest.as_bytes());
        self.write("MANIFEST.sha256.sig", armour.as_bytes());
    }

    pub(crate) fn ours(&self) -> Said {
        ours(&self.path(), &Verify::default())
    }

    /// What `verify.py` says.
    pub(crate) fn theirs(&self) -> Said {
        theirs(&self.path(), &[])
    }

    /// What `verify.py` says without any package of this machine.
    pub(crate) fn theirs_alone(&self) -> Said {
        let hide = "import runpy, sys; sys.modules['cryptography'] = None; \
                    sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')";
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/src/audit/verify.py");
        let output = Command::new("python3")
            .args(["-c", hide, program])
            .arg(self.path())
            .output()
            .unwrap();
        Said::read(Ended {
            exit: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        })
    }

    /// Asserts that both programs say the same, and returns it.
    #[track_caller]
    pub(crate) fn both(&self, case: &str) -> Said {
        let ours = self.ours();
        assert_eq!(ours, self.theirs(), "{case}: ours and verify.py");
        assert_eq!(
            ours.exit,
            if ours.errors.is_empty() { 0 } else { 4 },
            "{case}"
        );
        ours
    }
}

impl Said {
    pub(crate) fn of(report: &VerifyReport) -> Self {
        let errors: BTreeSet<String> = report
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| finding.code.as_str().to_owned())
            .collect();
        Self {
            exit: if errors.is_empty() { 0 } else { 4 },
            errors,
        }
    }

    pub(crate) fn failed(error: &Error) -> Self {
        Self {
            exit: i32::from(error.exit_code()),
            errors: BTreeSet::from([error.code().to_owned()]),
        }
    }

    fn read(ended: Ended) -> Self {
        assert!(
            ended.exit == 2 || ended.stderr.is_empty(),
            "no traceback: {}",
            ended.stderr
        );
        let errors = ended
            .stdout
            .lines()
            .filter_map(|line| line.strip_prefix("error "))
            .map(|line| line.split([' ', ':']).next().unwrap().to_owned())
            .collect();
        Self {
            exit: ended.exit,
            errors,
        }
    }
}

/// What our program says of a bundle.
pub(crate) fn ours(path: &Path, request: &Verify) -> Said {
    match audit::verify(path, request) {
        Ok(report) => Said::of(&report),
        Err(error) => Said::failed(&error),
    }
}

/// What `verify.py` says of a bundle with these arguments more.
pub(crate) fn theirs(path: &Path, more: &[&str]) -> Said {
    let arguments = [&[path.to_str().unwrap()], more].concat();
    Said::read(judge::ask(&arguments))
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
