//! Canonical bytes to values, refusing every other form.

use std::borrow::Cow;

use super::{CanonicalError, MAX_DEPTH, MAX_INTEGER, Value, is_member_name};

/// Returns the value that `bytes` are the canonical form of.
///
/// # Errors
///
/// When the bytes are not JSON, or are a form of a value that is not its canonical one. The
/// message names the first offending byte, counted from 1.
pub fn read(bytes: &[u8]) -> Result<Value, CanonicalError> {
    read_node(bytes).map(Node::into_value)
}

/// A value that borrows from the bytes it was read from: an event is read for each line of a
/// log, and what its typed members take out of it need not be copied twice.
#[derive(Debug)]
pub(crate) enum Node<'a> {
    Bool(bool),
    Integer(i64),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Object(Nodes<'a>),
}

/// The members of an object, sorted by name.
pub(crate) type Nodes<'a> = Vec<(&'a str, Node<'a>)>;

impl Node<'_> {
    /// Copies what is borrowed.
    pub(crate) fn into_value(self) -> Value {
        match self {
            Self::Bool(value) => Value::Bool(value),
            Self::Integer(integer) => Value::Integer(integer),
            Self::Text(text) => Value::Text(text.into_owned()),
            Self::List(list) => Value::List(list.into_iter().map(Self::into_value).collect()),
            Self::Object(members) => Value::Object(
                members
                    .into_iter()
                    .map(|(name, member)| (name.to_owned(), member.into_value()))
                    .collect(),
            ),
        }
    }

    /// Names what sort of value this is, for messages.
    pub(crate) const fn sort(&self) -> &'static str {
        match self {
            Self::Bool(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Text(_) => "a string",
            Self::List(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

/// Reads as [`read`] does, without copying.
pub(crate) fn read_node(bytes: &[u8]) -> Result<Node<'_>, CanonicalError> {
    let text = std::str::from_utf8(bytes).map_err(|fault| {
        CanonicalError(format!(
            "expected UTF-8, found another byte at {}",
            fault.valid_up_to() + 1
        ))
    })?;
    let mut reader = Reader {
        text,
        bytes,
        position: 0,
    };
    let value = reader.value(0)?;
    if reader.position < bytes.len() {
        return Err(reader.unexpected("the end"));
    }
    Ok(value)
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Node<'a>, CanonicalError> {
        if depth >= MAX_DEPTH && matches!(self.peek(), Some(b'{' | b'[')) {
            return Err(CanonicalError(format!(
                "values nest deeper than {MAX_DEPTH} levels"
            )));
        }
        match self.peek() {
            Some(b'"') => self.string().map(Node::Text),
            Some(b'{') => self.object(depth).map(Node::Object),
            Some(b'[') => self.list(depth).map(Node::List),
            Some(b't') => self.word("true").map(|()| Node::Bool(true)),
            Some(b'f') => self.word("false").map(|()| Node::Bool(false)),
            Some(b'-' | b'0'..=b'9') => self.integer().map(Node::Integer),
            _ => Err(self.unexpected("a string, integer, boolean, array or object")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Nodes<'a>, CanonicalError> {
        self.position += 1;
        let mut members = Nodes::with_capacity(14);
        if self.take(b'}') {
            return Ok(members);
        }
        loop {
            let name = self.member_name()?;
            if let Some((last, _)) = members.last()
                && *last >= name
            {
                return Err(CanonicalError(format!(
                    "expected members sorted and none twice, found `{name}` after `{last}`"
                )));
            }
            self.expect(b':')?;
            let value = self.value(depth + 1)?;
            members.push((name, value));
            if self.take(b'}') {
                return Ok(members);
            }
            self.expect(b',')?;
        }
    }

    fn member_name(&mut self) -> Result<&'a str, CanonicalError> {
        self.expect(b'"')?;
        let start = self.position;
        while self.peek().is_some_and(|byte| byte != b'"') {
            self.position += 1;
        }
        let end = self.position;
        if !is_member_name(&self.bytes[start..end]) {
            self.position = start;
            return Err(self.unexpected("a member name of `a-z`, `0-9` and `_`"));
        }
        self.expect(b'"')?;
        let text: &'a str = self.text;
        Ok(&text[start..end])
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node<'a>>, CanonicalError> {
        self.position += 1;
        let mut elements = Vec::new();
        if self.take(b']') {
            return Ok(elements);
        }
        loop {
            elements.push(self.value(depth + 1)?);
            if self.take(b']') {
                return Ok(elements);
            }
            self.expect(b',')?;
        }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, CanonicalError> {
        self.position += 1;
        let mut string = Cow::Borrowed(self.plain_run());
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.position += 1;
                    return Ok(string);
                }
                Some(b'\\') => {
                    let escaped = self.escape()?;
                    let string = string.to_mut();
                    string.push(escaped);
                    string.push_str(self.plain_run());
                }
                _ => return Err(self.unexpected("a string's next character or its end")),
            }
        }
    }

    /// Takes the characters that stand for themselves.
    fn plain_run(&mut self) -> &'a str {
        let start = self.position;
        while self
            .peek()
            .is_some_and(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
        {
            self.position += 1;
        }
        let text: &'a str = self.text;
        // every byte that ends the run is ASCII, so both ends are character boundaries
        &text[start..self.position]
    }

    fn escape(&mut self) -> Result<char, CanonicalError> {
        let character = match self.bytes.get(self.position + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'b') => '\u{8}',
            Some(b't') => '\t',
            Some(b'n') => '\n',
            Some(b'f') => '\u{c}',
            Some(b'r') => '\r',
            Some(b'u') => return self.control_escape(),
            _ => return Err(self.unexpected("a canonical escape")),
        };
        self.position += 2;
        Ok(character)
    }

    /// Reads `\u00xx` of a control character that has no short escape.
    fn control_escape(&mut self) -> Result<char, CanonicalError> {
        let digits = self.bytes.get(self.position + 2..self.position + 6);
        let code = match digits {
            Some([b'0', b'0', high @ (b'0' | b'1'), low]) => {
                let low = match low {
                    b'0'..=b'9' => low - b'0',
                    b'a'..=b'f' => low - b'a' + 10,
                    _ => return Err(self.unexpected("a canonical escape")),
                };
                (high - b'0') << 4 | low
            }
            _ => return Err(self.unexpected("a canonical escape")),
        };
        if matches!(code, 0 | 0x08 | b'\t' | b'\n' | 0x0c | b'\r') {
            return Err(self.unexpected("no NUL, and the short escape where there is one"));
        }
        self.position += 6;
        Ok(char::from(code))
    }

    fn integer(&mut self) -> Result<i64, CanonicalError> {
        let start = self.position;
        let negative = self.take(b'-');
        let digits_start = self.position;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.position += 1;
        }
        let digits = &self.text[digits_start..self.position];
        let leading_zero = digits.starts_with('0') && (digits.len() > 1 || negative);
        match self.text[start..self.position].parse::<i64>() {
            Ok(integer)
                if !leading_zero && integer.unsigned_abs() <= MAX_INTEGER.unsigned_abs() =>
            {
                Ok(integer)
            }
            _ => {
                self.position = start;
                Err(self.unexpected("an integer below 2^53 without leading zero"))
            }
        }
    }

    fn word(&mut self, word: &str) -> Result<(), CanonicalError> {
        if !self.bytes[self.position..].starts_with(word.as_bytes()) {
            return Err(self.unexpected("`true` or `false`"));
        }
        self.position += word.len();
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.position).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.position += 1;
        }
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), CanonicalError> {
        if self.take(byte) {
            return Ok(());
        }
        Err(self.unexpected(&format!("`{}`", char::from(byte))))
    }

    fn unexpected(&self, expected: &str) -> CanonicalError {
        let found = match self.peek() {
            Some(byte) => format!("`{}`", char::from(byte).escape_default()),
            None => "the end".to_owned(),
        };
        CanonicalError(format!(
            "expected {expected} at byte {}, found {found}",
            self.position + 1
        ))
    }
}
