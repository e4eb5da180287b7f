//! Statements whose data follow them in the script.

use super::lexer::TokenKind;
use super::postgres::POSTGRES;
use super::tokens::{DATA_END, Tokens};

/// Returns the command of a `COPY … FROM STDIN` and the data that follow it, without the line `\.` that
/// ends them; none of any other statement.
pub fn copy_data(text: &str) -> Option<(&str, &str)> {
    let mut tokens = Tokens::new(text, 0, &POSTGRES);
    let mut end = 0;
    while let Some(Ok(token)) = tokens.next() {
        match token.kind {
            TokenKind::Data => {
                let data = &text[token.range];
                let begin = data.find('\n').map_or(data.len(), |at| at + 1);
                let data = &data[begin..];
                let data = match data.strip_suffix(DATA_END) {
                    Some(rows) if rows.is_empty() || rows.ends_with('\n') => rows,
                    _ => data,
                };
                return Some((text[..end].trim_end(), data));
            }
            TokenKind::End => return None,
            // the delimiter between the command and its data
            TokenKind::Other if tokens.expects_data() => {}
            TokenKind::Space | TokenKind::Comment | TokenKind::Client => {}
            TokenKind::Quoted | TokenKind::Word | TokenKind::Other => end = token.range.end,
        }
    }
    tokens.has_data().then_some((&text[..end], ""))
}
