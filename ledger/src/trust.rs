//! Trust: which keys count where in the log, and which ones the verifier was told of
//! (format section 4).

mod allowed_signers;

use std::collections::BTreeMap;

use crate::body::{Body, KeyAdded, KeyGrant, KeyRetired, Role, Roles};
use crate::event::Event;
use crate::finding::Code;
use crate::key::{Fingerprint, PublicKey};
use crate::sshsig::{self, KEY_PROOF_NAMESPACE};

pub use allowed_signers::{AllowedSigners, AllowedSignersError};

/// A key that was let in, and where in the log it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEntry {
    /// Whose key it is.
    pub name: String,
    /// The key.
    pub public: PublicKey,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// What it may sign.
    pub roles: Roles,
    /// The seq of the event that let it in; it counts after that.
    pub added: u64,
    /// The last seq that it counts for.
    pub retired: Option<u64>,
    /// The first seq whose signature by it is suspect.
    pub compromised_from: Option<u64>,
    /// The last seq that names it as its signer.
    pub last_signed: Option<u64>,
}

impl KeyEntry {
    /// Tells whether the key counts for the entry at `seq`: by position, never by clock.
    #[must_use]
    pub fn counts_at(&self, seq: u64) -> bool {
        self.added < seq && self.retired.is_none_or(|retired| seq <= retired)
    }

    /// Tells whether the key holds `owner` or one of `roles`.
    #[must_use]
    pub fn holds_any(&self, roles: &[Role]) -> bool {
        self.roles
            .iter()
            .any(|role| *role == Role::Owner || roles.contains(role))
    }
}

/// What is wrong with an event's key, with the code that it is reported under.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct KeyFault {
    /// The finding's code.
    pub code: Code,
    /// What was expected and what was found.
    pub message: String,
}

/// Every key that the log let in: a fold over its openings and `key.*` events.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    entries: Vec<KeyEntry>,
    /// The newest entry of each key.
    newest: BTreeMap<Fingerprint, usize>,
}

impl Keyring {
    /// Starts with no key.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns every entry, in the order that they were let in.
    #[must_use]
    pub fn entries(&self) -> &[KeyEntry] {
        &self.entries
    }

    /// Returns the entries of keys that are not retired.
    pub fn current(&self) -> impl Iterator<Item = &KeyEntry> {
        self.entries.iter().filter(|entry| entry.retired.is_none())
    }

    /// Returns the newest entry of a key, retired or not.
    #[must_use]
    pub fn find(&self, fingerprint: &Fingerprint) -> Option<&KeyEntry> {
        self.entries.get(*self.newest.get(fingerprint)?)
    }

    /// Returns the key that must have signed `event` at `seq`, and what is wrong with its
    /// signing it there, if anything. Without a key nothing can be verified.
    #[must_use]
    pub fn signer(&self, seq: u64, event: &Event) -> (Option<PublicKey>, Option<KeyFault>) {
        match &event.body {
            Body::LedgerCreated(created) if seq == 0 => own_signer(event, &created.key),
            Body::LedgerForked(forked) if self.is_takeover(seq, event) => {
                match forked.key.as_ref() {
                    Some(grant) => own_signer(event, grant),
                    None => (None, None),
                }
            }
            body => self.listed_signer(seq, event, body),
        }
    }

    /// Folds `event` at `seq`, whose signature was verified before.
    ///
    /// `check_proof` tells whether proofs of possession are verified, too.
    ///
    /// # Errors
    ///
    /// When the event changes keys in a way that the log does not allow; then nothing is
    /// changed, but that a key whose retirement shows signatures to be suspect is retired all
    /// the same ([`Code::KeyCompromised`]).
    pub fn apply(&mut self, seq: u64, event: &Event, check_proof: bool) -> Result<(), KeyFault> {
        match &event.body {
            Body::LedgerCreated(created) if seq == 0 => {
                self.grant(seq, &created.key, Code::KeyUnknown)
            }
            Body::LedgerForked(forked) => {
                let takeover = self.is_takeover(seq, event);
                let Some(grant) = &forked.key else {
                    return Ok(());
                };
                if takeover {
                    for entry in &mut self.entries {
                        entry.retired.get_or_insert(seq);
                    }
                } else if self.holds_now(seq, &grant.public) {
                    return Ok(());
                }
                self.grant(seq, grant, Code::KeyUnknown)
            }
            Body::KeyAdded(added) => self.add(seq, event, added, check_proof),
            Body::KeyRetired(retired) => self.retire(seq, retired),
            _ => Ok(()),
        }
    }

