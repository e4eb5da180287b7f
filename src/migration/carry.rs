//! What the rest of a script needs of the session in which its first statements ran.
//!
//! A script that goes on in another session finds there what is in the database, and not what was set,
//! made or kept for the session alone. Some of that can be set again; what cannot is named.

use std::collections::{HashMap, HashSet};

use super::problem::Problem;
use super::script::Script;
use super::split::{Class, Head, LexRules, Pieces, Statement, Term, TokenKind, Tokens};

/// What the rest of a script depends on that another session does not have: the line of the statement
/// that depends on it, or that made what any statement may depend on, and what it is.
type Lost = (u64, String);

/// Returns the statements among the first `done` of a script that must be executed again, in order and
/// outside of any transaction, before the rest of it runs in another session.
///
/// They set something of the session to values that they name. A BEGIN and COMMIT around all of the
/// script are not counted.
///
/// # Errors
///
/// The line and name of what the rest may depend on and cannot be set again, such as a temporary table
/// or the result of a query in a variable. What the rest never mentions is not missed.
pub fn carried(
    script: &Script,
    rules: &'static LexRules,
    done: u64,
) -> Result<Vec<String>, (u64, String)> {
    let unreadable = |problem: Problem| {
        let line = problem.line.map_or(0, |line| line as u64);
        (line, problem.message)
    };
    let mut left = Left::new(rules);
    let mut rest = Rest::default();
    let mut index = 0;
    for statement in script.statements(rules) {
        let statement = statement.map_err(unreadable)?;
        if statement.frames() {
            continue;
        }
        index += 1;
        let line = statement.line as u64;
        for (text, class) in parts(&statement, rules) {
            let statement = Reading::of(text, class, rules);
            if index <= done {
                left.take(&statement, line)?;
            } else {
                rest.take(&statement, &mut left)
                    .map_err(|what| (line, what))?;
            }
        }
    }
    Ok(left.replay)
}

/// The statements of a block, or the one statement.
fn parts<'a>(statement: &Statement<'a>, rules: &'static LexRules) -> Vec<(&'a str, Class)> {
    let text = statement.text;
    if statement.class != Class::Block {
        return vec![(text, statement.class)];
    }
    Pieces::new(text, 0..text.len(), rules)
        .flatten()
        .filter_map(|piece| Some((&text[piece.statement?], piece.class)))
        .collect()
}

/// A statement, as far as it matters here.
struct Reading<'a> {
    text: &'a str,
    class: Class,
    head: Head,
    variables: Variables,
    rules: &'static LexRules,
}

impl<'a> Reading<'a> {
    fn of(text: &'a str, class: Class, rules: &'static LexRules) -> Self {
        let head = Tokens::head_of(text, rules);
        let variables = if rules.user_variables && text.contains('@') && !rules.stores_body(&head) {
            Variables::of(text, rules)
        } else {
            Variables::default()
        };
        Self {
            text,
            class,
            head,
            variables,
            rules,
        }
    }

    fn begins(&self, patterns: &[&[Term]]) -> bool {
        patterns.iter().any(|pattern| self.head.begins(pattern))
    }

    fn mentions(&self, words: &[&str]) -> Option<&'a str> {
        if words.is_empty() || self.rules.stores_body(&self.head) {
            return None;
        }
        words_of(self.text).find(|found| words.iter().any(|word| word.eq_ignore_ascii_case(found)))
    }

    /// What the statement makes that lives as long as the session, and its name in upper case.
    fn makes(&self) -> Option<(&'static str, String)> {
        self.rules.carry.makes.iter().find_map(|(pattern, what)| {
            let name = self.head.name_after(pattern)?;
            Some((*what, name.to_owned()))
        })
    }
}

/// The words of a text, in strings and comments too.
fn words_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(|one: char| !one.is_alphanumeric() && one != '_' && one != '$')
        .filter(|word| !word.is_empty())
}

/// What the statements that are done left in their session.
struct Left {
    rules: &'static LexRules,
    replay: Vec<String>,
    /// Variables that are set again.
    known: HashSet<String>,
    /// Variables that were set to what only the database could tell.
    computed: HashSet<String>,
    /// What lives as long as the session, by name.
    made: HashMap<String, &'static str>,
    /// A statement may have set any variable.
    opaque: bool,
    wrote: bool,
}

impl Left {
    fn new(rules: &'static LexRules) -> Self {
        Self {
            rules,
            replay: Vec::new(),
            known: HashSet::new(),
            computed: HashSet::new(),
            made: HashMap::new(),
            opaque: false,
            wrote: false,
        }
    }

    fn take(&mut self, statement: &Reading<'_>, line: u64) -> Result<(), Lost> {
        let carry = &self.rules.carry;
        let opaque = statement.begins(carry.opaque);
        if opaque {
            self.opaque = true;
            self.computed.extend(self.known.drain());
        }
        self.wrote |= opaque || self.rules.writes_rows(statement.text);
        if !statement.class.changes_session() {
            return Ok(());
        }
        if let Some(lock) = statement.mentions(carry.locks) {
            return Err((line, format!("the lock that `{lock}` took")));
        }
        if statement.begins(carry.resets) {
            let fresh = Self::new(self.rules);
            let wrote = self.wrote;
            *self = Self { wrote, ..fresh };
        } else if statement.begins(carry.nothing) {
        } else if statement.begins(carry.sets) {
            self.set(statement, line)?;
        } else if let Some((what, name)) = statement.makes() {
            self.made.insert(name, what);
        } else if statement.variables.is_empty() && !opaque {
            let shown: String = statement.text.chars().take(SHOWN).collect();
            return Err((line, format!("what `{shown}` left in its session")));
        }
        if !statement.begins(carry.sets) {
            for variable in &statement.variables.set {
                self.known.remove(variable);
                self.computed.insert(variable.clone());
            }
        }
        Ok(())
    }

