//! Whether a release may be published.

use super::find;
use crate::error::Error;
use crate::projection::releases::{Release, Releases};

/// Returns the release that may be published under a title.
///
/// # Errors
///
/// [`Error::Usage`] when no release is meant, [`Error::Refused`] when it was published before.
pub fn decide<'a>(release: &str, releases: &'a Releases) -> Result<&'a Release, Error> {
    let found = find(releases, release)?;
    let Some(publication) = &found.publication else {
        return Ok(found);
    };
    Err(Error::refused(
        "release-published",
        format!(
            "expected a release that was not published yet, but `{}` was, as `{}`, with event {}",
            found.release, publication.name, publication.seq
        ),
        "what was published stays; the next release can say more".to_owned(),
    ))
}
