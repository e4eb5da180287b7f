//! From a release's name to the migrations that a run must apply or roll back to reach it.

use super::work::known;
use crate::error::Error;
use crate::log::Log;
use crate::migration::{Migration, Version};
use crate::projection::releases::{Release, Unfound};
use crate::release::{self, reach};
use crate::request::{Back, ReleaseName, Up};

/// What a name means, with the log and the folder as they are.
enum Meant<'a> {
    Release(&'a Release),
    Version(Version),
}

/// Says which migrations `up` may apply where a release is to be reached.
pub(super) fn up(up: &Up, files: &[Migration], log: &Log) -> Result<Up, Error> {
    let Some(name) = &up.release else {
        return Ok(up.clone());
    };
    let mut up = up.clone();
    match meant(name, files, log)? {
        Meant::Release(_) if up.count.is_some() => {
            return Err(Error::Usage {
                code: "usage",
                message: "expected a release to reach or a number of migrations, found both"
                    .to_owned(),
                hint: "a release is reached as a whole: leave out `--count`".to_owned(),
            });
        }
        Meant::Release(release) => {
            up.only = Some(reach::forward(
                release,
                log.releases(),
                log.history(),
                files,
            )?);
        }
        Meant::Version(version) => up.to = Some(version),
    }
    Ok(up)
}

/// Says which migrations `down` leaves where a release is to be reached.
pub(super) fn back(back: &Back, files: &[Migration], log: &Log) -> Result<Back, Error> {
    let Back::Release(name) = back else {
        return Ok(back.clone());
    };
    Ok(match meant(name, files, log)? {
        Meant::Release(release) => {
            Back::Except(reach::back(release, log.releases(), log.history())?)
        }
        Meant::Version(version) => Back::To(version),
    })
}

fn meant<'a>(name: &ReleaseName, files: &[Migration], log: &'a Log) -> Result<Meant<'a>, Error> {
    let Some(version) = &name.or_version else {
        return release::find(log.releases(), &name.name).map(Meant::Release);
    };
    let text = &name.name;
    let release = match log.releases().find(text) {
        Ok(release) if release.release.to_string() == *text => Some(release),
        Ok(_) | Err(Unfound::Unknown | Unfound::Ambiguous(_)) => None,
    };
    match (release, known(files, log, version)) {
        (Some(_), Ok(())) => Err(Error::Usage {
            code: "target-ambiguous",
            message: format!("expected a release or a migration's version, but `{text}` is both"),
            hint: format!("write `release:{text}` or `version:{text}`"),
        }),
        (Some(release), Err(_)) => Ok(Meant::Release(release)),
        (None, Ok(())) => Ok(Meant::Version(version.clone())),
        (None, Err(_)) => Err(Error::Usage {
            code: "release-unknown",
            message: format!(
                "expected a release that was tagged or a migration's version, found `{text}`"
            ),
            hint: "`mledger releases` and `mledger status` list them".to_owned(),
        }),
    }
}
