//! Releases and their changelogs: pure decisions and pure texts, made from what the log says.

pub mod changelog;
pub mod check;
pub mod chronicle;
pub mod group;
mod html;
mod json;
mod markdown;
pub mod next;
pub mod publish;
pub mod reach;
pub mod seal;
pub mod tag;
pub mod template;

pub use self::changelog::Changelog;
pub use self::chronicle::Chronicle;
pub use self::group::Group;
pub(crate) use self::html::escaped as in_html;
pub(crate) use self::markdown::escaped as in_markdown;
pub use self::seal::{Asked, Output, Seal};

use ledger::{Digest, Timestamp};

use crate::error::Error;
use crate::projection::releases::{Release, Releases, Unfound};

/// Returns a changelog in the form that its seal names.
///
/// # Errors
///
/// [`Error::Usage`] when it has no form as JSON, which no changelog should cause.
pub fn print(changelog: &Changelog) -> Result<String, Error> {
    match changelog.seal.asked.output {
        Output::Markdown => Ok(markdown::print(changelog)),
        Output::Html => Ok(html::print(changelog)),
        Output::Json => json::print(changelog),
    }
}

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

/// Returns the releases that bound a range: what came after the first one, up to the second one.
///
/// # Errors
///
/// Those of [`find`], and [`Error::Usage`] when the range has no end after its beginning.
pub fn range<'a>(
    releases: &'a Releases,
    from: Option<&str>,
    to: Option<&str>,
) -> Result<(Option<&'a Release>, Option<&'a Release>), Error> {
    let bound = |name: Option<&str>| name.map(|name| find(releases, name)).transpose();
    let (first, last) = (bound(from)?, bound(to)?);
    if let (Some(first), Some(last)) = (first, last)
        && first.seq >= last.seq
    {
        return Err(Error::Usage {
            code: "release-order",
            message: format!(
                "expected `--from` to name a release that was tagged before the one of `--to`, found `{}` and \
                 `{}`",
                from.unwrap_or_default(),
                to.unwrap_or_default()
            ),
            hint: "`mledger releases` lists them, the newest first".to_owned(),
        });
    }
    Ok((first, last))
}

/// Returns the day of a time, in UTC.
fn day(time: Timestamp) -> String {
    time.to_string().chars().take(10).collect()
}

/// Returns a time to the second, in UTC.
pub(crate) fn moment(time: Timestamp) -> String {
    let text = time.to_string();
    let (date, of_day) = text.split_once('T').unwrap_or((&text, ""));
    format!("{date} {} UTC", of_day.split('.').next().unwrap_or(of_day))
}

/// Returns the first digits of a digest.
fn short(digest: &Digest) -> String {
    digest.to_string().chars().take(12).collect()
}

#[cfg(test)]
mod changelog_tests;
#[cfg(test)]
pub(crate) mod story_tests;
