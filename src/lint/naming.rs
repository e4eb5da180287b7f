//! What names are agreed on.

use super::change::Name;

/// The longest name that the databases take whole; what would be longer cannot follow a pattern.
const LONGEST: usize = 63;

/// How tables are named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Case {
    /// `lower_snake_case`.
    #[default]
    LowerSnake,
    /// `UPPER_SNAKE_CASE`.
    UpperSnake,
    /// `PascalCase`.
    Pascal,
    /// `camelCase`.
    Camel,
    /// In any way.
    Any,
}

impl Case {
    /// Reads how tables are named.
    ///
    /// # Errors
    ///
    /// A sentence that says which forms there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "lower_snake_case" => Self::LowerSnake,
            "UPPER_SNAKE_CASE" => Self::UpperSnake,
            "PascalCase" => Self::Pascal,
            "camelCase" => Self::Camel,
            "any" => Self::Any,
            _ => {
                return Err(format!(
                    "expected `lower_snake_case`, `UPPER_SNAKE_CASE`, `PascalCase`, `camelCase` or \
                     `any`, found `{text}`"
                ));
            }
        })
    }

    /// Returns it as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LowerSnake => "lower_snake_case",
            Self::UpperSnake => "UPPER_SNAKE_CASE",
            Self::Pascal => "PascalCase",
            Self::Camel => "camelCase",
            Self::Any => "any",
        }
    }

    pub(super) fn fits(self, name: &Name) -> bool {
        let name = &name.0;
        let first = name.chars().next().unwrap_or('_');
        let words = name.chars().all(|one| one.is_alphanumeric() || one == '_');
        let flat = name.chars().all(char::is_alphanumeric);
        match self {
            Self::LowerSnake => words && !name.chars().any(char::is_uppercase),
            Self::UpperSnake => words && !name.chars().any(char::is_lowercase),
            Self::Pascal => flat && first.is_uppercase(),
            Self::Camel => flat && first.is_lowercase(),
            Self::Any => true,
        }
    }
}

/// A pattern of names: `{table}` and `{columns}` stand for the names joined by `_`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Option<String>);

impl Pattern {
    /// Reads a pattern, or `any`.
    ///
    /// # Errors
    ///
    /// A sentence that says what a pattern is made of.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "any" {
            return Ok(Self(None));
        }
        let rest = text.replace("{table}", "").replace("{columns}", "");
        let plain = rest.chars().all(|one| one.is_alphanumeric() || one == '_');
        if text.is_empty() || !plain {
            return Err(format!(
                "expected a pattern of letters, `_`, `{{table}}` and `{{columns}}`, or `any`, found \
                 `{text}`"
            ));
        }
        Ok(Self(Some(text.to_owned())))
    }

    /// Returns it as it is written.
    pub fn as_str(&self) -> &str {
        self.0.as_deref().unwrap_or("any")
    }

    /// Returns the name that is agreed on, where there is one.
    pub(super) fn expected(&self, table: &Name, columns: &[Name]) -> Option<String> {
        let pattern = self.0.as_deref()?;
        if pattern.contains("{columns}") && columns.is_empty() {
            return None;
        }
        let columns: Vec<&str> = columns.iter().map(|column| column.0.as_str()).collect();
        let name = pattern
            .replace("{table}", &table.0)
            .replace("{columns}", &columns.join("_"));
        (name.len() <= LONGEST).then_some(name)
    }
}

/// What names are agreed on in a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    /// How tables are named.
    pub tables: Case,
    /// How indexes are named.
    pub indexes: Pattern,
    /// How foreign keys are named.
    pub foreign_keys: Pattern,
}

impl Default for Naming {
    fn default() -> Self {
        Self {
            tables: Case::LowerSnake,
            indexes: Pattern(Some("idx_{table}_{columns}".to_owned())),
            foreign_keys: Pattern(Some("fk_{table}_{columns}".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name(text.to_owned())
    }

    #[test]
    fn cases_are_told_apart() {
        for (case, good, bad) in [
            (Case::LowerSnake, "order_lines2", "orderLines"),
            (Case::UpperSnake, "ORDER_LINES", "Order_Lines"),
            (Case::Pascal, "OrderLines", "order_lines"),
            (Case::Camel, "orderLines", "OrderLines"),
        ] {
            assert!(case.fits(&name(good)) && !case.fits(&name(bad)), "{case:?}");
            assert_eq!(Case::parse(case.as_str()), Ok(case));
        }
        assert!(Case::parse("snake").is_err());
    }

    #[test]
    fn a_pattern_makes_the_name() {
        let naming = Naming::default();
        let columns = [name("a"), name("b")];
        let expected = naming.indexes.expected(&name("orders"), &columns);
        assert_eq!(expected.as_deref(), Some("idx_orders_a_b"));
        assert_eq!(naming.indexes.expected(&name("orders"), &[]), None);
        let long = name(&"o".repeat(60));
        assert_eq!(naming.indexes.expected(&long, &columns), None);
        assert!(Pattern::parse("idx-{table}").is_err());
        assert!(Pattern::parse("{tabel}_idx").is_err());
    }
}
