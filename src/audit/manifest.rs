//! The list of a bundle's files, and the signature over it.

use std::collections::BTreeMap;
use std::fmt;

use ledger::sshsig::{self, EXPORT_NAMESPACE};
use ledger::{Digest, Keyring, Role, SignError, Signer};

use super::{MANIFEST, MANIFEST_SIGNATURE, is_name};

/// The roles that may sign a manifest, beside `owner`.
pub(crate) const ROLES: &[Role] = &[Role::Auditor];

/// The digest of each file, in the form that `sha256sum -c` reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Manifest(pub(crate) BTreeMap<String, Digest>);

impl Manifest {
    /// Reads a list; the error says which line is wrong and how.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut files = BTreeMap::new();
        let lines = text
            .strip_suffix('\n')
            .ok_or("expected a line feed at the end of the manifest, found none")?;
        for (index, line) in lines.split('\n').enumerate() {
            let number = index + 1;
            let malformed = || {
                format!(
                    "line {number} of the manifest: expected a digest, two spaces and the name of a \
                     file, found `{}`",
                    ledger::fit(line, 200).escape_debug()
                )
            };
            let (digest, name) = line.split_once("  ").ok_or_else(malformed)?;
            let digest: Digest = digest.parse().map_err(|_| malformed())?;
            if !is_name(name) || name == MANIFEST || name == MANIFEST_SIGNATURE {
                return Err(malformed());
            }
            if files.insert(name.to_owned(), digest).is_some() {
                return Err(format!(
                    "line {number} of the manifest: `{name}` is listed twice"
                ));
            }
        }
        Ok(Self(files))
    }

    /// Signs the list; what comes back is what `ssh-keygen -Y verify` reads.
    pub(crate) fn sign(&self, signer: &dyn Signer) -> Result<String, SignError> {
        let key = signer.public_key();
        let preimage = sshsig::preimage(EXPORT_NAMESPACE, self.to_string().as_bytes());
        let signature = signer.sign(&preimage)?;
        if !key.verify(&preimage, &signature) {
            return Err(SignError::BadSignature(key.fingerprint()));
        }
        Ok(sshsig::armor(key, EXPORT_NAMESPACE, &signature))
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, digest) in &self.0 {
            writeln!(formatter, "{digest}  {name}")?;
        }
        Ok(())
    }
}

/// Says what is wrong with the signature over a manifest's bytes, by a ledger of `size` entries.
pub(super) fn fault(
    signature: &str,
    manifest: &[u8],
    keyring: &Keyring,
    size: u64,
) -> Option<String> {
    let armored = match sshsig::dearmor(signature) {
        Ok(armored) => armored,
        Err(fault) => return Some(format!("`{MANIFEST_SIGNATURE}`: {fault}")),
    };
    let key = armored.key.fingerprint();
    if armored.namespace != EXPORT_NAMESPACE {
        return Some(format!(
            "expected a signature for `{EXPORT_NAMESPACE}` over the manifest, found one for `{}`",
            ledger::fit(&armored.namespace, 100)
        ));
    }
    // there is one form of it, so that every change of the file is one of the bundle
    if sshsig::armor(&armored.key, EXPORT_NAMESPACE, &armored.signature) != signature {
        return Some(format!(
            "expected `{MANIFEST_SIGNATURE}` as `ssh-keygen` writes it, found other white space"
        ));
    }
    let preimage = sshsig::preimage(EXPORT_NAMESPACE, manifest);
    if !armored.key.verify(&preimage, &armored.signature) {
        return Some(format!(
            "the manifest's signature is not one of `{key}` over this manifest"
        ));
    }
    let may_sign = keyring
        .entries()
        .iter()
        .any(|entry| entry.fingerprint == key && entry.counts_at(size) && entry.holds_any(ROLES));
    (!may_sign).then(|| {
        format!(
            "expected the manifest to be signed by an `auditor` or `owner` of the ledger at {size} \
             entries, found `{key}`"
        )
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_list_is_read_as_it_was_written() {
        let manifest = Manifest(BTreeMap::from([
            ("events.jsonl".to_owned(), Digest::of(b"1")),
            ("objects/00".to_owned(), Digest::of(b"2")),
        ]));
        assert_eq!(Manifest::parse(&manifest.to_string()), Ok(manifest));
    }

    #[test]
    fn other_lists_are_refused_with_their_line() {
        let digest = Digest::of(b"1");
        for (bad, words) in [
            (String::new(), "line feed"),
            (format!("{digest}  signatures"), "line feed"),
            (format!("{digest}  signatures\r\n"), "line 1"),
            (format!("{digest} signatures\n"), "line 1"),
            (format!("{digest}  a\n\n"), "line 2"),
            (format!("{digest}  a\n{digest}  a\n"), "twice"),
            (format!("{digest}  ../a\n"), "line 1"),
            (format!("{digest}  {MANIFEST}\n"), "line 1"),
            (format!("{digest}  a\0b\n"), "\\0"),
            (format!("{}  a\n", "A".repeat(64)), "line 1"),
        ] {
            let fault = Manifest::parse(&bad).unwrap_err();
            assert!(fault.contains(words), "{bad:?}: {fault}");
        }
    }
}
