//! Annotations of GitHub Actions: workflow commands, one on each line.

use ledger::Severity;

use super::super::Report;

/// Returns the findings that nothing waives as workflow commands.
pub fn github(report: &Report) -> String {
    let mut text = String::new();
    for finding in report.findings.iter().filter(|one| one.waived.is_none()) {
        let command = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let mut properties = vec![format!("file={}", property(&finding.file))];
        if let Some(line) = finding.line {
            properties.push(format!("line={line}"));
        }
        if let Some(column) = finding.column {
            properties.push(format!("col={column}"));
        }
        properties.push(format!("title={}", property(finding.rule)));
        let message = format!(
            "{}\n{}: {}",
            visible(&finding.message),
            visible(finding.why),
            finding.steps.join("; ")
        );
        text.push_str(&format!(
            "::{command} {}::{}\n",
            properties.join(","),
            data(&message)
        ));
    }
    text
}

/// A line break or another control character of a name is shown, and does nothing.
fn visible(text: &str) -> String {
    text.chars()
        .map(|one| if one.is_control() { '\u{fffd}' } else { one })
        .collect()
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(&visible(text)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::samples::hostile;
    use super::*;

    #[test]
    fn nothing_in_a_name_becomes_a_command() {
        let text = github(&hostile());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 1, "a waived finding is no annotation: {text}");
        assert!(
            lines[0].starts_with(
                "::warning file=my migrations/1_a%2Cb%25%3A%3Aé.sql,line=3,col=5,title=drop-table::"
            ),
            "{text}"
        );
        assert!(lines[0].contains("100%25`"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }
}
