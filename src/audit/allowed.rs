//! The keys of a ledger as a file that `ssh-keygen -Y verify` reads.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use ledger::sshsig::{EVENT_NAMESPACE, EXPORT_NAMESPACE};
use ledger::trust::KeyEntry;
use ledger::{AllowedSigners, Fingerprint};

/// Returns the allowed-signers file of these keys, retired ones too: what they signed stays signed.
pub(crate) fn allowed_signers(entries: &[KeyEntry]) -> String {
    let mut seen = BTreeSet::new();
    let mut text = String::new();
    for entry in entries {
        let line = format!(
            "{} namespaces=\"{EVENT_NAMESPACE},{EXPORT_NAMESPACE}\" {}",
            principal(entry),
            entry.public
        );
        if seen.insert(line.clone()) {
            // writing to a string does not fail
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

/// Returns the name under which the file lists a key: the key's own, where all its characters are plain.
///
/// A principal is a list of patterns, so a comma, a star or a quote in a name would mean something else.
pub(crate) fn principal(entry: &KeyEntry) -> String {
    let plain: String = entry
        .name
        .chars()
        .take(200)
        .map(|mark| match mark {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '@' | '.' | '_' | '+' | '-' => mark,
            _ => '_',
        })
        .collect();
    match plain.trim_start_matches(['-', '.']) {
        "" => "unnamed".to_owned(),
        name => name.to_owned(),
    }
}

/// Says what is wrong with the file of a bundle: it must list the ledger's keys and no other.
pub(super) fn disagreement(text: &str, entries: &[KeyEntry]) -> Option<String> {
    let listed = match AllowedSigners::parse(text) {
        Ok(listed) => listed,
        Err(fault) => return Some(fault.to_string()),
    };
    let known: BTreeSet<Fingerprint> = entries.iter().map(|entry| entry.fingerprint).collect();
    let found: BTreeSet<Fingerprint> = listed
        .signers()
        .iter()
        .map(|signer| signer.key.fingerprint())
        .collect();
    if let Some(key) = found.difference(&known).next() {
        return Some(format!("expected the ledger's keys, found `{key}` too"));
    }
    known
        .difference(&found)
        .next()
        .map(|key| format!("expected the ledger's keys, found all but `{key}`"))
}
