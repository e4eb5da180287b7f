//! Passwords and tokens in scripts. Nothing found here is ever repeated in a message.

use ledger::Direction;

use super::super::subject::{Reading, Subject};
use super::super::{Context, Found, rule};
use crate::migration::split::{TokenKind, Tokens};

/// How tokens of well-known services begin, and how many characters follow at least.
const SHAPES: [(&str, usize, &str); 14] = [
    ("AKIA", 16, "an access key of AWS"),
    ("ASIA", 16, "an access key of AWS"),
    ("ghp_", 30, "a token of GitHub"),
    ("gho_", 30, "a token of GitHub"),
    ("ghs_", 30, "a token of GitHub"),
    ("github_pat_", 30, "a token of GitHub"),
    ("glpat-", 18, "a token of GitLab"),
    ("xoxb-", 20, "a token of Slack"),
    ("xoxp-", 20, "a token of Slack"),
    ("sk_live_", 16, "a key of Stripe"),
    ("rk_live_", 16, "a key of Stripe"),
    ("AIza", 35, "a key of Google"),
    ("npm_", 36, "a token of npm"),
    ("-----BEGIN ", 11, "a private key"),
];

/// Words after which a string is a password, with the word that must stand before them.
const PASSWORDS: [(&str, &str); 5] = [
    ("PASSWORD", ""),
    ("IDENTIFIED BY", ""),
    ("BY PASSWORD", "IDENTIFIED"),
    ("AS", "IDENTIFIED"),
    ("USING", "IDENTIFIED"),
];

pub(super) fn find(context: &Context<'_>, subject: &Subject<'_>, found: &mut Vec<Found>) {
    let down = subject.down.iter().map(|down| (Direction::Down, down));
    for (direction, reading) in [(Direction::Up, &subject.up)].into_iter().chain(down) {
        let mut one = Vec::new();
        passwords(context, reading, &mut one);
        shapes(context, reading, &mut one);
        found.extend(one.into_iter().map(|found| Found {
            direction,
            secret: true,
            ..found
        }));
    }
}

fn passwords(context: &Context<'_>, reading: &Reading, found: &mut Vec<Found>) {
    for statement in &reading.statements {
        let sql = reading.sql(statement);
        let mut words: Vec<String> = Vec::new();
        for token in Tokens::new(sql, 0, context.lex).flatten() {
            let text = &sql[token.range.clone()];
            match token.kind {
                TokenKind::Word => words.push(text.to_ascii_uppercase()),
                TokenKind::Quoted if names_account(&words) && follows_password(&words) => {
                    if is_literal(text) {
                        found.push(Found {
                            offset: Some(statement.offset + token.range.start),
                            ..Found::at(
                                &rule::SECRET_IN_SQL,
                                statement,
                                "the password of an account stands here",
                            )
                        });
                    }
                    words.push(String::new());
                }
                TokenKind::Quoted => words.push(String::new()),
                _ => {}
            }
            // the head of a statement is all that is needed, and rows may be many
            if words.len() == 2 && !names_account(&words) {
                break;
            }
        }
    }
}

/// Says whether the statement makes or changes an account.
fn names_account(words: &[String]) -> bool {
    let first = words.first().map_or("", String::as_str);
    let second = words.get(1).map_or("", String::as_str);
    match first {
        "CREATE" | "ALTER" => ["USER", "ROLE", "GROUP", "SUBSCRIPTION", "OR"].contains(&second),
        "GRANT" => true,
        "SET" => second == "PASSWORD",
        _ => false,
    }
}

fn follows_password(words: &[String]) -> bool {
    let joined = words.join(" ");
    let assigned = words.first().is_some_and(|first| first == "SET");
    assigned
        || PASSWORDS.iter().any(|(after, with)| {
            joined.ends_with(after) && words.iter().any(|word| with.is_empty() || word == with)
        })
}

/// Says whether a quoted text is a value, and not one that is filled in later.
fn is_literal(text: &str) -> bool {
    let inner = text.trim_matches(|one: char| "'\"`$".contains(one));
    text.starts_with(['\'', '"'])
        && !inner.is_empty()
        && !["${", "{{", ":", "<"]
            .iter()
            .any(|placeholder| inner.starts_with(placeholder))
        && !text.contains("${")
}

fn shapes(context: &Context<'_>, reading: &Reading, found: &mut Vec<Found>) {
    let body = reading.body();
    for token in Tokens::new(body, 0, context.lex).flatten() {
        if !matches!(
            token.kind,
            TokenKind::Quoted | TokenKind::Comment | TokenKind::Data
        ) {
            continue;
        }
        let Some((at, what)) = shape(&body[token.range.clone()]) else {
            continue;
        };
        found.push(Found {
            offset: Some(reading.section.start + token.range.start + at),
            ..Found::whole(&rule::SECRET_IN_SQL, format!("{what} stands here"))
        });
    }
}

/// Finds what looks like a token, or an address with a password in it.
fn shape(text: &str) -> Option<(usize, &'static str)> {
    let known = SHAPES.iter().find_map(|(prefix, length, what)| {
        let at = text.find(prefix)?;
        let rest = &text[at + prefix.len()..];
        let is_token = |one: char| one.is_ascii_alphanumeric() || "_-".contains(one);
        let begins = text[..at]
            .chars()
            .next_back()
            .is_none_or(|one| !is_token(one));
        let fits = if prefix.starts_with('-') {
            rest.contains("PRIVATE KEY-----")
        } else {
            begins && rest.chars().take_while(|one| is_token(*one)).count() >= *length
        };
        fits.then_some((at, *what))
    });
    known.or_else(|| {
        let at = text.find("://")?;
        let rest = text[at + 3..].split(['/', ' ', '\'', '\n']).next()?;
        let (user, _) = rest.rsplit_once('@')?;
        let (_, password) = user.split_once(':')?;
        let real = !password.is_empty() && !password.contains(['$', '{', '<', '*']);
        real.then_some((at, "an address with a password"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_known_and_words_are_not() {
        let token = ["gh", "p_", &"a1".repeat(18)].concat();
        assert!(shape(&format!("'{token}'")).is_some());
        let key = ["-----BEGIN ", "OPENSSH PRIVATE KEY-----"].concat();
        assert!(shape(&key).is_some());
        assert!(shape("'postgres://app:hunter2@db/shop'").is_some());
        for harmless in [
            "'AKIA is a prefix'",
            "'https://example.com/a@b'",
            "'postgres://app:${PASSWORD}@db'",
            "-- see https://example.com:8080/x",
            "'npm_config_cache'",
        ] {
            assert_eq!(shape(harmless), None, "{harmless}");
        }
    }
}
