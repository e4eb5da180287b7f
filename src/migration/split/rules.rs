//! How a database's SQL is read, as data.

use super::class::{Class, Effect};
use super::head::{Head, Term};
use super::{TokenKind, Tokens};

/// How comments to the end of the line begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineComment {
    /// The characters that begin it.
    pub opens: &'static str,
    /// White space, or the end, must follow, but where a statement begins.
    pub needs_space: bool,
}

impl LineComment {
    pub(super) fn begins(&self, rest: &[u8], statement_begins: bool) -> bool {
        rest.starts_with(self.opens.as_bytes())
            && (!self.needs_space
                || statement_begins
                || rest
                    .get(self.opens.len())
                    .is_none_or(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control()))
    }
}

/// How comments between `/*` and `*/` are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockComments {
    /// One may stand inside another.
    pub nested: bool,
    /// The end of the text closes one.
    pub end_of_text_closes: bool,
    /// What begins a comment whose inside the database executes, if its version is not below the
    /// number that follows.
    pub code: &'static [&'static str],
}

/// What a backslash in a quoted text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backslash {
    /// Itself.
    Plain,
    /// It takes the meaning from the character after it.
    Escapes,
    /// What the script has set by one of the statements in [`LexRules::escapes`].
    AsSet,
}

/// How a string or a quoted name is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// The word right before it, in upper case; empty for none.
    pub prefix: &'static str,
    /// What opens it.
    pub open: u8,
    /// What closes it.
    pub close: u8,
    /// The closing character, doubled, stands for itself.
    pub doubled: bool,
    /// What a backslash means.
    pub backslash: Backslash,
    /// After white space with a line break, another of the kind goes on with it, without the prefix.
    pub continued: bool,
    /// What it is, for messages.
    pub name: &'static str,
}

impl Quote {
    /// A quoted text whose closing character, doubled, stands for itself, and a backslash too.
    pub(super) const fn doubled(quote: u8, name: &'static str) -> Self {
        Self {
            prefix: "",
            open: quote,
            close: quote,
            doubled: true,
            backslash: Backslash::Plain,
            continued: false,
            name,
        }
    }
}

/// Which statements hold statements of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Body {
    /// How the statement begins.
    pub head: &'static [Term],
    /// How its body is read.
    pub form: BodyForm,
    /// The statement keeps the body and does not execute it.
    pub stored: bool,
}

/// How the body of a statement is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyForm {
    /// It goes on until `END` follows a semicolon.
    UntilEnd,
    /// `BEGIN ATOMIC`, if it comes, opens it; `END` closes it.
    Atomic,
    /// One statement, which may be made of others between `BEGIN`, `IF`, `LOOP` and the like and their
    /// `END`, after the head given.
    Compound(Header),
}

/// What stands between the head of a statement and its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// Nothing: the last word of the head opens it.
    None,
    /// All up to the closing parenthesis of the parameters, or `AS`.
    Parameters,
    /// All up to this word.
    Until(&'static str),
}

/// A word that has its effect wherever in a statement it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mention {
    /// How the statement begins; empty for any.
    pub head: &'static [Term],
    /// The word or character before it; empty for any.
    pub before: &'static str,
    /// The word or character.
    pub word: &'static str,
    /// What it does.
    pub effect: Effect,
}

/// What a statement does to the session's locks, which may bind it to those after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    /// It locks tables.
    Lock,
    /// It unlocks them.
    Unlock,
    /// From now on a statement does not commit by itself.
    AutocommitOff,
    /// From now on a statement commits by itself.
    AutocommitOn,
    /// It ends a transaction.
    Commit,
}

/// What statements leave in the session that made it, and how a session after it comes to have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carry {
    /// Statements that leave nothing, though they change the session.
    pub nothing: &'static [&'static [Term]],
    /// Statements that give it all up.
    pub resets: &'static [&'static [Term]],
    /// Statements that set something to values that they name, and so can be executed again.
    pub sets: &'static [&'static [Term]],
    /// Words and characters outside of strings by which they would compute a value.
    pub computes: &'static [&'static str],
    /// Statements that make something that cannot be made again: what it is; its name follows.
    pub makes: &'static [(&'static [Term], &'static str)],
    /// Statements that may set any variable.
    pub opaque: &'static [&'static [Term]],
    /// Functions that take a lock which the session holds.
    pub locks: &'static [&'static str],
    /// Functions that tell of the statement before.
    pub recalls: &'static [&'static str],
}

