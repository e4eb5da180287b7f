//! From tokens to statements: where one ends, and what it does.

use super::body::BodyState;
use super::class::{Class, Effect};
use super::head::Head;
use super::lexer::{self, Lexer, Mode, Token, TokenKind, Unterminated};
use super::rules::{Edge, LexRules, Mention};

/// Yields the tokens of a script; their ranges follow one another without a gap.
///
/// What a script says about how the rest of it is read, such as another delimiter, is followed; so the
/// tokens of a part of it depend on those before.
#[derive(Debug)]
pub struct Tokens<'a> {
    text: &'a str,
    at: usize,
    rules: &'static LexRules,
    mode: Mode,
    statement: State,
    ended: Ended,
}

/// What is known of a statement at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) class: Class,
    pub(super) edge: Option<Edge>,
}

/// What is known of the statement that is read.
#[derive(Debug, Default)]
struct State {
    /// Where it begins.
    first: Option<usize>,
    head: Head,
    /// The parentheses that are open.
    depth: u32,
    parenthesis: usize,
    body: BodyState,
    session: bool,
    alone: bool,
    data: bool,
    /// Its data begin after the delimiter, which was read.
    data_follow: bool,
    previous: Option<Token>,
}

impl<'a> Tokens<'a> {
    /// Begins at byte `at` of `text`.
    pub fn new(text: &'a str, at: usize, rules: &'static LexRules) -> Self {
        Self {
            text,
            at,
            rules,
            mode: Mode::initial(rules),
            statement: State::default(),
            ended: Ended {
                class: Class::Ordinary,
                edge: None,
            },
        }
    }

    /// Returns the first words of a statement.
    pub(in crate::migration) fn head_of(statement: &str, rules: &'static LexRules) -> Head {
        let mut tokens = Tokens::new(statement, 0, rules);
        while !tokens.statement.head.is_full() && matches!(tokens.next(), Some(Ok(_))) {}
        tokens.statement.head
    }

    /// Reads what follows as another script.
    pub(in crate::migration) fn restart(&mut self) {
        self.mode = Mode::initial(self.rules);
        self.statement = State::default();
    }

    /// Says whether what follows is read as at the beginning of a script.
    pub(super) fn is_unset(&self) -> bool {
        self.mode == Mode::initial(self.rules)
    }

    /// Returns what is known of the statement that ended with the last token.
    pub(super) fn ended(&self) -> Ended {
        self.ended
    }

    /// Says whether the data of the statement come next.
    pub(super) fn expects_data(&self) -> bool {
        self.statement.data_follow
    }

    /// Says whether the statement that is read has data after it.
    pub(super) fn has_data(&self) -> bool {
        self.statement.data
    }

    /// Ends the last statement with the text.
    pub(super) fn finish(&mut self) -> Result<Ended, Unterminated> {
        let first = self.statement.first.unwrap_or(self.at);
        let unterminated = |what, offset| Err(Unterminated { what, offset });
        if self.mode.code_comments > 0 {
            return unterminated("a comment that is executed, which ends in `*/`", first);
        }
        if self.mode.is_plain() {
            if let Some(what) = self.statement.body.unfinished() {
                return unterminated(what, first);
            }
            if self.rules.parentheses_hold && self.statement.depth > 0 {
                let offset = self.statement.parenthesis;
                return unterminated("a parenthesis, which ends in `)`", offset);
            }
        }
        self.end();
        Ok(self.ended)
    }

    fn token(&mut self) -> Result<(TokenKind, usize), Unterminated> {
        if self.statement.data_follow {
            let length = self.data()?;
            self.end();
            return Ok((TokenKind::Data, length));
        }
        let lexer = Lexer {
            text: self.text,
            at: self.at,
            rules: self.rules,
            begins: self.statement.first.is_none(),
        };
        let comments = self.mode.code_comments;
        let (kind, length) = lexer.token(&mut self.mode)?;
        let inner = kind == TokenKind::End && self.holds();
        let kind = match kind {
            TokenKind::End if inner => TokenKind::Other,
            TokenKind::End if self.statement.data && self.at + length < self.text.len() => {
                self.statement.data_follow = true;
                TokenKind::Other
            }
            TokenKind::End => {
                self.end();
                return Ok((kind, length));
            }
            kind => kind,
        };
        if !matches!(
            kind,
            TokenKind::Space | TokenKind::Comment | TokenKind::Client
        ) {
            self.statement.first.get_or_insert(self.at);
            // the marks of a comment that is executed are no part of what is executed
            if inner {
                self.statement.body.delimiter();
            } else if comments == self.mode.code_comments && !self.statement.data_follow {
                self.significant(kind, length);
            }
        }
        Ok((kind, length))
    }

    /// Says whether a delimiter here is inside the statement. A delimiter of the script's own choice
    /// ends a statement everywhere.
    fn holds(&self) -> bool {
        let state = &self.statement;
        self.mode.is_plain()
            && (self.mode.code_comments > 0
                || self.rules.parentheses_hold && state.depth > 0
                || state.body.is_open())
    }

