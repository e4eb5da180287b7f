//! A ledger to tamper with, and what the program says of it afterwards.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;

use mledger::ledger::{Checkpoint, Digest, SigningKey};
use serde_json::Value;

use crate::attacker::{self, Attacker, content_query};
use crate::support::engines::Kind;
use crate::support::{Ended, Project, effects};

/// One ledger that the program has made: migrations applied, failed, rolled back and resolved.
pub(crate) struct Specimen {
    pub(crate) project: Project,
    kept: Vec<u8>,
    content: String,
    content_query: String,
    pub(crate) size: u64,
    pub(crate) ledger: String,
}

/// What a verification is given from outside the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Given {
    /// Nothing: a machine that has never seen this ledger.
    Nothing,
    /// The head that this machine remembers.
    RememberedHead,
    /// A checkpoint over the whole ledger, kept elsewhere.
    Checkpoint,
    /// The ledger's id.
    Ledger,
    /// The project's key as an allowed-signers file.
    Trust,
}

impl Given {
    pub(crate) const ALL: [Self; 5] = [
        Self::Nothing,
        Self::RememberedHead,
        Self::Checkpoint,
        Self::Ledger,
        Self::Trust,
    ];
}

/// What `verify` said.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    pub(crate) code: i32,
    /// Codes of what counts as an error, of findings and of a command that could not look.
    pub(crate) errors: BTreeSet<String>,
    pub(crate) warnings: BTreeSet<String>,
    pub(crate) anchored_to: Option<String>,
    pub(crate) trusted: Option<bool>,
    pub(crate) ended: Ended,
}

impl Specimen {
    /// Builds the ledger with the program and nothing else.
    pub(crate) fn on(kind: &Kind) -> Self {
        let project = Project::with_effects_on(kind, 4);
        project.ok(&["up", "--count", "2"]);
        project.ok(&["up", "--ticket", "SHOP-7"]);
        project.ok(&["down"]);
        project.write(
            "migrations/5_m5.sql",
            // nothing is left of it where a schema change commits by itself either
            "-- UP\nINSERT INTO nowhere VALUES (1);\nCREATE TABLE t5 (id INTEGER PRIMARY KEY);\n",
        );
        project.fails(1, &["up"]);
        project.write("migrations/5_m5.sql", &effects(5));
        project.ok(&["up"]);
        project.write(
            "migrations/2_m2.sql",
            &format!("-- edited after it was applied\n{}", effects(2)),
        );
        project.fails(4, &["up"]);
        project.ok(&[
            "resolve",
            "2",
            "--accept-change",
            "--reason",
            "only a comment",
            "--yes",
        ]);
        project.ok(&["redo"]);
        let status = project.json(&["status"]);
        assert_eq!(project.applied(), ["1", "2", "3", "4", "5"]);
        let mut specimen = Self {
            kept: project.place.save_ledger(),
            content: String::new(),
            content_query: String::new(),
            size: status["ledger"]["size"].as_u64().unwrap(),
            ledger: status["ledger"]["id"].as_str().unwrap().to_owned(),
            project,
        };
        specimen.content_query = content_query(&specimen);
        specimen.content = project_content(&specimen);
        specimen.write_checkpoint();
        specimen.write_trust();
        specimen
    }

    /// Puts the ledger back to how the program left it.
    pub(crate) fn restore(&self) {
        self.project.place.load_ledger(&self.kept);
    }

    /// Says whether every value of the ledger is as the program left it.
    pub(crate) fn is_as_made(&self) -> bool {
        project_content(self) == self.content
    }

