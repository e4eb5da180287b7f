//! SARIF 2.1.0 (OASIS Standard, <https://docs.oasis-open.org/sarif/sarif/v2.1.0/>).

use ledger::Severity;
use serde_json::{Value, json};

use super::super::rule::{self, Rule};
use super::super::{Finding, Report};
use super::{fingerprint, uri};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Returns the report as a SARIF log; `version` is the program's. What is waived is suppressed.
pub fn sarif(report: &Report, version: &str) -> Value {
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "mledger",
                    "semanticVersion": version,
                    "rules": rule::ALL.iter().map(|rule| descriptor(rule)).collect::<Vec<_>>(),
                }
            },
            "columnKind": "unicodeCodePoints",
            "results": report.findings.iter().map(result).collect::<Vec<_>>(),
        }]
    })
}

fn descriptor(rule: &Rule) -> Value {
    json!({
        "id": rule.code,
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": rule.why },
        "help": { "text": rule.steps.join("\n") },
        "defaultConfiguration": {
            "enabled": rule.severity.is_some(),
            "level": level(rule.severity.unwrap_or(Severity::Warning)),
        },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn result(finding: &Finding) -> Value {
    let mut place = json!({ "artifactLocation": { "uri": uri(&finding.file) } });
    if let Some(line) = finding.line {
        let mut region = json!({ "startLine": line });
        if let Some(column) = finding.column {
            region["startColumn"] = column.into();
        }
        place["region"] = region;
    }
    let mut result = json!({
        "ruleId": finding.rule,
        "level": level(finding.severity),
        "message": { "text": finding.message },
        "locations": [{ "physicalLocation": place }],
        "partialFingerprints": { "finding/v1": fingerprint(finding) },
    });
    if let Some(index) = rule::ALL.iter().position(|rule| rule.code == finding.rule) {
        result["ruleIndex"] = index.into();
    }
    if let Some(reason) = &finding.waived {
        result["suppressions"] = json!([{ "kind": "inSource", "justification": reason }]);
    }
    result
}

#[cfg(test)]
mod tests {
    #![expect(clippy::panic, clippy::unwrap_used, reason = "tests")]

    use super::super::samples::hostile;
    use super::*;

    /// The part of the standard's schema that is used: members, whether they must be there, and what
    /// they are.
    const PARTS: &str = include_str!("sarif_parts.json");

    /// Checks a value against a part: an object's members, a list's items, a text, a number, a choice.
    fn check(value: &Value, part: &Value, path: &str) {
        match part {
            Value::Object(members) => {
                assert!(value.is_object(), "{path}: {value}");
                let object = value.as_object().unwrap();
                for name in object.keys() {
                    let known = members.contains_key(name)
                        || members.contains_key(&format!("{name}?"))
                        || members.contains_key("*");
                    assert!(known, "{path}.{name} is not in the standard's part");
                }
                for (name, inner) in members {
                    let optional = name.strip_suffix('?');
                    if name == "*" {
                        for (key, value) in object {
                            check(value, inner, &format!("{path}.{key}"));
                        }
                        continue;
                    }
                    match object.get(optional.unwrap_or(name)) {
                        Some(value) => check(value, inner, &format!("{path}.{name}")),
                        None => assert!(optional.is_some(), "{path}.{name} is missing"),
                    }
                }
            }
            Value::Array(choices) if choices.len() == 1 => {
                assert!(value.is_array(), "{path}: {value}");
                let items = value.as_array().unwrap();
                for (index, item) in items.iter().enumerate() {
                    check(item, &choices[0], &format!("{path}[{index}]"));
                }
            }
            Value::Array(choices) => assert!(choices.contains(value), "{path}: {value}"),
            Value::String(kind) => match kind.as_str() {
                "text" => assert!(value.is_string(), "{path}: {value}"),
                "from 0" => assert!(value.is_u64(), "{path}: {value}"),
                "from 1" => assert!(value.as_u64().is_some_and(|n| n > 0), "{path}: {value}"),
                "flag" => assert!(value.is_boolean(), "{path}: {value}"),
                kind => panic!("{path}: the part says `{kind}`, which is no kind of value"),
            },
            other => panic!("{path}: the part says {other}, which describes no value"),
        }
    }

    #[test]
    fn a_log_is_what_the_standard_says() {
        let log = sarif(&hostile(), "1.2.3");
        check(&log, &serde_json::from_str(PARTS).unwrap(), "$");
        let results = &log["runs"][0]["results"];
        assert_eq!(
            results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            "my%20migrations/1_a%2Cb%25%3A%3A%C3%A9.sql"
        );
        assert_eq!(
            results[1]["suppressions"][0]["justification"],
            "it was never filled"
        );
        let index = usize::try_from(results[0]["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(
            log["runs"][0]["tool"]["driver"]["rules"][index]["id"],
            results[0]["ruleId"]
        );
    }
}
