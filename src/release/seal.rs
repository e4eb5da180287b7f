//! The last line of a changelog: what it was made from, so that it can be made again.

use std::fmt;
use std::str::FromStr;

use ledger::Digest;
use serde::Serializer;

/// How the line begins; the number is the version of what changelogs say.
const BEGIN: &str = "mledger-changelog/1";

/// What a changelog was made from, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// The ledger's id there.
    pub ledger: Digest,
    /// The first event that it is about.
    pub first: u64,
    /// The last event that it was made from.
    pub last: u64,
    /// The Merkle root over all events up to the last one.
    pub root: Digest,
    /// What was asked for.
    pub asked: Asked,
}

/// What a changelog is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// After this release; from the beginning, if `None`.
    pub from: Option<String>,
    /// Up to this release; up to what is applied now, if `None`.
    pub to: Option<String>,
    /// Rollbacks and failed attempts too.
    pub full: bool,
    /// The form.
    pub output: Output,
}

/// The forms of a changelog.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Output {
    /// Markdown.
    #[default]
    Markdown,
    /// One JSON document.
    Json,
    /// One HTML page.
    Html,
}

impl Output {
    const ALL: [Self; 3] = [Self::Markdown, Self::Json, Self::Html];

    fn as_str(self) -> &'static str {
        match self {
            Self::Markdown => "markdown",
            Self::Json => "json",
            Self::Html => "html",
        }
    }
}

impl Seal {
    /// Returns the seal that stands in the last lines of a changelog; the last one, where a description
    /// imitates it. A template for a page may have escaped its slash.
    pub fn find(text: &str) -> Option<Self> {
        let text = text.replace("&#x2f;", "/");
        let at = text.rfind(BEGIN)?;
        let line = text[at..].lines().next()?;
        let end = line.find(['`', '<', '"']).unwrap_or(line.len());
        line[..end].parse().ok()
    }
}

impl fmt::Display for Seal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "-".to_owned());
        write!(
            formatter,
            "{BEGIN} ledger={} events={}..{} root={} from={} to={} full={} output={}",
            self.ledger,
            self.first,
            self.last,
            self.root,
            name(&self.asked.from),
            name(&self.asked.to),
            if self.asked.full { "yes" } else { "no" },
            self.asked.output.as_str()
        )
    }
}

/// The text is no seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the last line of a changelog")]
pub struct SealError;

impl FromStr for Seal {
    type Err = SealError;

    fn from_str(text: &str) -> Result<Self, SealError> {
        read(text)
            // one form alone, so that what is shown is what is checked
            .filter(|seal| seal.to_string() == text)
            .ok_or(SealError)
    }
}

fn read(text: &str) -> Option<Seal> {
    let mut words = text.split(' ');
    if words.next() != Some(BEGIN) {
        return None;
    }
    let mut member = |name: &str| {
        let (found, value) = words.next()?.split_once('=')?;
        (found == name).then(|| value.to_owned())
    };
    let ledger = member("ledger")?.parse().ok()?;
    let events = member("events")?;
    let (first, last) = events.split_once("..")?;
    let release = |name: String| (name != "-").then_some(name);
    Some(Seal {
        ledger,
        first: first.parse().ok()?,
        last: last.parse().ok()?,
        root: member("root")?.parse().ok()?,
        asked: Asked {
            from: release(member("from")?),
            to: release(member("to")?),
            full: member("full")? == "yes",
            output: {
                let name = member("output")?;
                Output::ALL.into_iter().find(|one| one.as_str() == name)?
            },
        },
    })
}

/// Serialises a seal as its line.
///
/// # Errors
///
/// Those of the serializer.
pub fn as_text<S: Serializer>(seal: &Seal, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(seal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal() -> Seal {
        Seal {
            ledger: Digest::of(b"ledger"),
            first: 3,
            last: 12,
            root: Digest::of(b"root"),
            asked: Asked {
                from: None,
                to: Some("1.2.0-rc.1+build.5".to_owned()),
                full: true,
                output: Output::Html,
            },
        }
    }

    #[test]
    fn a_seal_is_found_in_each_form() {
        let seal = seal();
        for text in [
            format!("a\n\n`{seal}`\n"),
            format!("a\n<p><code>{seal}</code></p>\n</html>\n"),
            format!("{{\n  \"seal\": \"{seal}\"\n}}\n"),
            format!("a mledger-changelog/1 of a description\n`{seal}`\n"),
        ] {
            assert_eq!(Seal::find(&text), Some(seal.clone()), "{text}");
        }
    }

    #[test]
    fn another_form_of_a_seal_is_none() {
        let good = seal().to_string();
        assert_eq!(good.parse(), Ok(seal()));
        for bad in [
            good.replace("/1", "/2"),
            good.replace("events=3..12", "events=03..12"),
            good.replace("events=3..12", "events=12"),
            good.replace("full=yes", "full=maybe"),
            good.replace("output=html", "output=HTML"),
            good.replace("output=html", "output=html x"),
            good.replace(" to=", " too="),
            good.replace("root=", "root=0"),
            String::new(),
        ] {
            assert_eq!(bad.parse::<Seal>(), Err(SealError), "{bad}");
        }
    }
}
