//! Letting keys in and retiring them (docs/format.md section 4).
//!
//! A new person proves with their key that they want it in this ledger; an owner then lets it in with
//! the roles that it needs. The proof is an armoured SSH signature, so `ssh-keygen` can make it too.

use std::fmt;
use std::ops::ControlFlow;

use ledger::sshsig::{self, KEY_PROOF_NAMESPACE};
use ledger::{Body, Digest, Fingerprint, KeyAdded, KeyRetired, Keyring, Role};

use super::Migrator;
use super::approve::no_ledger;
use crate::error::Error;
use crate::journal::Fact;
use crate::log::Log;
use crate::report::Decided;
use crate::request::{Authorize, Compromised, EventFilter, Retire};

impl Migrator {
    /// Makes the proof that the holder of this command's key wants it in a ledger: in this database's,
    /// unless the ledger's id is given.
    ///
    /// # Errors
    ///
    /// [`Error::Signing`] when the key fails, [`Error::Usage`] when there is no ledger to ask.
    pub async fn prove_key(&self, ledger: Option<Digest>) -> Result<String, Error> {
        let ledger = match ledger {
            Some(id) => id,
            None => self.open().await?.log.id().ok_or_else(no_ledger)?,
        };
        let signer = self.keys.signer(false)?.signer;
        let public = signer.public_key();
        let message = sshsig::key_proof_message(&ledger, &public.fingerprint());
        let signature = signer
            .sign(&sshsig::preimage(KEY_PROOF_NAMESPACE, &message))
            .map_err(|error| Error::Signing {
                message: format!("the proof could not be signed: {error}"),
                hint: "check the key that --key, MLEDGER_KEY_FILE or MLEDGER_KEY names".to_owned(),
            })?;
        Ok(sshsig::armor(public, KEY_PROOF_NAMESPACE, &signature))
    }

    /// Lets a key in, with the roles that it needs.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] when the proof is not one for this ledger, the key is in already, or this
    /// command's key is no owner.
    pub async fn authorize_key(&self, request: &Authorize) -> Result<Decided, Error> {
        let armored = sshsig::dearmor(&request.proof).map_err(|error| Error::Usage {
            code: "key-proof-invalid",
            message: error.to_string(),
            hint: "the new person makes the proof with `mledger key prove`".to_owned(),
        })?;
        let log = self.open().await?.log;
        let ledger = log.id().ok_or_else(no_ledger)?;
        let fingerprint = armored.key.fingerprint();
        let message = sshsig::key_proof_message(&ledger, &fingerprint);
        let preimage = sshsig::preimage(KEY_PROOF_NAMESPACE, &message);
        let proves = armored.namespace == KEY_PROOF_NAMESPACE
            && armored.key.verify(&preimage, &armored.signature);
        if !proves {
            return Err(Error::refused(
                "key-proof-invalid",
                format!(
                    "expected a proof of `{fingerprint}` for the ledger `{ledger}`, found a signature \
                     over something else"
                ),
                format!("its holder runs `mledger key prove --ledger {ledger}`"),
            ));
        }
        if is_in(log.verifier().keyring(), &fingerprint) {
            return Err(Error::refused(
                "key-known",
                format!("expected a key that is new to the ledger, but `{fingerprint}` is in it"),
                "retire it first where its roles are to change".to_owned(),
            ));
        }
        let mut roles = request.roles.clone();
        roles.sort();
        roles.dedup();
        let names: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
        let said = format!(
            "`{}` is let in as {}, with the key {fingerprint}",
            request.name,
            names.join(", ")
        );
        let fact = Fact::success(Body::KeyAdded(KeyAdded {
            name: ledger::clean(&request.name),
            proof: armored.signature,
            public: armored.key.to_openssh(),
            roles: roles.into(),
        }));
        let log = self.append_alone(&[fact], &[], &[Role::Owner]).await?;
        Ok(decided(said, &log))
    }

