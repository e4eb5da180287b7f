//! The words of a statement, for reading the names in it.

use crate::migration::split::{MYSQL, TokenKind, Tokens};

/// A name, with its schema where the statement says one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// The schema, if it is named.
    pub(super) schema: Option<String>,
    /// The object's own name.
    pub(super) name: String,
}

/// A word, or a character that is none.
#[derive(Debug)]
struct Word {
    text: String,
    quoted: bool,
}

/// The words of a statement from the one that is looked at.
#[derive(Debug)]
pub(super) struct Words {
    words: Vec<Word>,
    at: usize,
}

impl Words {
    /// Reads a statement as far as it can be read.
    pub(super) fn of(sql: &str) -> Self {
        let mut words = Vec::new();
        for token in Tokens::new(sql, 0, &MYSQL) {
            let Ok(token) = token else {
                break;
            };
            let text = sql.get(token.range).unwrap_or_default();
            match token.kind {
                TokenKind::Space | TokenKind::Comment | TokenKind::Client => {}
                TokenKind::Quoted => words.push(Word {
                    text: unquoted(text),
                    quoted: true,
                }),
                _ => words.push(Word {
                    text: text.to_owned(),
                    quoted: false,
                }),
            }
        }
        Self { words, at: 0 }
    }

    fn is(&self, keyword: &str) -> bool {
        self.words
            .get(self.at)
            .is_some_and(|word| !word.quoted && word.text.eq_ignore_ascii_case(keyword))
    }

    /// Steps over one of these keywords; returns it.
    pub(super) fn take(&mut self, keywords: &[&'static str]) -> Option<&'static str> {
        let found = keywords.iter().copied().find(|keyword| self.is(keyword))?;
        self.at += 1;
        Some(found)
    }

    /// Steps over all up to one of these keywords, and over it; returns it.
    pub(super) fn skip_to(&mut self, keywords: &[&'static str]) -> Option<&'static str> {
        while self.at < self.words.len() {
            if let Some(found) = self.take(keywords) {
                return Some(found);
            }
            self.at += 1;
        }
        None
    }

    /// Steps over `IF EXISTS` or `IF NOT EXISTS`.
    pub(super) fn skip_condition(&mut self) {
        if self.take(&["IF"]).is_some() {
            self.take(&["NOT"]);
            self.take(&["EXISTS"]);
        }
    }

    /// Steps over a name; returns it.
    pub(super) fn name(&mut self) -> Option<Name> {
        let first = self.part()?;
        if !self.is(".") {
            return Some(Name {
                schema: None,
                name: first,
            });
        }
        self.at += 1;
        Some(Name {
            schema: Some(first),
            name: self.part()?,
        })
    }

    fn part(&mut self) -> Option<String> {
        let word = self.words.get(self.at)?;
        let is_name = word.quoted
            || word
                .text
                .starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '$'));
        if !is_name {
            return None;
        }
        self.at += 1;
        Some(word.text.clone())
    }
}

fn unquoted(text: &str) -> String {
    let quote = text.get(..1).unwrap_or_default();
    let inner = text.get(1..text.len().saturating_sub(1));
    inner
        .unwrap_or_default()
        .replace(&format!("{quote}{quote}"), quote)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn names_are_read_with_and_without_quotes_and_schema() {
        let mut words =
            Words::of("drop /* x */ TABLE if exists `a``b` , shop . `c` -- end\n, 2nd, `IF`.d");
        assert_eq!(words.take(&["CREATE", "DROP"]), Some("DROP"));
        assert_eq!(words.skip_to(&["TABLE"]), Some("TABLE"));
        words.skip_condition();
        let name = |schema: Option<&str>, name: &str| Name {
            schema: schema.map(str::to_owned),
            name: name.to_owned(),
        };
        assert_eq!(words.name().unwrap(), name(None, "a`b"));
        assert_eq!(words.name(), None);
        assert_eq!(words.take(&[","]), Some(","));
        assert_eq!(words.name().unwrap(), name(Some("shop"), "c"));
        words.take(&[","]);
        assert_eq!(words.name().unwrap(), name(None, "2nd"));
        words.take(&[","]);
        assert_eq!(words.take(&["IF"]), None, "a quoted word is a name");
        assert_eq!(words.name().unwrap(), name(Some("IF"), "d"));
        assert_eq!(words.skip_to(&["X"]), None);
    }
}