    fn end(&mut self) {
        let state = std::mem::take(&mut self.statement);
        let mut class = self.rules.classify(&state.head);
        if state.session {
            class = class.with(Effect::Session);
        }
        if state.alone {
            class = class.with(Effect::Alone);
        }
        if let Some(escapes) = self.rules.escapes_after(&state.head) {
            self.mode.escapes = escapes;
        }
        self.mode.code_comments = 0;
        self.ended = Ended {
            class,
            edge: self.rules.edge(&state.head),
        };
    }

    fn significant(&mut self, kind: TokenKind, length: usize) {
        let range = self.at..self.at + length;
        let text = &self.text[range.clone()];
        let state = &mut self.statement;
        match (kind, text) {
            (TokenKind::Other, "(") => {
                if state.depth == 0 {
                    state.parenthesis = self.at;
                }
                state.depth += 1;
            }
            (TokenKind::Other, ")") => state.depth = state.depth.saturating_sub(1),
            _ => {}
        }
        if !state.head.is_full() {
            match kind {
                TokenKind::Quoted => state.head.push_quoted(text),
                _ => state.head.push(text),
            }
            if let Some(body) = self.rules.body(&state.head) {
                state.body.open(body);
            }
        }
        let next = self.text.as_bytes().get(range.end).copied();
        match kind {
            TokenKind::Word => state.body.word(text, state.depth),
            TokenKind::Other => state.body.other(text, state.depth, next),
            _ => state.body.quoted(),
        }
        if !state.body.is_stored() {
            self.mentioned(kind, &range, next);
        }
        self.statement.previous = Some(Token { kind, range });
    }

    fn mentioned(&mut self, kind: TokenKind, range: &std::ops::Range<usize>, next: Option<u8>) {
        let text = &self.text[range.clone()];
        let state = &self.statement;
        let previous = state.previous.as_ref();
        let before = previous.map_or("", |token| &self.text[token.range.clone()]);
        let mut found = Vec::new();
        for mention in self.rules.mentions {
            let fits = |word: &str| {
                word.eq_ignore_ascii_case(mention.word)
                    && (mention.before.is_empty() || mention.before.eq_ignore_ascii_case(before))
            };
            let here = match kind {
                TokenKind::Quoted => self.executes(mention, text),
                _ => fits(text),
            };
            if here && state.depth_fits(mention) && state.head.begins(mention.head) {
                found.push(mention.effect);
            }
        }
        if self.rules.user_variables && text == "@" && next != Some(b'@') {
            let adjacent = previous.filter(|token| token.range.end == range.start);
            // an account, or a variable of the system
            let other = adjacent.is_some_and(|token| {
                matches!(token.kind, TokenKind::Word | TokenKind::Quoted) || before == "@"
            });
            if !other {
                found.push(Effect::Session);
            }
        }
        for effect in found {
            match effect {
                Effect::Session => self.statement.session = true,
                Effect::Alone => self.statement.alone = true,
                Effect::Data => self.statement.data = true,
            }
        }
    }

    /// Says whether a string of a statement that executes its strings mentions the word.
    fn executes(&self, mention: &Mention, text: &str) -> bool {
        let code = self.rules.inline_code;
        !code.is_empty()
            && mention.before.is_empty()
            && self.statement.head.begins(code)
            && text
                .split(|one: char| !one.is_alphanumeric() && one != '_')
                .any(|word| word.eq_ignore_ascii_case(mention.word))
    }

    /// The length of the data after the delimiter, to the line `\.` without its end.
    fn data(&self) -> Result<usize, Unterminated> {
        let rest = &self.text[self.at..];
        let mut at = lexer::line(rest.as_bytes());
        if !rest[..at].trim().is_empty() {
            return Err(Unterminated {
                what: "the line after `COPY … FROM STDIN;`, where only its data may follow",
                offset: self.at,
            });
        }
        while at < rest.len() {
            let line = &rest[at..at + lexer::line(&rest.as_bytes()[at..])];
            if line.trim_end_matches(['\r', '\n']) == DATA_END {
                return Ok(at + DATA_END.len());
            }
            at += line.len();
        }
        Ok(rest.len())
    }
}

/// The line that ends a statement's data.
pub(in crate::migration) const DATA_END: &str = "\\.";

impl State {
    /// Data follow a statement only where its own words say so.
    fn depth_fits(&self, mention: &Mention) -> bool {
        mention.effect != Effect::Data || self.depth == 0
    }
}

impl Iterator for Tokens<'_> {
    type Item = Result<Token, Unterminated>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.text.len() {
            return None;
        }
        match self.token() {
            Ok((kind, length)) => {
                let start = self.at;
                self.at += length;
                Some(Ok(Token {
                    kind,
                    range: start..self.at,
                }))
            }
            Err(error) => {
                self.at = self.text.len();
                Some(Err(error))
            }
        }
    }
}