    /// Retires a key. What it signed while it was in other hands is a finding of `verify` from then on; the
    /// chain, and what others signed, is as good as before.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] when no current key is meant, or no place in the log, [`Error::Refused`] when it is
    /// the last owner's.
    pub async fn retire_key(&self, request: &Retire) -> Result<Decided, Error> {
        let key = &request.key;
        let log = self.open().await?.log;
        if log.is_empty() {
            return Err(no_ledger());
        }
        let keyring = log.verifier().keyring();
        let found: Vec<_> = keyring
            .current()
            .filter(|entry| entry.fingerprint.to_string() == *key || entry.name == *key)
            .collect();
        let [entry] = found.as_slice() else {
            return Err(Error::Usage {
                code: "key-unknown",
                message: format!(
                    "expected the fingerprint or the name of one key in force, found `{key}`, which {}",
                    match found.len() {
                        0 => "is none".to_owned(),
                        more => format!("names {more}"),
                    }
                ),
                hint: "`mledger key list` shows them".to_owned(),
            });
        };
        let another_owner = keyring
            .current()
            .any(|other| other.fingerprint != entry.fingerprint && other.holds_any(&[]));
        if !another_owner {
            return Err(Error::refused(
                "last-owner",
                format!("`{}` is the last owner, and cannot be retired", entry.name),
                "let another owner in first with `mledger key authorize FILE --role owner`"
                    .to_owned(),
            ));
        }
        let mut said = format!("the key of `{}` is retired", entry.name);
        let compromised_from = match request.compromised {
            Some(since) => {
                let suspect = self.suspect(&log, &entry.fingerprint, since).await?;
                said.push_str(&suspect.to_string());
                Some(suspect.from)
            }
            None => None,
        };
        let fact = Fact::success(Body::KeyRetired(KeyRetired {
            compromised_from,
            fingerprint: entry.fingerprint,
            reason: ledger::clean(&request.reason),
        }));
        let log = self.append_alone(&[fact], &[], &[Role::Owner]).await?;
        Ok(decided(said, &log))
    }

    /// Finds the place from which on a key's signatures are suspect, and counts them.
    async fn suspect(
        &self,
        log: &Log,
        key: &Fingerprint,
        since: Compromised,
    ) -> Result<Suspect, Error> {
        let size = log.size();
        let mut suspect = match since {
            Compromised::From(from) if from <= size => Suspect { from, signed: 0 },
            Compromised::From(from) => {
                return Err(Error::Usage {
                    code: "event-unknown",
                    message: format!(
                        "expected a place in the log, which has {size} events, found `{from}`"
                    ),
                    hint: "`mledger events` lists them; a time is taken as well".to_owned(),
                });
            }
            // where no event is so late there is nothing to doubt
            Compromised::Since(_) => Suspect {
                from: size,
                signed: 0,
            },
        };
        self.events(&EventFilter::default(), &mut |view| {
            let event = &view.event;
            if matches!(since, Compromised::Since(time) if event.time >= time) {
                suspect.from = suspect.from.min(event.seq);
            }
            suspect.signed += u64::from(event.seq >= suspect.from && event.key == *key);
            ControlFlow::Continue(())
        })
        .await?;
        Ok(suspect)
    }
}

/// What a key signed while it was in other hands.
#[derive(Debug, Clone, Copy)]
struct Suspect {
    from: u64,
    signed: u64,
}

impl fmt::Display for Suspect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.signed {
            0 => write!(
                formatter,
                "; it signed nothing from event {} on, so no event is suspect",
                self.from
            ),
            signed => write!(
                formatter,
                "; {signed} of its signatures, from event {} on, are suspect, and `mledger verify` says so \
                 from now on",
                self.from
            ),
        }
    }
}

fn is_in(keyring: &Keyring, key: &Fingerprint) -> bool {
    keyring
        .find(key)
        .is_some_and(|entry| entry.retired.is_none())
}

fn decided(message: String, log: &Log) -> Decided {
    Decided {
        message,
        seq: log.size() - 1,
        head: log.head(),
    }
}