    /// Notes that the entry at `seq` names the key as its signer.
    pub fn note_signature(&mut self, seq: u64, key: &Fingerprint) {
        if let Some(index) = self.newest.get(key)
            && let Some(entry) = self.entries.get_mut(*index)
        {
            entry.last_signed = Some(seq);
        }
    }

    /// Tells whether a fork is signed by the key that it names and by no owner from before, so
    /// that all earlier keys hold no role any more.
    #[must_use]
    pub fn is_takeover(&self, seq: u64, event: &Event) -> bool {
        let Body::LedgerForked(forked) = &event.body else {
            return false;
        };
        let is_owner = self
            .find(&event.key)
            .is_some_and(|entry| entry.counts_at(seq) && entry.holds_any(&[]));
        let names_signer = forked.key.as_ref().is_some_and(|grant| {
            PublicKey::from_openssh(&grant.public).is_ok_and(|key| key.fingerprint() == event.key)
        });
        names_signer && !is_owner
    }

    fn listed_signer(
        &self,
        seq: u64,
        event: &Event,
        body: &Body,
    ) -> (Option<PublicKey>, Option<KeyFault>) {
        let key = &event.key;
        let Some(entry) = self.find(key) else {
            return (
                None,
                fault(
                    Code::KeyUnknown,
                    format!("expected a key that was let in before, found `{key}`"),
                ),
            );
        };
        let wrong = if !entry.counts_at(seq) {
            Some(match entry.retired {
                Some(retired) => format!("key `{key}` was retired at seq {retired}"),
                None => format!("key `{key}` counts only after seq {}", entry.added),
            })
        } else if matches!(body, Body::Unknown { .. }) || entry.holds_any(body.roles()) {
            None
        } else {
            let allowed: Vec<&str> = body.roles().iter().map(|role| role.as_str()).collect();
            let held: Vec<&str> = entry.roles.iter().map(|role| role.as_str()).collect();
            Some(format!(
                "expected a key of role `{}` to sign `{}`, found `{key}` of role `{}`",
                [&["owner"], allowed.as_slice()].concat().join("` or `"),
                body.kind(),
                held.join("`, `"),
            ))
        };
        let wrong = wrong.and_then(|message| fault(Code::KeyNotAuthorised, message));
        (Some(entry.public.clone()), wrong)
    }

    fn grant(&mut self, seq: u64, grant: &KeyGrant, code: Code) -> Result<(), KeyFault> {
        let public = bare_key(&grant.public).map_err(|message| KeyFault { code, message })?;
        self.insert(seq, &grant.name, public, &grant.roles);
        Ok(())
    }

    fn add(
        &mut self,
        seq: u64,
        event: &Event,
        added: &KeyAdded,
        check_proof: bool,
    ) -> Result<(), KeyFault> {
        let invalid = |message| KeyFault {
            code: Code::KeyProofInvalid,
            message,
        };
        let public = bare_key(&added.public).map_err(invalid)?;
        let fingerprint = public.fingerprint();
        if self.holds_now(seq, &added.public) {
            return Err(KeyFault {
                code: Code::LifecycleBroken,
                message: format!(
                    "key `{fingerprint}` is in already; retire it before it is added with other roles"
                ),
            });
        }
        if check_proof {
            let message = sshsig::key_proof_message(&event.ledger, &fingerprint);
            let preimage = sshsig::preimage(KEY_PROOF_NAMESPACE, &message);
            if !public.verify(&preimage, &added.proof) {
                return Err(invalid(format!(
                    "the proof is not a signature of `{fingerprint}` over this ledger's id and itself"
                )));
            }
        }
        self.insert(seq, &added.name, public, &added.roles);
        Ok(())
    }

