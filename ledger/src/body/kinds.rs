//! The table of kinds.

use super::part::{Members, whole};
use super::words::Role::{self, Approver, Auditor, Operator, Releaser};
use super::{
    AnchorRecorded, ApprovalGranted, ApprovalRevoked, BackupAccepted, BackupFailed, BackupRemoved,
    BackupRestored, BackupTaken, BackupVerified, CheckFinished, DriftAccepted, DriftDetected,
    HistoryAdopted, HistoryExported, HistorySquashed, KeyAdded, KeyRetired, LedgerCreated,
    LedgerForked, LedgerMoved, LedgerRewound, LockAcquired, LockBroken, LockReleased,
    MigrationAborted, MigrationAccepted, MigrationApplied, MigrationFailed, MigrationMarked,
    MigrationRolledBack, MigrationStarted, MigrationStepApplied, MigrationStepResolved, NoteAdded,
    ObjectRedacted, ReleaseCreated, RunFinished, RunRefused, RunStarted, ValidationFinished,
    VersionTagged,
};
use crate::canonical::{Node, Object, Value};

/// Defines [`Body`] from one line a kind: its text, its type, the roles beside `owner`.
macro_rules! kinds {
    ($($text:literal $name:ident [$($role:ident),*],)+) => {
        /// What happened; one variant a kind.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Body {
            $(#[doc = concat!("`", $text, "`")] $name($name),)+
            /// A kind that this version does not know. Its chain and signature are checked all
            /// the same; nothing else can be said about it.
            Unknown {
                /// The kind's text.
                kind: String,
                /// The whole body.
                body: Value,
            },
        }

        impl Body {
            /// The text of every known kind, in the format's order.
            pub const KINDS: &'static [&'static str] = &[$($text),+];

            /// Returns the kind's text.
            #[must_use]
            pub fn kind(&self) -> &str {
                match self {
                    $(Self::$name(_) => $text,)+
                    Self::Unknown { kind, .. } => kind,
                }
            }

            /// Returns the roles beside `owner`, which may sign every kind, that may sign this.
            #[must_use]
            pub const fn roles(&self) -> &'static [Role] {
                match self {
                    $(Self::$name(_) => &[$($role),*],)+
                    Self::Unknown { .. } => &[],
                }
            }

            /// Reads the body of the given kind.
            pub(crate) fn read(kind: &str, body: Node) -> Result<Self, String> {
                match kind {
                    $($text => whole(body).map(Self::$name),)+
                    _ => match body.into_value() {
                        body @ Value::Object(_) => Ok(Self::Unknown { kind: kind.to_owned(), body }),
                        other => Err(format!("expected an object, found {}", other.sort())),
                    },
                }
            }

            /// Returns the body's canonical value.
            #[must_use]
            pub fn to_value(&self) -> Value {
                let mut object = Object::new();
                match self {
                    $(Self::$name(body) => body.put(&mut object),)+
                    Self::Unknown { body, .. } => return body.clone(),
                }
                Value::Object(object)
            }
        }

        $(impl From<$name> for Body {
            fn from(body: $name) -> Self {
                Self::$name(body)
            }
        })+
    };
}

kinds! {
    "ledger.created" LedgerCreated [],
    "ledger.forked" LedgerForked [],
    "ledger.moved" LedgerMoved [],
    "ledger.rewound" LedgerRewound [],
    "key.added" KeyAdded [],
    "key.retired" KeyRetired [],
    "lock.acquired" LockAcquired [Operator],
    "lock.released" LockReleased [Operator],
    "lock.broken" LockBroken [Operator],
    "run.started" RunStarted [Operator],
    "run.refused" RunRefused [Operator],
    "run.finished" RunFinished [Operator],
    "migration.started" MigrationStarted [Operator],
    "migration.step_applied" MigrationStepApplied [Operator],
    "migration.step_resolved" MigrationStepResolved [Operator],
    "migration.applied" MigrationApplied [Operator],
    "migration.rolled_back" MigrationRolledBack [Operator],
    "migration.failed" MigrationFailed [Operator],
    "migration.aborted" MigrationAborted [Operator],
    "migration.marked" MigrationMarked [Operator],
    "migration.accepted" MigrationAccepted [Operator],
    "history.squashed" HistorySquashed [Operator],
    "history.adopted" HistoryAdopted [Operator],
    "validation.finished" ValidationFinished [Operator],
    "check.finished" CheckFinished [Operator],
    "approval.granted" ApprovalGranted [Approver],
    "approval.revoked" ApprovalRevoked [Approver],
    "backup.taken" BackupTaken [Operator],
    "backup.failed" BackupFailed [Operator],
    "backup.verified" BackupVerified [Operator],
    "backup.restored" BackupRestored [Operator],
    "backup.accepted" BackupAccepted [Operator],
    "backup.removed" BackupRemoved [Operator],
    "version.tagged" VersionTagged [Releaser],
    "release.created" ReleaseCreated [Releaser],
    "drift.detected" DriftDetected [Operator],
    "drift.accepted" DriftAccepted [],
    "object.redacted" ObjectRedacted [],
    "history.exported" HistoryExported [Auditor],
    "anchor.recorded" AnchorRecorded [Auditor],
    "note.added" NoteAdded [Auditor],
}
