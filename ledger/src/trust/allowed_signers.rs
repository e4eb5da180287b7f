//! OpenSSH's allowed signers file (`ssh-keygen(1)`, ALLOWED SIGNERS).

use crate::key::{Fingerprint, PublicKey};
use crate::sshsig::EVENT_NAMESPACE;

/// A line of the file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct AllowedSignersError {
    line: usize,
    message: String,
}

/// The keys that the verifier was told to trust.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedSigners {
    signers: Vec<AllowedSigner>,
}

/// One Ed25519 key of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedSigner {
    /// The principals, as they stand there.
    pub principals: String,
    /// The patterns of namespaces that it counts for; `None` for all.
    pub namespaces: Option<Vec<String>>,
    /// The key.
    pub key: PublicKey,
}

impl AllowedSigners {
    /// Reads the file's text. Keys of other algorithms and certificate authorities sign no
    /// event and are left out.
    ///
    /// # Errors
    ///
    /// When a line is malformed, or restricts a key in a way that cannot be honoured here:
    /// `valid-after` and `valid-before` speak of clocks, and a key counts by position in the log.
    pub fn parse(text: &str) -> Result<Self, AllowedSignersError> {
        let mut signers = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match signer(line) {
                Ok(Some(signer)) => signers.push(signer),
                Ok(None) => {}
                Err(message) => {
                    return Err(AllowedSignersError {
                        line: index + 1,
                        message,
                    });
                }
            }
        }
        Ok(Self { signers })
    }

    /// Returns the keys, in the file's order.
    #[must_use]
    pub fn signers(&self) -> &[AllowedSigner] {
        &self.signers
    }

    /// Tells whether the key may sign events.
    #[must_use]
    pub fn trusts(&self, key: &Fingerprint) -> bool {
        self.signers.iter().any(|signer| {
            signer.key.fingerprint() == *key
                && signer.namespaces.as_ref().is_none_or(|patterns| {
                    patterns
                        .iter()
                        .any(|pattern| matches(pattern.as_bytes(), EVENT_NAMESPACE.as_bytes()))
                })
        })
    }
}

fn signer(line: &str) -> Result<Option<AllowedSigner>, String> {
    let (principals, rest) = field(line)?;
    let mut namespaces = None;
    let mut key_text = rest;
    if !is_key_type(rest) {
        let (options, after) = field(rest)?;
        key_text = after;
        for option in split_options(options) {
            match option.split_once('=') {
                Some(("namespaces", patterns)) => {
                    let patterns = patterns.trim_matches('"');
                    if patterns.contains('!') {
                        return Err(format!("negated namespaces `{patterns}` are not supported"));
                    }
                    namespaces = Some(patterns.split(',').map(str::to_owned).collect());
                }
                None if option == "cert-authority" => return Ok(None),
                _ => {
                    return Err(format!(
                        "expected the option `namespaces`, found `{option}`; keys count by position in the log, not by clock"
                    ));
                }
            }
        }
    }
    if !is_key_type(key_text) {
        return Err(format!("expected a public key, found `{key_text}`"));
    }
    if !key_text.starts_with("ssh-ed25519 ") {
        return Ok(None);
    }
    let key = PublicKey::from_openssh(key_text).map_err(|fault| fault.to_string())?;
    Ok(Some(AllowedSigner {
        principals: principals.trim_matches('"').to_owned(),
        namespaces,
        key,
    }))
}

/// Splits off the text before the first white space that is not within quotes.
fn field(text: &str) -> Result<(&str, &str), String> {
    let mut quoted = false;
    for (index, mark) in text.char_indices() {
        match mark {
            '"' => quoted = !quoted,
            ' ' | '\t' if !quoted => return Ok((&text[..index], text[index..].trim_start())),
            _ => {}
        }
    }
    Err(format!(
        "expected principals, options and a public key, found `{text}`"
    ))
}

fn split_options(options: &str) -> Vec<&str> {
    let mut quoted = false;
    options
        .split(move |mark| {
            quoted ^= mark == '"';
            mark == ',' && !quoted
        })
        .collect()
}

fn is_key_type(text: &str) -> bool {
    ["ssh-", "ecdsa-", "sk-"]
        .iter()
        .any(|prefix| text.starts_with(prefix))
}

/// Matches OpenSSH's patterns of `*` and `?`.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            matches(rest, text)
                || text
                    .split_first()
                    .is_some_and(|(_, shorter)| matches(pattern, shorter))
        }
        (Some((b'?', rest)), Some((_, shorter))) => matches(rest, shorter),
        (Some((mark, rest)), Some((other, shorter))) => mark == other && matches(rest, shorter),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";

    fn trusts(line: &str) -> bool {
        let key = PublicKey::from_openssh(KEY).unwrap().fingerprint();
        AllowedSigners::parse(line).unwrap().trusts(&key)
    }

    #[test]
    fn keys_count_in_the_namespaces_they_are_listed_for() {
        assert!(trusts(&format!("dana@example.com {KEY}")));
        assert!(trusts(&format!("dana@example.com {KEY} at home\n")));
        assert!(trusts(&format!(
            "\"dana,d*\"  namespaces=\"file,event-v1@mledger\" {KEY}"
        )));
        assert!(trusts(&format!("* namespaces=\"event-*@mledge?\" {KEY}")));
        assert!(!trusts(&format!("dana namespaces=\"git\" {KEY}")));
        assert!(!trusts(&format!("dana cert-authority {KEY}")));
        assert!(!trusts(&format!("# {KEY}\n\n")));
        assert!(!trusts("dana ssh-rsa AAAA"));
    }

    #[test]
    fn what_cannot_be_honoured_is_refused_with_its_line() {
        for line in [
            format!("dana valid-before=\"20260101\" {KEY}"),
            format!("dana namespaces=\"!git,*\" {KEY}"),
            "dana".to_owned(),
            "dana ssh-ed25519 AAAA".to_owned(),
            "dana namespaces=\"x\" nothing".to_owned(),
        ] {
            let fault = AllowedSigners::parse(&format!("\n{line}")).unwrap_err();
            assert!(fault.to_string().starts_with("line 2: "), "{fault}");
        }
    }
}
