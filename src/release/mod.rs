//! Releases and their changelogs: pure decisions and pure texts, made from what the log says.

pub mod group;
pub mod next;
pub mod publish;
pub mod tag;

pub use self::group::Group;

use crate::error::Error;
use crate::projection::releases::{Release, Releases, Unfound};
use crate::report::Refusal;

/// Reads the name of a release.
///
/// # Errors
///
/// [`Error::Usage`] when it is no semantic version.
pub fn parse(text: &str) -> Result<semver::Version, Error> {
    semver::Version::parse(text).map_err(|error| Error::Usage {
        code: "release-invalid",
        message: format!("expected a semantic version such as `1.2.0`, found `{text}`: {error}"),
        hint: match text.strip_prefix(['v', 'V']) {
            Some(rest) if semver::Version::parse(rest).is_ok() => format!("write `{rest}`"),
            _ => "a release is MAJOR.MINOR.PATCH, with -PRERELEASE and +BUILD where needed \
                  (semver.org)"
                .to_owned(),
        },
    })
}

/// Returns the release that a text names.
///
/// # Errors
///
/// [`Error::Usage`] when there is none, or when it begins the names of several.
pub fn find<'a>(releases: &'a Releases, text: &str) -> Result<&'a Release, Error> {
    releases.find(text).map_err(|unfound| match unfound {
        Unfound::Unknown => Error::Usage {
            code: "release-unknown",
            message: format!("expected a release that was tagged, found `{text}`"),
            hint: "`mledger releases` lists them".to_owned(),
        },
        Unfound::Ambiguous(names) => Error::Usage {
            code: "release-ambiguous",
            message: format!(
                "expected the name of one release, but `{text}` begins `{}`",
                names.join("`, `")
            ),
            hint: "write the whole name".to_owned(),
        },
    })
}

fn refused(code: &'static str, message: String, hint: String) -> Error {
    Error::Refused(vec![Refusal {
        code,
        version: None,
        message,
        hint,
    }])
}

#[cfg(test)]
pub(crate) mod story_tests;
