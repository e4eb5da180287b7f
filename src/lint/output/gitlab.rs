//! Code quality reports of GitLab: a JSON list in the form of Code Climate.

use ledger::Severity;
use serde_json::{Value, json};

use super::super::Report;
use super::fingerprint;

/// Returns the findings that nothing waives as a code quality report.
pub fn gitlab(report: &Report) -> Value {
    let findings = report.findings.iter().filter(|one| one.waived.is_none());
    findings
        .map(|finding| {
            json!({
                "type": "issue",
                "check_name": finding.rule,
                "description": finding.message,
                "content": { "body": format!("{}: {}", finding.why, finding.steps.join("; ")) },
                "fingerprint": fingerprint(finding),
                "severity": match finding.severity {
                    Severity::Error => "major",
                    Severity::Warning => "minor",
                },
                "location": {
                    "path": finding.file.replace('\\', "/"),
                    "lines": { "begin": finding.line.unwrap_or(1) },
                },
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::samples::hostile;
    use super::*;

    #[test]
    fn each_finding_has_what_gitlab_asks_for() {
        let report = gitlab(&hostile());
        let list = report.as_array().map_or(&[][..], Vec::as_slice);
        assert_eq!(list.len(), 1);
        for member in ["check_name", "description", "fingerprint", "severity"] {
            assert!(list[0][member].is_string(), "{member}");
        }
        assert_eq!(list[0]["location"]["lines"]["begin"], 3);
        assert_eq!(list[0]["location"]["path"], "my migrations/1_a,b%::é.sql");
    }
}
