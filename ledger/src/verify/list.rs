//! Findings, bounded: a log that is wrong throughout must not fill the memory.

use std::collections::BTreeMap;

use crate::finding::{Code, Finding, Severity};

/// How many findings of each severity are kept.
pub(super) const KEPT: usize = 1_000;

#[derive(Clone, Debug, Default)]
pub(super) struct Findings {
    kept: Vec<Finding>,
    errors: usize,
    warnings: usize,
    left_out: BTreeMap<(Severity, Code), u64>,
}

impl Findings {
    pub(super) fn push(&mut self, finding: Finding) {
        // warnings must not crowd out errors
        let count = match finding.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        if *count < KEPT {
            *count += 1;
            self.kept.push(finding);
        } else {
            *self
                .left_out
                .entry((finding.severity, finding.code))
                .or_default() += 1;
        }
    }

    pub(super) fn as_slice(&self) -> &[Finding] {
        &self.kept
    }

    pub(super) const fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Returns these findings, how many were left out, and those of the log's end.
    pub(super) fn all(&self, end: &Self) -> Vec<Finding> {
        let mut all = self.kept.clone();
        for (severity, code, count) in self
            .left_out
            .iter()
            .chain(&end.left_out)
            .map(|((severity, code), count)| (*severity, *code, *count))
        {
            all.push(Finding {
                severity,
                ..Finding::new(
                    code,
                    None,
                    format!("{count} more such findings were left out"),
                )
            });
        }
        all.extend_from_slice(&end.kept);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_bounded_and_the_rest_is_counted() {
        let mut findings = Findings::default();
        for seq in 0..5_000 {
            findings.push(Finding::new(Code::ClockWentBack, seq, "back"));
        }
        assert!(!findings.has_errors());
        findings.push(Finding::new(Code::Truncated, None, "short"));
        assert!(findings.has_errors());
        let all = findings.all(&Findings::default());
        assert_eq!(all.len(), KEPT + 2);
        assert_eq!(all[KEPT].code, Code::Truncated);
        assert_eq!(
            all[KEPT + 1].message,
            "4000 more such findings were left out"
        );
    }
}
