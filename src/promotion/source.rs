//! Where another environment's ledger is found.

use std::fmt;
use std::path::{Path, PathBuf};

use ledger::Digest;

use crate::config::mask;

/// What an environment asks of the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    /// The name of the environment that must have applied what is applied here.
    pub from: String,
    /// Where its ledger is found; `None` where nobody said so.
    pub source: Option<Source>,
    /// The id that its ledger must have: any of the chain's that only rewinds follow.
    pub ledger: Option<Digest>,
}

/// A ledger in another place.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// A bundle: a folder, or one file of it.
    Bundle(PathBuf),
    /// A database, read with the rights that its URL gives.
    Database {
        /// The URL; it may hold a password.
        url: String,
        /// The folder that a relative path in it starts from.
        base: PathBuf,
    },
}

impl Source {
    /// Reads a path or a URL: what begins with a scheme of two letters or more is a URL.
    pub fn parse(text: &str, base: &Path) -> Self {
        if is_url(text) {
            Self::Database {
                url: text.to_owned(),
                base: base.to_owned(),
            }
        } else {
            Self::Bundle(base.join(text))
        }
    }

    /// Returns the URL, where it is one.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Bundle(_) => None,
            Self::Database { url, .. } => Some(url),
        }
    }
}

fn is_url(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.len() > 1
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte))
    })
}

impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundle(path) => path.display().fmt(formatter),
            Self::Database { url, .. } => formatter.write_str(&mask(url)),
        }
    }
}

impl fmt::Debug for Source {
    // a URL may hold a password
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Source({self})")
    }
}
