//! Openings of ledgers, and keys.

use super::Roles;
use crate::hash::Digest;
use crate::key::{Fingerprint, Signature};

members! {
    /// Which database a ledger lives in.
    DatabaseId {
        /// The kind of database, as `postgres`.
        engine: String,
        /// What tells this database from every other, its copies among them.
        identity: String,
        /// The database's name.
        name: String,
    }

    /// A key with the roles it is given.
    KeyGrant {
        /// Whose key it is.
        name: String,
        /// The key as `ssh-ed25519 AAAA…`, without comment.
        public: String,
        /// What it may sign.
        roles: Roles,
    }

    /// Opens a ledger; the first entry, and nowhere else.
    LedgerCreated {
        /// The database it is opened in.
        database: DatabaseId,
        /// The one first key, which signs this entry and is an owner.
        key: KeyGrant,
        /// 32 random bytes.
        nonce: Digest,
    }

    /// Opens a ledger of its own for a copy of a database.
    LedgerForked {
        /// The copy.
        database: DatabaseId,
        /// A key that enters here; where it signs this entry without being an owner before,
        /// all earlier keys hold no role any more.
        key: Option<KeyGrant>,
        /// Why, in a person's words.
        reason: String,
    }

    /// Tells that the same ledger goes on upon another server.
    LedgerMoved {
        /// The database as it is now.
        database: DatabaseId,
        /// Why, in a person's words.
        reason: String,
    }

    /// One head that is known to be lost.
    Lost {
        /// The Merkle root over the lost ledger's first `size` entries.
        root: Digest,
        /// The number of entries.
        size: u64,
    }

    /// Opens a ledger anew after a restore from outside made it shorter.
    LedgerRewound {
        /// Every size and root known to be lost.
        lost: Vec<Lost>,
        /// Why, in a person's words.
        reason: String,
    }

    /// Lets a key in.
    KeyAdded {
        /// Whose key it is.
        name: String,
        /// The new key's signature over `<ledger id> <fingerprint>\n` in its own namespace.
        proof: Signature,
        /// The key as `ssh-ed25519 AAAA…`, without comment.
        public: String,
        /// What it may sign.
        roles: Roles,
    }

    /// Ends a key's time; this entry may be its last signature.
    KeyRetired {
        /// The first seq whose signature by this key is suspect.
        compromised_from: Option<u64>,
        /// Which key.
        fingerprint: Fingerprint,
        /// Why, in a person's words.
        reason: String,
    }
}

nested!(DatabaseId, KeyGrant, Lost);
