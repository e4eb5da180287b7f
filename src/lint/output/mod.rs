//! Reports in the forms that other tools read: pure functions from a report to text.

mod github;
mod gitlab;
mod sarif;

pub use self::github::github;
pub use self::gitlab::gitlab;
pub use self::sarif::sarif;

use super::Finding;

/// Returns a path as a relative reference of a URI (RFC 3986 section 4.2): slashes, and `%XX` for what
/// may not stand there as it is.
fn uri(path: &str) -> String {
    use std::fmt::Write;

    let mut uri = String::with_capacity(path.len());
    for byte in path.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // writing to a string cannot fail
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// Returns what stays the same for a finding while lines move and tables grow.
fn fingerprint(finding: &Finding) -> String {
    let parts = [
        finding.rule,
        &finding.version,
        finding.direction.as_str(),
        &finding.lasting,
        &finding.statement.unwrap_or_default().to_string(),
    ];
    ledger::Digest::of(parts.join("\n").as_bytes()).to_string()
}

#[cfg(test)]
pub(super) mod samples {
    use std::path::PathBuf;

    use ledger::{Direction, Severity};

    use crate::lint::{Finding, Report, rule};

    /// A report whose names hold what each form must escape.
    pub(in crate::lint) fn hostile() -> Report {
        let finding = |waived: Option<&str>| Finding {
            rule: rule::DROP_TABLE.code,
            severity: Severity::Warning,
            version: "1".to_owned(),
            direction: Direction::Up,
            file: "my migrations/1_a,b%::é.sql".to_owned(),
            line: Some(3),
            column: Some(5),
            statement: Some(1),
            message: "the table `a\n::error::x\u{1b}[2J, 100%` goes".to_owned(),
            why: rule::DROP_TABLE.why,
            steps: rule::DROP_TABLE.steps,
            waived: waived.map(str::to_owned),
            lasting: "the table goes".to_owned(),
            text: None,
            fix: None,
            path: PathBuf::from("1_a.sql"),
        };
        let mut report = Report {
            migrations: 1,
            statements: 1,
            findings: vec![finding(None), finding(Some("it was never filled"))],
            ..Report::default()
        };
        report.count();
        report
    }
}
