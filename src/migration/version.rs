//! Versions: numbers of any length, or dotted numbers, compared by value.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// A migration's version: shown as it was written, compared by value.
///
/// Zero padding and trailing zero parts are ignored: `007` equals `7`, and `1` equals `1.0`.
#[derive(Debug, Clone)]
pub struct Version {
    text: String,
}

/// A text that is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a number, or numbers with dots between them, found `{0}`")]
pub struct VersionError(String);

impl Version {
    /// Returns the version as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The parts without padding; trailing zero parts are left out.
    fn parts(&self) -> impl Iterator<Item = &str> {
        let significant = self
            .text
            .split('.')
            .enumerate()
            .filter(|(_, part)| part.bytes().any(|digit| digit != b'0'))
            .last()
            .map_or(0, |(index, _)| index + 1);
        self.text
            .split('.')
            .take(significant)
            .map(|part| part.trim_start_matches('0'))
    }
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let valid = text
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        if valid {
            Ok(Self {
                text: text.to_owned(),
            })
        } else {
            Err(VersionError(text.to_owned()))
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let mut left = self.parts();
        let mut right = other.parts();
        loop {
            match (left.next(), right.next()) {
                (None, None) => return Ordering::Equal,
                (None, Some(_)) => return Ordering::Less,
                (Some(_), None) => return Ordering::Greater,
                (Some(left), Some(right)) => {
                    // without padding the longer number is the larger one
                    let order = left.len().cmp(&right.len()).then_with(|| left.cmp(right));
                    if order != Ordering::Equal {
                        return order;
                    }
                }
            }
        }
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for part in self.parts() {
            part.hash(state);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        assert!(version("9") < version("10"));
        assert!(version("1.9") < version("1.10"));
        assert!(version("1.2") < version("2"));
        assert!(version("0") < version("1"));
        assert!(version("20250101120000") < version("99999999999999999999"));
        assert_eq!(version("007"), version("7"));
        assert_eq!(version("1"), version("1.0"));
        assert_eq!(version("0"), version("00.0"));
        assert_ne!(version("1.0.1"), version("1.1"));
        assert_eq!(version("007").as_str(), "007");
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "", ".", "1.", ".1", "1..2", "a", "1a", "-1", "１", "1 ", "0x1",
        ] {
            assert!(text.parse::<Version>().is_err(), "`{text}`");
        }
    }

    fn any_version() -> impl Strategy<Value = Version> {
        "[0-9]{1,3}(\\.[0-9]{1,3}){0,2}".prop_map(|text| version(&text))
    }

    fn digest(version: &Version) -> u64 {
        let mut hasher = std::hash::DefaultHasher::new();
        version.hash(&mut hasher);
        hasher.finish()
    }

    proptest! {
        #[test]
        fn the_order_is_total(a in any_version(), b in any_version(), c in any_version()) {
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            if a <= b && b <= c {
                prop_assert!(a <= c);
            }
            if a == b {
                prop_assert_eq!(digest(&a), digest(&b));
            }
        }

        #[test]
        fn padding_changes_nothing(a in any_version(), b in any_version(), zeros in 0usize..4) {
            let padded = version(&format!("{}{}", "0".repeat(zeros), a));
            prop_assert_eq!(&padded, &a);
            prop_assert_eq!(padded.cmp(&b), a.cmp(&b));
            prop_assert_eq!(digest(&padded), digest(&a));
        }
    }
}