    fn retire(&mut self, seq: u64, retired: &KeyRetired) -> Result<(), KeyFault> {
        let key = retired.fingerprint;
        let broken = |message| KeyFault {
            code: Code::LifecycleBroken,
            message,
        };
        let index = *self
            .newest
            .get(&key)
            .filter(|index| {
                self.entries
                    .get(**index)
                    .is_some_and(|entry| entry.retired.is_none())
            })
            .ok_or_else(|| broken(format!("expected a current key to retire, found `{key}`")))?;
        let other_owner = self
            .current()
            .any(|entry| entry.fingerprint != key && entry.holds_any(&[]));
        if !other_owner {
            return Err(broken(format!(
                "key `{key}` is the last owner and cannot be retired"
            )));
        }
        if let Some(entry) = self.entries.get_mut(index) {
            entry.retired = Some(seq);
            entry.compromised_from = retired.compromised_from;
        }
        match retired.compromised_from {
            Some(from) if self.signed_since(&key, from) => Err(KeyFault {
                code: Code::KeyCompromised,
                message: format!("what key `{key}` signed from seq {from} on is suspect"),
            }),
            _ => Ok(()),
        }
    }

    fn signed_since(&self, key: &Fingerprint, from: u64) -> bool {
        self.entries
            .iter()
            .filter(|entry| entry.fingerprint == *key)
            .any(|entry| entry.last_signed.is_some_and(|last| last >= from))
    }

    fn holds_now(&self, seq: u64, public: &str) -> bool {
        PublicKey::from_openssh(public)
            .ok()
            .and_then(|key| self.find(&key.fingerprint()))
            .is_some_and(|entry| entry.retired.is_none_or(|retired| seq <= retired))
    }

    fn insert(&mut self, seq: u64, name: &str, public: PublicKey, roles: &Roles) {
        let fingerprint = public.fingerprint();
        self.newest.insert(fingerprint, self.entries.len());
        self.entries.push(KeyEntry {
            name: name.to_owned(),
            public,
            fingerprint,
            roles: roles.clone(),
            added: seq,
            retired: None,
            compromised_from: None,
            last_signed: None,
        });
    }
}

/// Checks an opening that names the key which signs it.
fn own_signer(event: &Event, grant: &KeyGrant) -> (Option<PublicKey>, Option<KeyFault>) {
    let public = match bare_key(&grant.public) {
        Ok(public) => public,
        Err(message) => return (None, fault(Code::KeyUnknown, message)),
    };
    let wrong = if public.fingerprint() != event.key {
        Some(format!(
            "expected `{}` to be signed by the key it names, `{}`, found `{}`",
            event.body.kind(),
            public.fingerprint(),
            event.key
        ))
    } else if grant.roles.contains(&Role::Owner) {
        None
    } else {
        Some(format!(
            "expected the key that `{}` names to be an owner",
            event.body.kind()
        ))
    };
    (
        Some(public),
        wrong.and_then(|message| fault(Code::KeyNotAuthorised, message)),
    )
}

/// Reads a public key as it stands in an event: without comment, and not weak.
fn bare_key(text: &str) -> Result<PublicKey, String> {
    let public = PublicKey::from_openssh(text).map_err(|wrong| wrong.to_string())?;
    if public.to_openssh() == text {
        return Ok(public);
    }
    Err(format!(
        "expected a public key without comment, found `{text}`"
    ))
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "callers return it where there may be none"
)]
const fn fault(code: Code, message: String) -> Option<KeyFault> {
    Some(KeyFault { code, message })
}
