//! What auditors take home: bundles of the whole ledger that can be checked without this tool.
//!
//! A bundle (docs/format.md section 11) is a folder, or one `.tar.zst` of it, with the bytes of the
//! log and of everything it names. [`verify()`] checks one without a database and without a
//! configuration, and so does the program that lies inside of it.

mod allowed;
mod archive;
mod contents;
pub(crate) mod draft;
pub(crate) mod manifest;
pub(crate) mod objects;
mod pairs;
mod proof;
pub(crate) mod readme;
mod report;
mod verification;

pub(crate) use self::allowed::{allowed_signers, principal};
pub use self::proof::verify_proof;
pub use self::report::{enclosure, report};
pub use self::verification::verify;
pub(crate) use self::verification::{trust, verify_telling};

/// The lines of the log.
pub(crate) const EVENTS: &str = "events.jsonl";
/// Their signatures, line for line.
pub(crate) const SIGNATURES: &str = "signatures";
/// The signed tree head over exactly these entries.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// The folder of earlier signed tree heads.
pub(crate) const CHECKPOINTS: &str = "checkpoints/";
/// The keys.
pub(crate) const ALLOWED_SIGNERS: &str = "allowed_signers";
/// The folder of objects.
pub(crate) const OBJECTS: &str = "objects/";
/// The objects of which only digest and size are kept.
pub(crate) const ABSENT: &str = "objects.absent";
/// The folder of reports, made from the events.
pub(crate) const REPORTS: &str = "reports/";
/// How to check all this.
pub(crate) const README: &str = "README.txt";
/// The verifier that needs none of our code.
pub(crate) const VERIFIER: &str = "verify.py";
/// The list of all other files.
pub(crate) const MANIFEST: &str = "MANIFEST.sha256";
/// The signature over that list.
pub(crate) const MANIFEST_SIGNATURE: &str = "MANIFEST.sha256.sig";

/// The text of the verifier that needs none of our code.
pub(crate) const VERIFIER_TEXT: &str = include_str!("verify.py");

/// Says whether a name may stand in a bundle: one or two plain parts, and nothing that a shell or a
/// file system could understand in another way.
pub(crate) fn is_name(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    let plain = |part: &&str| {
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
    };
    name.len() <= 150 && parts.len() <= 2 && parts.iter().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_verifier_can_be_read_in_one_sitting() {
        let lines: Vec<&str> = VERIFIER_TEXT.lines().collect();
        assert!(lines.len() < 500, "{} lines", lines.len());
        let longest = lines.iter().map(|line| line.len()).max();
        assert!(longest <= Some(150), "{longest:?} columns");
    }

    #[test]
    fn only_plain_names_stand_in_a_bundle() {
        for good in [
            EVENTS,
            MANIFEST_SIGNATURE,
            "objects/00ff",
            "reports/changes.csv",
        ] {
            assert!(is_name(good), "{good}");
        }
        for bad in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../x",
            "a/../b",
            "a//b",
            "a/b/c",
            "./a",
            ".hidden",
            "-rf",
            "a\\b",
            "a b",
            "a\nb",
            "é",
            "c:x",
        ] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }
}
