//! Directives: comment lines `-- mledger:NAME …` before the first statement of a section.

use std::time::Duration;

/// What a script asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directives {
    /// Run statement by statement, outside of one transaction.
    pub no_transaction: bool,
    /// Stop the script after so long.
    pub timeout: Option<Duration>,
    /// Wait so long for the database's locks.
    pub lock_timeout: Option<Duration>,
    /// Enforce foreign keys while the script runs.
    pub foreign_keys: bool,
    /// Rules of `validate` that are waived, each with its reason.
    pub allow: Vec<(String, String)>,
}

impl Directives {
    /// Takes over one directive: the text after `mledger:`.
    ///
    /// # Errors
    ///
    /// A sentence that says what was expected and found.
    pub(super) fn take(&mut self, text: &str) -> Result<(), String> {
        let (name, value) = match text.split_once(char::is_whitespace) {
            Some((name, value)) => (name, value.trim()),
            None => (text, ""),
        };
        match name {
            "no-transaction" => {
                expect_nothing(name, value)?;
                once(name, !self.no_transaction)?;
                self.no_transaction = true;
            }
            "timeout" => {
                once(name, self.timeout.is_none())?;
                self.timeout = Some(duration(name, value)?);
            }
            "lock-timeout" => {
                once(name, self.lock_timeout.is_none())?;
                self.lock_timeout = Some(duration(name, value)?);
            }
            "foreign-keys" => {
                once(name, !self.foreign_keys)?;
                if value != "on" {
                    return Err(format!(
                        "expected `foreign-keys on`, found `foreign-keys {value}`"
                    ));
                }
                self.foreign_keys = true;
            }
            "allow" => match value.split_once(char::is_whitespace) {
                Some((rule, reason)) if !reason.trim().is_empty() => {
                    let known = self.allow.iter().any(|(known, _)| known == rule);
                    once(&format!("allow {rule}"), !known)?;
                    self.allow.push((rule.to_owned(), reason.trim().to_owned()));
                }
                _ => {
                    return Err(format!(
                        "expected `allow RULE REASON`, found `allow {value}`: a waiver needs its reason"
                    ));
                }
            },
            _ => {
                return Err(format!(
                    "expected one of `no-transaction`, `timeout`, `lock-timeout`, `foreign-keys`, \
                     `allow`, found `{name}`"
                ));
            }
        }
        Ok(())
    }
}

fn expect_nothing(name: &str, value: &str) -> Result<(), String> {
    if value.is_empty() {
        Ok(())
    } else {
        Err(format!("expected nothing after `{name}`, found `{value}`"))
    }
}

fn once(name: &str, first: bool) -> Result<(), String> {
    if first {
        Ok(())
    } else {
        Err(format!("expected `{name}` once, found it again"))
    }
}

fn duration(name: &str, value: &str) -> Result<Duration, String> {
    let refused =
        || format!("expected a time such as `{name} 500ms`, `30s`, `5m` or `1h`, found `{value}`");
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = value.split_at(digits);
    let number: u64 = number.parse().map_err(|_| refused())?;
    let milliseconds = match unit {
        "ms" => Some(number),
        "s" => number.checked_mul(1000),
        "m" => number.checked_mul(60_000),
        "h" => number.checked_mul(3_600_000),
        _ => None,
    };
    match milliseconds {
        Some(milliseconds) if milliseconds > 0 => Ok(Duration::from_millis(milliseconds)),
        _ => Err(refused()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directives(lines: &[&str]) -> Result<Directives, String> {
        let mut directives = Directives::default();
        for line in lines {
            directives.take(line)?;
        }
        Ok(directives)
    }

    #[test]
    fn each_directive_is_read() {
        let all = directives(&[
            "no-transaction",
            "timeout 30s",
            "lock-timeout 500ms",
            "foreign-keys on",
            "allow drop-table the table was never filled",
        ]);
        assert_eq!(
            all,
            Ok(Directives {
                no_transaction: true,
                timeout: Some(Duration::from_secs(30)),
                lock_timeout: Some(Duration::from_millis(500)),
                foreign_keys: true,
                allow: vec![("drop-table".into(), "the table was never filled".into())],
            })
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for line in [
            "no-transactions",
            "no-transaction please",
            "timeout",
            "timeout 30",
            "timeout 0s",
            "timeout 99999999999999999999s",
            "foreign-keys off",
            "allow rule",
            "",
        ] {
            assert!(directives(&[line]).is_err(), "`{line}`");
        }
        assert!(directives(&["timeout 1s", "timeout 2s"]).is_err());
        assert!(directives(&["allow drop-table a", "allow drop-table b"]).is_err());
        assert!(directives(&["allow drop-table a", "allow drop-column a"]).is_ok());
    }
}
