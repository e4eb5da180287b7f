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
pub(super) struct Head {
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
    pub(super) fn begins(&self, pattern: &[Term]) -> bool {
        fits(&self.items, pattern)
    }
}

fn fits(items: &[Item], pattern: &[Term]) -> bool {
    let Some((term, rest)) = pattern.split_first() else {
        return true;
    };
    let first = items.first();
    let after = items.get(1..).unwrap_or_default();
    let is = |item: &Item, words: &[&str]| {
        words
            .iter()
            .any(|word| word.eq_ignore_ascii_case(&item.text))
    };
    let keyword = |words| first.is_some_and(|item| !item.quoted && is(item, words));
    match term {
        Term::One(words) => keyword(words) && fits(after, rest),
        Term::Maybe(words) => keyword(words) && fits(after, rest) || fits(items, rest),
        Term::Name(names) => first.is_some_and(|item| is(item, names)) && fits(after, rest),
        Term::Any => first.is_some() && fits(after, rest),
        Term::Qualifier => {
            let dot = items
                .get(1)
                .is_some_and(|item| !item.quoted && item.text == ".");
            dot && fits(&items[2..], rest) || fits(items, rest)
        }
        Term::Object => {
            let name = fits(items, &[Term::Any, Term::One(&["."]), Term::Any]);
            let after = if name { items.get(3..) } else { items.get(1..) };
            after.is_some_and(|after| fits(after, rest))
        }
        Term::Holds(part) => {
            first.is_some_and(|item| item.text.contains(part)) && fits(after, rest)
        }
        Term::Definer => fits(after_definer(items), rest),
        Term::Skip => (0..=items.len()).any(|count| fits(&items[count..], rest)),
        Term::End => items.is_empty(),
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
