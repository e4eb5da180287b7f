//! A bundle to tamper with, and what two programs say of it: ours, and the one that lies in every bundle.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mledger::audit;
use mledger::ledger::sshsig::{self, EXPORT_NAMESPACE};
use mledger::ledger::{Digest, Severity, Signer as _, SigningKey};
use mledger::request::Verify;
use tempfile::TempDir;

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
        ours(&self.path())
    }

    /// What `verify.py` says, with the packages of this machine or without any.
    pub(crate) fn theirs(&self, alone: bool) -> Said {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/src/audit/verify.py");
        let mut python = Command::new("python3");
        if alone {
            let hide = "import runpy, sys; sys.modules['cryptography'] = None; \
                        sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')";
            python.args(["-c", hide]);
        }
        let output = python.arg(program).arg(self.path()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.is_empty(), "no traceback: {stderr}");
        let errors = text
            .lines()
            .filter_map(|line| line.strip_prefix("error "))
            .map(|line| line.split([' ', ':']).next().unwrap().to_owned())
            .collect();
        Said {
            exit: output.status.code().unwrap(),
            errors,
        }
    }

    /// Asserts that both programs say the same, and returns it.
    #[track_caller]
    pub(crate) fn both(&self, case: &str) -> Said {
        let ours = self.ours();
        assert_eq!(ours, self.theirs(false), "{case}: ours and verify.py");
        assert_eq!(
            ours.exit,
            if ours.errors.is_empty() { 0 } else { 4 },
            "{case}"
        );
        ours
    }
}

/// What our program says of a bundle.
pub(crate) fn ours(path: &Path) -> Said {
    match audit::verify(path, &Verify::default()) {
        Ok(report) => {
            let errors: BTreeSet<String> = report
                .findings
                .iter()
                .filter(|finding| finding.severity == Severity::Error)
                .map(|finding| finding.code.as_str().to_owned())
                .collect();
            Said {
                exit: if errors.is_empty() { 0 } else { 4 },
                errors,
            }
        }
        Err(error) => Said {
            exit: i32::from(error.exit_code()),
            errors: BTreeSet::from([error.code().to_owned()]),
        },
    }
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
