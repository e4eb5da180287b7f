//! The first words of a statement, as far as our own questions about it need them.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::LEX_RULES;
use crate::migration::split::{TokenKind, Tokens};

/// As many tokens as are looked at.
const LENGTH: usize = 48;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    /// A keyword or a name without quotes.
    Plain(String),
    /// A name or a string, with its quotes.
    Quoted(String),
    /// Any other character.
    Other(char),
}

/// The words of a statement, read one after the other.
pub(super) struct Words {
    rest: Peekable<IntoIter<Word>>,
}

impl Words {
    /// Reads the beginning of a statement; what cannot be read ends it.
    pub(super) fn of(sql: &str) -> Self {
        let mut words = Vec::new();
        for token in Tokens::new(sql, 0, LEX_RULES) {
            let Ok(token) = token else { break };
            let text = sql.get(token.range).unwrap_or_default();
            words.push(match token.kind {
                TokenKind::Space | TokenKind::Comment | TokenKind::Client => continue,
                TokenKind::Word => Word::Plain(text.to_owned()),
                TokenKind::Quoted => Word::Quoted(text.to_owned()),
                TokenKind::End | TokenKind::Data => break,
                TokenKind::Other => Word::Other(text.chars().next().unwrap_or(' ')),
            });
            if words.len() == LENGTH {
                break;
            }
        }
        Self {
            rest: words.into_iter().peekable(),
        }
    }

    /// Takes these keywords if all of them come next, else none.
    pub(super) fn take(&mut self, keywords: &[&str]) -> bool {
        let mut ahead = self.rest.clone();
        for keyword in keywords {
            match ahead.next() {
                Some(Word::Plain(word)) if word.eq_ignore_ascii_case(keyword) => {}
                _ => return false,
            }
        }
        self.rest = ahead;
        true
    }

    /// Skips words up to this keyword, and takes it; says whether it came.
    pub(super) fn skip_to(&mut self, keyword: &str) -> bool {
        self.rest
            .any(|word| matches!(word, Word::Plain(word) if word.eq_ignore_ascii_case(keyword)))
    }

    /// Takes a name with its schema, written so that the server reads it in the same way.
    pub(super) fn name(&mut self) -> Option<String> {
        let mut name = self.part()?;
        while self.rest.next_if_eq(&Word::Other('.')).is_some() {
            name.push('.');
            name.push_str(&self.part()?);
        }
        Some(name)
    }

    /// Takes one name as the catalogues have it: without quotes, and in lower case where it had none.
    pub(super) fn bare_name(&mut self) -> Option<String> {
        let part = self.part()?;
        Some(
            match part
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'))
            {
                Some(quoted) => quoted.replace("\"\"", "\""),
                None => part.to_lowercase(),
            },
        )
    }

    /// Takes a string in single quotes and returns what it says.
    pub(super) fn string(&mut self) -> Option<String> {
        let word = self
            .rest
            .next_if(|word| matches!(word, Word::Quoted(text) if text.starts_with('\'')))?;
        let Word::Quoted(text) = word else {
            return None;
        };
        let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
        Some(inner.replace("''", "'"))
    }

    fn part(&mut self) -> Option<String> {
        match self.rest.next()? {
            Word::Plain(text) => Some(text),
            Word::Quoted(text) if text.starts_with('"') => Some(text),
            _ => None,
        }
    }
}

/// Says whether a statement that failed outside of a transaction may have left something: one that
/// commits more than once, and failed with this code of the server.
pub(super) fn may_leave_a_part(sql: &str, code: &str) -> bool {
    let mut words = Words::of(sql);
    // a routine may have committed before the error, whatever the error
    if words.take(&["CALL"]) || words.take(&["DO"]) {
        return true;
    }
    let concurrent = if words.take(&["CREATE"]) || words.take(&["DROP"]) {
        words.take(&["UNIQUE"]);
        words.take(&["INDEX", "CONCURRENTLY"])
    } else {
        words.take(&["REINDEX"]) || (words.take(&["ALTER", "TABLE"]) && words.skip_to("DETACH"))
    };
    // classes of what is found before anything is done: a text that cannot be read, a name that is
    // unknown or taken, a right or a feature that is missing, a transaction in the way
    concurrent
        && !["42", "0A", "25"]
            .iter()
            .any(|class| code.starts_with(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_the_server_reads_them() {
        let mut words =
            Words::of("create -- x\n unique index /* y */ \"A \"\"b\" on Shop.\"T\" (x)");
        assert!(!words.take(&["CREATE", "INDEX"]));
        assert!(words.take(&["CREATE", "UNIQUE", "INDEX"]));
        assert_eq!(words.bare_name().as_deref(), Some("A \"b"));
        assert!(words.take(&["ON"]));
        assert_eq!(words.name().as_deref(), Some("Shop.\"T\""));
        assert_eq!(words.name(), None);
        let mut words = Words::of("Mood 'it''s'");
        assert_eq!(words.bare_name().as_deref(), Some("mood"));
        assert_eq!(words.string().as_deref(), Some("it's"));
    }

    #[test]
    fn only_what_commits_in_its_middle_may_leave_a_part() {
        let create = "CREATE INDEX CONCURRENTLY i ON t (x)";
        assert!(may_leave_a_part(create, "23505"));
        assert!(may_leave_a_part(create, "55P03"));
        assert!(!may_leave_a_part(create, "42P01"));
        assert!(may_leave_a_part("drop index concurrently i", "57014"));
        assert!(may_leave_a_part("REINDEX (CONCURRENTLY) TABLE t", "40P01"));
        assert!(may_leave_a_part(
            "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
            "57014"
        ));
        assert!(may_leave_a_part("CALL p()", "42P01"));
        assert!(!may_leave_a_part("CREATE INDEX i ON t (x)", "23505"));
        assert!(!may_leave_a_part("ALTER TYPE mood ADD VALUE 'x'", "57014"));
        assert!(!may_leave_a_part("VACUUM", "57014"));
    }
}
