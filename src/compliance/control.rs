//! The controls of frameworks that a report's sections are evidence for, in our own words.

use serde::Serialize;

/// A framework whose controls a report can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Framework {
    /// SOC 2, the Trust Services Criteria of the AICPA.
    Soc2,
    /// ISO/IEC 27001:2022, Annex A.
    Iso27001,
    /// PCI DSS 4.0.
    Pci,
    /// Sarbanes-Oxley section 404: IT general controls over change management.
    Sox,
    /// NIST SP 800-53, revision 5.
    Nist,
}

/// A control that a section is evidence for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Control {
    /// How the framework calls it.
    pub reference: &'static str,
    /// What it asks for, in our words.
    pub asks: &'static str,
    /// What the section shows of it.
    pub shows: &'static str,
    /// What the section does not show.
    pub does_not_show: &'static str,
}

impl Control {
    /// Returns what it asks for, what the section shows of it and what not, as sentences.
    pub fn sentences(&self) -> [String; 3] {
        [
            format!("{}.", self.asks),
            format!("Shown here: {}.", self.shows),
            format!("Not shown: {}.", self.does_not_show),
        ]
    }
}

/// What each framework calls what a section shows; one line a pair.
struct Entry {
    framework: Framework,
    section: &'static str,
    control: Control,
}

