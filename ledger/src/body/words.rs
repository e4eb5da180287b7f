//! The closed sets of words that events are written with.

/// Defines an enum whose variants are words of the format: one list gives the variants, their
/// text both ways, and their order.
macro_rules! words {
    ($($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal,)+ })+) => {$(
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every word of the set, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the word as it stands in an event.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = WordError;

            fn from_str(text: &str) -> Result<Self, WordError> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(WordError {
                        expected: concat!($("`", $text, "` "),+).trim_end(),
                        found: crate::text::fit(text, 200),
                    }),
                }
            }
        }

        impl super::part::Part for $name {
            fn read(node: crate::canonical::Node) -> Result<Self, String> {
                super::part::parsed(&node)
            }

            fn write(&self) -> Option<crate::canonical::Value> {
                Some(crate::canonical::Value::from(self.as_str()))
            }
        }
    )+};
}

/// The text is none of a set's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected one of {expected}, found `{found}`")]
pub struct WordError {
    /// The words of the set.
    expected: &'static str,
    /// What was found instead.
    found: String,
}

words! {
    /// How what an event tells of ended.
    Outcome {
        /// It was done.
        Success = "success",
        /// It was tried and failed.
        Failure = "failure",
        /// It was refused before it was tried.
        Denied = "denied",
    }

    /// Which way a migration runs.
    Direction {
        /// It is applied.
        Up = "up",
        /// It is rolled back.
        Down = "down",
    }

    /// How a migration's statements are committed.
    Mode {
        /// All in one transaction with the event that closes the start.
        Atomic = "atomic",
        /// One by one, each with its own event.
        Stepwise = "stepwise",
    }

    /// What a key may sign (format section 4), in the order that lists of them have.
    Role {
        /// Grants and revokes approvals.
        Approver = "approver",
        /// Exports, checkpoints, anchors and notes.
        Auditor = "auditor",
        /// Runs, locks, migrations, backups, checks and drift.
        Operator = "operator",
        /// Everything, keys and openings among it.
        Owner = "owner",
        /// Version tags and releases.
        Releaser = "releaser",
    }

    /// A person's answer about a step whose outcome was unknown.
    StepResolution {
        /// The step took effect.
        Applied = "applied",
        /// The step took none.
        NotApplied = "not_applied",
    }

    /// What a migration was marked as, without running it.
    Marked {
        /// It counts as applied.
        Applied = "applied",
        /// It counts as pending.
        Pending = "pending",
    }

    /// Why a migration was rolled back.
    Cause {
        /// Somebody asked for it.
        Requested = "requested",
        /// A later migration of the run failed.
        Failure = "failure",
        /// A check after it failed.
        Check = "check",
    }

    /// On which side of a run a check stands.
    When {
        /// Before its first migration.
        Before = "before",
        /// After its last one.
        After = "after",
    }

    /// Where a checkpoint was put beyond the reach of the database's administrators.
    AnchorMethod {
        /// In a file of its own.
        File = "file",
        /// In a Git repository.
        Git = "git",
        /// With a time-stamping authority (RFC 3161).
        Tsa = "tsa",
        /// With a witness (C2SP tlog-witness).
        Witness = "witness",
    }
}
