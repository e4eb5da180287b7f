//! Findings: what a verification has to say, each with a stable code (format section 12).

use std::fmt;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth a look; the log may still be what it claims.
    Warning,
    /// Something is not what was recorded.
    Error,
}

impl Severity {
    /// Returns the word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// Defines [`Code`] from one line a code: variant, text, default severity, meaning.
macro_rules! codes {
    ($($variant:ident $text:literal $severity:ident $doc:literal,)+) => {
        /// The stable name of what was found.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $doc] $variant,)+
        }

        impl Code {
            /// Every code, in the format's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the code's text.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// Returns how much a finding of this code weighs, unless its caller knows better.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),+ }
            }
        }
    };
}

codes! {
    LineNotCanonical "line-not-canonical" Error "The line is not its own canonical form.",
    VersionUnknown "version-unknown" Error "The line has another format version.",
    KindUnknown "kind-unknown" Error "The event is of a kind that this version does not know.",
    SeqGap "seq-gap" Error "The entry does not stand where it says.",
    PrevMismatch "prev-mismatch" Error "The entry does not follow the one before it.",
    ColumnMismatch "column-mismatch" Error "A stored column is not what the line says.",
    LedgerMismatch "ledger-mismatch" Error "The entry, or the log, is of another ledger.",
    SignatureInvalid "signature-invalid" Error "The signature is not the key's over the line.",
    KeyUnknown "key-unknown" Error "No such key was let in before the entry.",
    KeyNotAuthorised "key-not-authorised" Error "The key may not sign this, or not any more.",
    KeyProofInvalid "key-proof-invalid" Error "A key was let in without proof of possession.",
    KeyCompromised "key-compromised" Error "The key signed while it was in other hands.",
    LifecycleBroken "lifecycle-broken" Error "The event cannot follow from those before it.",
    ClockWentBack "clock-went-back" Warning "The time is before that of the entry before.",
    CheckpointInvalid "checkpoint-invalid" Error "The checkpoint is malformed, or not signed by a key that may.",
    CheckpointMismatch "checkpoint-mismatch" Error "The log is not the one that was seen before.",
    Truncated "truncated" Error "The log is shorter than it was.",
    HistoryRewound "history-rewound" Warning "An owner declared entries lost.",
    FirstKeyNotTrusted "first-key-not-trusted" Warning "The first key was taken on trust.",
    ObjectMissing "object-missing" Error "The bytes of a digest are not there.",
    ObjectMismatch "object-mismatch" Error "The bytes are not those of their digest.",
    FileMissing "file-missing" Error "An applied migration's file is gone.",
    FileChanged "file-changed" Error "An applied migration's file was changed.",
    LineEndingsDiffer "line-endings-differ" Warning "A file differs in its line ends alone.",
    SchemaDrift "schema-drift" Warning "The schema was changed out of band.",
    SchemaNotCompared "schema-not-compared" Warning "The schema could not be read, so nothing is known of it.",
    GuardMissing "guard-missing" Warning "The store's guards are not on.",
    BundleIncomplete "bundle-incomplete" Error "A file of the bundle is missing.",
    ManifestInvalid "manifest-invalid" Error "The bundle is not what its manifest lists.",
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One thing that a verification found.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// Its stable name.
    pub code: Code,
    /// How much it weighs.
    pub severity: Severity,
    /// The entry that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// What was expected and what was found.
    pub message: String,
}

impl Finding {
    /// Returns a finding of the code's own severity.
    #[must_use]
    pub fn new(code: Code, seq: impl Into<Option<u64>>, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            seq: seq.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            code,
            severity,
            seq,
            message,
        } = self;
        match seq {
            Some(seq) => write!(formatter, "{severity} {code} at seq {seq}: {message}"),
            None => write!(formatter, "{severity} {code}: {message}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_in_kebab_case() {
        let texts: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(texts.len(), Code::ALL.len());
        assert_eq!(texts.len(), 29);
        for text in texts {
            let kebab = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
            assert!(text.bytes().all(kebab), "{text}");
        }
    }

    #[test]
    fn a_finding_reads_as_one_line() {
        let finding = Finding::new(Code::SeqGap, 7, "expected `6`, found `7`");
        assert_eq!(
            finding.to_string(),
            "error seq-gap at seq 7: expected `6`, found `7`"
        );
    }
}
