//! Versions: numbers of any length, or dotted numbers, compared by value; and the names of migrations
//! that run again when their text changes.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

/// A migration's version: shown as it was written, compared by value.
///
/// Zero padding and trailing zero parts are ignored: `007` equals `7`, and `1` equals `1.0`. A repeatable
/// migration has none, and goes by `R:` and its name (docs/format.md section 7): it comes after all
/// that have a number.
#[derive(Debug, Clone)]
pub struct Version {
    text: String,
}

/// A text that is not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a number, or numbers with dots between them, found `{0}`")]
pub struct VersionError(String);

/// What stands before the name of a repeatable migration.
const REPEATABLE: &str = "R:";

impl Version {
    /// Returns the version of the repeatable migration of this name.
    ///
    /// # Errors
    ///
    /// [`VersionError`] for a name that is empty, or has a character that cannot be shown.
    pub fn of_repeatable(name: &str) -> Result<Self, VersionError> {
        format!("{REPEATABLE}{name}").parse()
    }

    /// Returns the name of a repeatable migration: one that runs again when its text changes.
    pub fn repeatable(&self) -> Option<&str> {
        self.text.strip_prefix(REPEATABLE)
    }

    /// Says whether it is the name of a repeatable migration.
    pub fn is_repeatable(&self) -> bool {
        self.repeatable().is_some()
    }

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
        if let Some(name) = text.strip_prefix(REPEATABLE) {
            let shown = |character: char| !character.is_control();
            return if !name.is_empty() && name.chars().all(shown) {
                Ok(Self {
                    text: text.to_owned(),
                })
            } else {
                Err(VersionError(text.to_owned()))
            };
        }
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
        match (self.repeatable(), other.repeatable()) {
            (None, None) => {}
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(left), Some(right)) => return words(left).cmp(words(right)),
        }
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
        if let Some(name) = self.repeatable() {
            return words(name).for_each(|character| character.hash(state));
        }
        for part in self.parts() {
            part.hash(state);
        }
    }
}

/// A name as Flyway shows and orders it: `_` between words is a blank.
fn words(name: &str) -> impl Iterator<Item = char> {
    name.chars()
        .map(|character| if character == '_' { ' ' } else { character })
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
            "", ".", "1.", ".1", "1..2", "a", "1a", "-1", "１", "1 ", "0x1", "R:", "R:a\n", "r:a",
        ] {
            assert!(text.parse::<Version>().is_err(), "`{text}`");
        }
    }

    #[test]
    fn repeatable_ones_come_after_all_numbers_in_the_order_of_their_words() {
        assert!(version("99999999999999") < version("R:a"));
        assert!(version("R:a_c") < version("R:aB"), "a blank is before `B`");
        assert_eq!(version("R:a_c"), version("R:a c"), "one name, shown twice");
        assert_eq!(digest(&version("R:a_c")), digest(&version("R:a c")));
        assert_eq!(version("R:a").repeatable(), Some("a"));
        assert!(!version("1").is_repeatable());
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