    pub(crate) fn attacker(&self) -> &'static dyn Attacker {
        attacker::against(&self.project.kind)
    }

    pub(crate) fn key(&self) -> SigningKey {
        let path = self.project.path().join("home/config/mledger/id_ed25519");
        SigningKey::from_openssh(&fs::read_to_string(path).unwrap(), None).unwrap()
    }

    /// The project's public key in OpenSSH's form.
    pub(crate) fn public(&self) -> String {
        use mledger::ledger::Signer as _;
        self.key().public_key().to_openssh()
    }

    fn write_checkpoint(&self) {
        let verified = self.project.json(&["verify"]);
        let checkpoint = Checkpoint {
            ledger: self.ledger.parse::<Digest>().unwrap(),
            size: self.size,
            root: verified["root"].as_str().unwrap().parse().unwrap(),
        };
        let note = checkpoint.sign(&self.key()).unwrap();
        self.project.write("kept/checkpoint", &note.to_string());
    }

    fn write_trust(&self) {
        self.project.write(
            "kept/allowed_signers",
            &format!(
                "dana@example.com namespaces=\"event-v1@mledger\" {}\n",
                self.public()
            ),
        );
    }

    /// Runs a command on this machine, or on one that has never seen the ledger.
    pub(crate) fn run(&self, arguments: &[&str], given: Given) -> Ended {
        if given == Given::RememberedHead {
            return self.project.run(arguments);
        }
        let elsewhere = tempfile::tempdir().unwrap();
        let state = elsewhere.path().to_str().unwrap().to_owned();
        self.project
            .run_with(arguments, &[("XDG_STATE_HOME", &state)])
    }

    /// Verifies the ledger with what is given.
    pub(crate) fn verify(&self, given: Given) -> Verdict {
        let mut arguments = vec!["verify", "--json"];
        match given {
            Given::Nothing | Given::RememberedHead => {}
            Given::Checkpoint => arguments.extend(["--checkpoint", "kept/checkpoint"]),
            Given::Ledger => arguments.extend(["--ledger", &self.ledger]),
            Given::Trust => arguments.extend(["--trust", "kept/allowed_signers"]),
        }
        Verdict::read(self.run(&arguments, given))
    }
}

impl Verdict {
    fn read(ended: Ended) -> Self {
        let document: Value = serde_json::from_str(&ended.stdout)
            .unwrap_or_else(|error| panic!("`verify --json` gives JSON: {error}: {ended:#?}"));
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let of = |severity: &str| -> BTreeSet<String> {
            let findings = document["findings"].as_array();
            findings
                .into_iter()
                .flatten()
                .filter(|finding| finding["severity"] == severity)
                .filter_map(|finding| text(&finding["code"]))
                .collect()
        };
        let mut errors = of("error");
        errors.extend(text(&document["error"]["code"]));
        assert_eq!(
            document["ok"] == true,
            ended.code == 0,
            "`ok` and the exit code agree: {ended:#?}"
        );
        assert_eq!(
            errors.is_empty(),
            ended.code == 0,
            "errors and the exit code agree: {ended:#?}"
        );
        Self {
            code: ended.code,
            errors,
            warnings: of("warning"),
            anchored_to: text(&document["anchored_to"]),
            trusted: document["trusted"].as_bool(),
            ended,
        }
    }

    /// Asserts that it was found, under this name and as a matter of integrity.
    #[track_caller]
    pub(crate) fn assert_found(&self, code: &str, case: &str) {
        assert_eq!(
            self.code, 4,
            "{case}: it is found (exit code 4): {:#?}",
            self.ended
        );
        assert!(
            self.errors.contains(code),
            "{case}: expected `{code}`, found {:?}: {:#?}",
            self.errors,
            self.ended
        );
    }

    /// The events that errors are about.
    pub(crate) fn named(&self) -> BTreeSet<u64> {
        let document: Value = serde_json::from_str(&self.ended.stdout).unwrap();
        let findings = document["findings"].as_array().unwrap();
        findings
            .iter()
            .filter(|finding| finding["severity"] == "error")
            .filter_map(|finding| finding["seq"].as_u64())
            .collect()
    }

    /// Asserts that nothing is wrong as far as can be known, and what that rests on.
    #[track_caller]
    pub(crate) fn assert_intact(&self, anchored_to: &str, case: &str) {
        assert_eq!(self.code, 0, "{case}: {:#?}", self.ended);
        assert_eq!(
            self.anchored_to.as_deref(),
            Some(anchored_to),
            "{case}: {:#?}",
            self.ended
        );
    }
}

/// What a verification that finds nothing is anchored to.
pub(crate) fn anchor(given: Given) -> &'static str {
    match given {
        Given::Nothing | Given::Ledger | Given::Trust => "nothing",
        Given::RememberedHead => "remembered_head",
        Given::Checkpoint => "checkpoint",
    }
}

/// A second ledger, of another project with another key.
pub(crate) fn other(kind: &Kind) -> Project {
    let project = Project::with_effects_on(kind, 3);
    project.ok(&["up"]);
    project
}

fn project_content(specimen: &Specimen) -> String {
    specimen.project.ask(&specimen.content_query)
}