const fn entry(
    framework: Framework,
    section: &'static str,
    [reference, asks, shows, does_not_show]: [&'static str; 4],
) -> Entry {
    Entry {
        framework,
        section,
        control: Control {
            reference,
            asks,
            shows,
            does_not_show,
        },
    }
}

const POPULATION: &str = "every change that was made with this tool, from the first to the last event, so that a \
     sample can be drawn from the full population";
const POPULATION_NOT: &str = "changes made to the database by other means, but for the schema changes that the \
     section of exceptions lists, and changes to anything other than this database";
const APPROVAL: &str =
    "for each change who wrote, approved, tested and ran it, with the signed events that say so";
const APPROVAL_NOT: &str = "that an approver understood the change, that a name belongs to the person it \
     suggests, or whether the organisation's own policy asked for more";
const DUTIES: &str =
    "who wrote, approved and ran changes, and where one person did more than one of these";
const DUTIES_NOT: &str = "that two names are two people, who else can use a key, or what rights people hold in the database itself";
const EXCEPTIONS: &str = "every change that was forced, failed, undone, or made without an approval, with the \
     reasons that were given";
const EXCEPTIONS_NOT: &str =
    "whether those reasons were good ones, or what was done about them outside of the ledger";
const LOG: &str = "that each event is signed and bound to the one before it, and what completeness is anchored to";
const LOG_NOT: &str = "that nothing is missing at the end, unless it is anchored to something kept elsewhere; the \
     record is tamper-evident, it does not prevent tampering";
const KEYS: &str = "which keys could sign what, since when and until when, and who let them in";
const KEYS_NOT: &str = "how a private key is kept, or that only its holder used it";
const BACKUPS: &str = "which backups were taken, and which of them were tested or restored";
const BACKUPS_NOT: &str =
    "that a backup can be restored which was never tested, or where copies of it lie";

use Framework::{Iso27001, Nist, Pci, Soc2, Sox};

const ENTRIES: &[Entry] = &[
    entry(
        Soc2,
        "changes",
        [
            "CC8.1",
            "changes are authorised, designed, tested, approved and documented before they are made",
            POPULATION,
            POPULATION_NOT,
        ],
    ),
    entry(
        Soc2,
        "details",
        [
            "CC8.1",
            "changes are authorised, designed, tested, approved and documented before they are made",
            APPROVAL,
            APPROVAL_NOT,
        ],
    ),
    entry(
        Soc2,
        "exceptions",
        [
            "CC8.1",
            "changes that leave the usual way, emergency changes among them, are handled",
            EXCEPTIONS,
            EXCEPTIONS_NOT,
        ],
    ),
    entry(
        Soc2,
        "duties",
        [
            "CC8.1",
            "those who make changes and those who approve them are kept apart",
            DUTIES,
            DUTIES_NOT,
        ],
    ),
    entry(
        Iso27001,
        "changes",
        [
            "A.8.32",
            "changes to information systems follow a change management procedure",
            POPULATION,
            POPULATION_NOT,
        ],
    ),
    entry(
        Iso27001,
        "details",
        [
            "A.8.32",
            "changes to information systems follow a change management procedure",
            APPROVAL,
            APPROVAL_NOT,
        ],
    ),
    entry(
        Iso27001,
        "exceptions",
        [
            "A.8.32",
            "changes that leave the procedure are known",
            EXCEPTIONS,
            EXCEPTIONS_NOT,
        ],
    ),
    entry(
        Iso27001,
        "verification",
        [
            "A.8.15",
            "logs of activities, exceptions and faults are made, kept and protected",
            LOG,
            LOG_NOT,
        ],
    ),
    entry(
        Iso27001,
        "keys",
        [
            "A.8.15",
            "logs of activities, exceptions and faults are made, kept and protected",
            KEYS,
            KEYS_NOT,
        ],
    ),
    entry(
        Pci,
        "changes",
        [
            "6.5.1",
            "changes in production follow procedures: reason, security impact, approval, testing, back-out",
            POPULATION,
            POPULATION_NOT,
        ],
    ),
    entry(
        Pci,
        "details",
        [
            "6.5.1",
            "changes in production follow procedures: reason, security impact, approval, testing, back-out",
            APPROVAL,
            APPROVAL_NOT,
        ],
    ),
    entry(
        Pci,
        "exceptions",
        [
            "10.2",
            "audit logs record who did what, when, from where and with which result",
            EXCEPTIONS,
            EXCEPTIONS_NOT,
        ],
    ),
    entry(
        Pci,
        "keys",
        [
            "10.2",
            "audit logs record who did what, when, from where and with which result",
            KEYS,
            KEYS_NOT,
        ],
    ),
    entry(
        Pci,
        "verification",
        [
            "10.3",
            "audit logs are protected from destruction and unauthorised modification",
            LOG,
            LOG_NOT,
        ],
    ),
    entry(
        Sox,
        "changes",
        [
            "change management: population",
            "the population of changes is complete and accurate",
            POPULATION,
            POPULATION_NOT,
        ],
    ),
    entry(
        Sox,
        "details",
        [
            "change management: approval",
            "changes are tested and approved before they are made",
            APPROVAL,
            APPROVAL_NOT,
        ],
    ),
    entry(
        Sox,
        "duties",
        [
            "change management: segregation",
            "those who write, approve and make changes are different people",
            DUTIES,
            DUTIES_NOT,
        ],
    ),
    entry(
        Sox,
        "exceptions",
        [
            "change management: emergency",
            "emergency changes and exceptions are known and followed up",
            EXCEPTIONS,
            EXCEPTIONS_NOT,
        ],
    ),
    entry(
        Sox,
        "backups",
        [
            "operations: recovery",
            "data can be brought back",
            BACKUPS,
            BACKUPS_NOT,
        ],
    ),
    entry(
        Nist,
        "verification",
        [
            "AU-9",
            "audit information is protected from unauthorised access, modification and deletion",
            LOG,
            LOG_NOT,
        ],
    ),
    entry(
        Nist,
        "keys",
        [
            "AU-10",
            "it can be shown who performed an action",
            KEYS,
            KEYS_NOT,
        ],
    ),
    entry(
        Nist,
        "changes",
        [
            "CM-3",
            "changes are proposed, reviewed, approved, documented, kept and audited",
            POPULATION,
            POPULATION_NOT,
        ],
    ),
    entry(
        Nist,
        "details",
        [
            "CM-3",
            "changes are proposed, reviewed, approved, documented, kept and audited",
            APPROVAL,
            APPROVAL_NOT,
        ],
    ),
    entry(
        Nist,
        "exceptions",
        [
            "CM-3",
            "changes are proposed, reviewed, approved, documented, kept and audited",
            EXCEPTIONS,
            EXCEPTIONS_NOT,
        ],
    ),
];

impl Framework {
    /// Every framework.
    pub const ALL: [Self; 5] = [Soc2, Iso27001, Pci, Sox, Nist];

    /// Returns the name as it is typed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Soc2 => "soc2",
            Iso27001 => "iso27001",
            Pci => "pci",
            Sox => "sox",
            Nist => "nist",
        }
    }

    /// Returns the name as it is written.
    pub const fn title(self) -> &'static str {
        match self {
            Soc2 => "SOC 2 (Trust Services Criteria)",
            Iso27001 => "ISO/IEC 27001:2022, Annex A",
            Pci => "PCI DSS 4.0",
            Sox => "Sarbanes-Oxley section 404, IT general controls",
            Nist => "NIST SP 800-53, revision 5",
        }
    }

    /// Returns the controls that a section is evidence for.
    pub fn controls(self, section: &str) -> Vec<Control> {
        ENTRIES
            .iter()
            .filter(|entry| entry.framework == self && entry.section == section)
            .map(|entry| entry.control)
            .collect()
    }
}

/// Returns how many pairs of a section and a control a framework has.
#[cfg(test)]
pub(super) fn count(framework: Framework) -> usize {
    let own = ENTRIES.iter().filter(|entry| entry.framework == framework);
    own.count()
}