    fn set(&mut self, statement: &Reading<'_>, line: u64) -> Result<(), Lost> {
        let variables = &statement.variables;
        let unknown = variables.read.iter().any(|name| !self.known.contains(name));
        if !unknown && is_constant(statement) {
            self.replay.push(statement.text.to_owned());
            for variable in &variables.set {
                self.computed.remove(variable);
                self.known.insert(variable.clone());
            }
            return Ok(());
        }
        if variables.sets_more {
            let shown: String = statement.text.chars().take(SHOWN).collect();
            return Err((line, format!("the settings that `{shown}` computed")));
        }
        for variable in &variables.set {
            self.known.remove(variable);
            self.computed.insert(variable.clone());
        }
        Ok(())
    }
}

/// How many characters of a statement are shown.
const SHOWN: usize = 40;

/// What the rest of the script has done by itself.
#[derive(Default)]
struct Rest {
    set: HashSet<String>,
    wrote: bool,
}

impl Rest {
    fn take(&mut self, statement: &Reading<'_>, left: &mut Left) -> Result<(), String> {
        if statement.rules.stores_body(&statement.head) {
            return Ok(());
        }
        let carry = &statement.rules.carry;
        if left.wrote
            && !self.wrote
            && let Some(function) = statement.mentions(carry.recalls)
        {
            return Err(format!("`{function}()`"));
        }
        self.wrote |= statement.begins(carry.opaque) || statement.rules.writes_rows(statement.text);
        if statement.begins(carry.resets) {
            left.made.clear();
        }
        for variable in &statement.variables.read {
            let is_set = left.known.contains(variable) || self.set.contains(variable);
            if !is_set && (left.opaque || left.computed.contains(variable)) {
                return Err(format!("the variable `@{}`", variable.to_lowercase()));
            }
        }
        self.set.extend(statement.variables.set.iter().cloned());
        if left.made.is_empty() {
            return Ok(());
        }
        if let Some((_, name)) = statement.makes() {
            left.made.remove(&name);
        }
        for word in words_of(statement.text) {
            if let Some((name, what)) = left.made.get_key_value(&word.to_uppercase()) {
                return Err(format!("the {what} `{}`", name.to_lowercase()));
            }
        }
        Ok(())
    }
}

/// The variables of the session in a statement, in upper case.
#[derive(Default)]
struct Variables {
    /// Those whose value it may use.
    read: Vec<String>,
    /// Those that it may set.
    set: Vec<String>,
    /// It assigns to something else as well.
    sets_more: bool,
}

impl Variables {
    fn is_empty(&self) -> bool {
        self.read.is_empty() && self.set.is_empty()
    }

    fn of(text: &str, rules: &'static LexRules) -> Self {
        let tokens: Vec<&str> = significant(text, rules).map(|(_, text)| text).collect();
        let is = |at: usize, word: &str| {
            tokens
                .get(at)
                .is_some_and(|token| token.eq_ignore_ascii_case(word))
        };
        let head = Tokens::head_of(text, rules);
        let opaque = rules
            .carry
            .opaque
            .iter()
            .any(|pattern| head.begins(pattern));
        let list = is(0, "SET");
        let mut found = Self::default();
        let mut left_side = list;
        let mut into = false;
        let mut depth = 0_u32;
        for (at, token) in tokens.iter().enumerate() {
            match *token {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                "," if depth == 0 => left_side = list,
                "=" => left_side = false,
                _ => {}
            }
            // a list of variables right behind it, and not the table of an INSERT
            let listed = *token == "@" || *token == "," || at > 0 && is(at - 1, "@");
            into = is(at, "INTO") && is(at + 1, "@") || into && listed;
            let assigned = is(at + 1, "=") || is(at + 1, ":") && is(at + 2, "=");
            let names = *token == "@" && !is(at + 1, "@") && !(at > 0 && is(at - 1, "@"));
            if !names {
                let named = at > 0 && is(at - 1, "@") && !(at > 1 && is(at - 2, "@"));
                found.sets_more |= left_side && assigned && !named;
                continue;
            }
            let Some(name) = tokens.get(at + 1) else {
                continue;
            };
            let name = name.trim_matches(['`', '\'', '"']).to_uppercase();
            let colon = is(at + 2, ":") && is(at + 3, "=");
            if colon || left_side || into || opaque {
                found.set.push(name.clone());
            }
            if !left_side && !colon && !into {
                found.read.push(name);
            }
        }
        found
    }
}

/// Says whether the statement names all values that it sets.
fn is_constant(statement: &Reading<'_>) -> bool {
    let computes = statement.rules.carry.computes;
    let mut tokens = significant(statement.text, statement.rules);
    !tokens.any(|(kind, text)| {
        kind != TokenKind::Quoted && computes.iter().any(|one| one.eq_ignore_ascii_case(text))
    })
}

/// The tokens that are executed, with their kinds.
fn significant<'a>(
    text: &'a str,
    rules: &'static LexRules,
) -> impl Iterator<Item = (TokenKind, &'a str)> {
    Tokens::new(text, 0, rules)
        .flatten()
        .filter(|token| {
            !matches!(
                token.kind,
                TokenKind::Space | TokenKind::Comment | TokenKind::Client
            )
        })
        .map(|token| (token.kind, &text[token.range]))
        .filter(|(kind, text)| {
            *kind != TokenKind::Other || !text.starts_with("/*") && *text != "*/"
        })
}

#[cfg(test)]
#[path = "carry_tests.rs"]
mod tests;