/// How a database's SQL is cut into statements and what their first words mean.
#[derive(Debug, PartialEq, Eq)]
pub struct LexRules {
    /// Comments to the end of the line.
    pub line_comments: &'static [LineComment],
    /// Comments between `/*` and `*/`.
    pub block_comments: BlockComments,
    /// Strings and quoted names; those with a prefix first.
    pub quotes: &'static [Quote],
    /// `$tag$` opens a string that ends in `$tag$`.
    pub dollar_quotes: bool,
    /// A backslash in a string that is read as set escapes until the script sets it otherwise.
    pub backslash_escapes: bool,
    /// Statements after which a backslash escapes, or does not.
    pub escapes: &'static [(&'static [Term], bool)],
    /// A delimiter inside parentheses ends no statement.
    pub parentheses_hold: bool,
    /// Where a statement should begin, the word that names another delimiter; empty for none.
    pub delimiter_command: &'static str,
    /// Statements with a body.
    pub bodies: &'static [Body],
    /// What sort of statement begins with which words; the first pattern that fits decides.
    pub classes: &'static [(&'static [Term], Class)],
    /// Words that have their effect wherever they stand.
    pub mentions: &'static [Mention],
    /// A name after `@` is a variable of the session.
    pub user_variables: bool,
    /// A statement that begins so has in its strings code that it executes.
    pub inline_code: &'static [Term],
    /// Statements that bind those after them to one block.
    pub edges: &'static [(&'static [Term], Edge)],
    /// The client program whose commands scripts may hold, in backticks.
    pub client: &'static str,
    /// Characters and words that, where a statement should begin, begin a command to the client.
    pub client_commands: &'static [&'static str],
    /// A backslash begins a command to the client inside of a statement too, but before one of these.
    pub client_escapes: Option<&'static [u8]>,
    /// Those of the commands that mean nothing to the database and are left out, to the end of the line.
    pub client_remarks: &'static [&'static str],
    /// The first words of statements that only read.
    pub queries: &'static [&'static str],
    /// The word before named queries, which a query or another statement may follow.
    pub named_queries: &'static str,
    /// The first words of the other statements that may follow named queries.
    pub writes: &'static [&'static str],
    /// What of a session a script's later statements may need.
    pub carry: Carry,
    /// Words by which a statement may choose a storage without transactions.
    pub non_transactional: &'static [&'static str],
}

impl LexRules {
    /// Says what a statement that begins with `head` does to its transaction and session.
    pub(super) fn classify(&self, head: &Head) -> Class {
        first(self.classes, head).unwrap_or(Class::Ordinary)
    }

    /// Says what a statement that begins with `head` does to the locks of the session.
    pub(super) fn edge(&self, head: &Head) -> Option<Edge> {
        first(self.edges, head)
    }

    /// Says whether a backslash escapes after a statement that begins with `head`, if that sets it.
    pub(super) fn escapes_after(&self, head: &Head) -> Option<bool> {
        first(self.escapes, head)
    }

    /// Returns the body that a statement has which begins with `head`.
    pub(super) fn body(&self, head: &Head) -> Option<&'static Body> {
        self.bodies.iter().find(|body| head.begins(body.head))
    }

    /// Says whether a command to a client begins with this word or character, at the beginning of a
    /// statement or inside of one, and before the byte `next`.
    pub(in crate::migration) fn is_client_command(
        &self,
        text: &str,
        begins: bool,
        next: Option<&u8>,
    ) -> bool {
        let is = |command: &&str| command.eq_ignore_ascii_case(text);
        let escape = self
            .client_escapes
            .is_some_and(|sql| text == "\\" && !next.is_some_and(|next| sql.contains(next)));
        escape || begins && self.client_commands.iter().any(is)
    }

    /// Says whether a statement keeps a body of statements and does not execute it.
    pub(in crate::migration) fn stores_body(&self, head: &Head) -> bool {
        self.body(head).is_some_and(|body| body.stored)
    }

    /// Says whether a statement begins as one that writes rows.
    pub(crate) fn writes_rows(&'static self, statement: &str) -> bool {
        let mut words = Tokens::new(statement, 0, self)
            .flatten()
            .filter(|token| token.kind == TokenKind::Word)
            .map(|token| &statement[token.range]);
        words.next().is_some_and(|first| {
            let is = |word: &&str| word.eq_ignore_ascii_case(first);
            self.writes.iter().any(is) || is(&self.named_queries) && !self.only_reads(statement)
        })
    }

    /// Says whether a statement only reads, by its words outside of parentheses.
    ///
    /// Functions that write are the database's to refuse.
    pub(crate) fn only_reads(&'static self, statement: &str) -> bool {
        let mut depth = 0_u32;
        let mut first = true;
        let mut query = false;
        let mut before = "";
        let mut definition = false;
        for token in Tokens::new(statement, 0, self) {
            let Ok(token) = token else {
                return false;
            };
            let text = &statement[token.range];
            let is = |word: &&str| word.eq_ignore_ascii_case(text);
            match token.kind {
                TokenKind::Space | TokenKind::Comment => continue,
                TokenKind::Word if depth == 0 => {
                    if is(&"INTO") || !query && self.writes.iter().any(is) {
                        return false;
                    }
                    query |= self.queries.iter().any(is);
                    if first && !query && !is(&self.named_queries) {
                        return false;
                    }
                }
                // a named query that writes
                TokenKind::Word if definition && !query && self.writes.iter().any(is) => {
                    return false;
                }
                _ if first => return false,
                TokenKind::Other if text == "(" => depth += 1,
                TokenKind::Other if text == ")" => depth = depth.saturating_sub(1),
                _ => {}
            }
            definition = text == "("
                && ["AS", "MATERIALIZED"]
                    .iter()
                    .any(|word| word.eq_ignore_ascii_case(before));
            before = text;
            first = false;
        }
        query
    }
}

/// Returns what stands beside the first pattern that `head` begins with.
fn first<T: Copy>(patterns: &[(&'static [Term], T)], head: &Head) -> Option<T> {
    let mut patterns = patterns.iter();
    patterns
        .find(|(pattern, _)| head.begins(pattern))
        .map(|(_, found)| *found)
}
