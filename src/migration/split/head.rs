//! The first words of a statement, and the patterns that say what sort of statement begins so.

/// A word or character of a statement's head.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Item {
    /// In upper case, without quotes.
    text: String,
    /// A quoted name is never a keyword.
    quoted: bool,
}

/// The first words of a statement, as far as anything is decided by them.
#[derive(Debug, Clone, Default)]
pub(in crate::migration) struct Head {
    items: Vec<Item>,
}

/// One place in a pattern. Letters are compared without regard to case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// One of these keywords or characters.
    One(&'static [&'static str]),
    /// One of these keywords, or nothing.
    Maybe(&'static [&'static str]),
    /// One of these names, quoted or not.
    Name(&'static [&'static str]),
    /// Any name or keyword.
    Any,
    /// The name of a schema and a dot, or nothing.
    Qualifier,
    /// A name with a schema before it or not.
    Object,
    /// A string or name in which this stands.
    Holds(&'static str),
    /// Whose rights an object has, such as `DEFINER = name@host`, or nothing.
    Definer,
    /// Any number of words and characters, as few as will do.
    Skip,
    /// Nothing more.
    End,
}

impl Head {
    /// As many as the longest pattern looks at.
    const LENGTH: usize = 18;

    /// Says whether no pattern looks at what follows.
    pub(super) fn is_full(&self) -> bool {
        self.items.len() >= Self::LENGTH
    }

    /// Adds a word or a character.
    pub(super) fn push(&mut self, text: &str) {
        self.add(text, false);
    }

    /// Adds a name in quotes, given with them.
    pub(super) fn push_quoted(&mut self, text: &str) {
        let inner = text.get(1..text.len().saturating_sub(1));
        self.add(inner.unwrap_or_default(), true);
    }

    fn add(&mut self, text: &str, quoted: bool) {
        if !self.is_full() {
            self.items.push(Item {
                text: text.to_ascii_uppercase(),
                quoted,
            });
        }
    }

    /// Says whether the statement begins as `pattern` says.
    pub(in crate::migration) fn begins(&self, pattern: &[Term]) -> bool {
        fits(&self.items, pattern)
    }

    /// Returns the name, without a schema, that stands after a beginning as `pattern` says; in upper case.
    pub(in crate::migration) fn name_after(&self, pattern: &[Term]) -> Option<&str> {
        let mut items = after(&self.items, pattern)?;
        while fits(items, &[Term::Any, Term::One(&["."]), Term::Any]) {
            items = &items[2..];
        }
        items.first().map(|item| item.text.as_str())
    }
}

fn fits(items: &[Item], pattern: &[Term]) -> bool {
    after(items, pattern).is_some()
}

/// Returns what comes after a beginning as `pattern` says.
fn after<'a>(items: &'a [Item], pattern: &[Term]) -> Option<&'a [Item]> {
    let Some((term, pattern)) = pattern.split_first() else {
        return Some(items);
    };
    let first = items.first();
    let rest = items.get(1..).unwrap_or_default();
    let is = |item: &Item, words: &[&str]| {
        words
            .iter()
            .any(|word| word.eq_ignore_ascii_case(&item.text))
    };
    let keyword = |words| first.is_some_and(|item| !item.quoted && is(item, words));
    let going_on = |fits: bool, rest: &'a [Item]| {
        if fits { after(rest, pattern) } else { None }
    };
    match term {
        Term::One(words) => going_on(keyword(words), rest),
        Term::Maybe(words) => going_on(keyword(words), rest).or_else(|| after(items, pattern)),
        Term::Name(names) => going_on(first.is_some_and(|item| is(item, names)), rest),
        Term::Any => going_on(first.is_some(), rest),
        Term::Qualifier => {
            let dot = items
                .get(1)
                .is_some_and(|item| !item.quoted && item.text == ".");
            let rest = items.get(2..).unwrap_or_default();
            going_on(dot, rest).or_else(|| after(items, pattern))
        }
        Term::Object => {
            let name = fits(items, &[Term::Any, Term::One(&["."]), Term::Any]);
            let rest = if name { items.get(3..) } else { items.get(1..) };
            after(rest?, pattern)
        }
        Term::Holds(part) => going_on(first.is_some_and(|item| item.text.contains(part)), rest),
        Term::Definer => after(after_definer(items), pattern),
        Term::Skip => (0..=items.len()).find_map(|count| after(&items[count..], pattern)),
        Term::End => going_on(items.is_empty(), items),
    }
}

fn after_definer(items: &[Item]) -> &[Item] {
    let clauses: [&[Term]; 3] = [
        &[Term::Any, Term::One(&["@"]), Term::Any],
        &[Term::Any, Term::One(&["("]), Term::One(&[")"])],
        &[Term::Any],
    ];
    if !fits(items, &[Term::One(&["DEFINER"]), Term::One(&["="])]) {
        return items;
    }
    let items = &items[2..];
    let clause = clauses.iter().find(|clause| fits(items, clause));
    &items[clause.map_or(0, |clause| clause.len())..]
}
