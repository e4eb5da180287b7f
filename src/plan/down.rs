//! Which migrations `down` would roll back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use ledger::canonical::Value;
use ledger::{Digest, Direction};

use super::{Blocker, BlockerKind, Candidate, ScriptSource, Selection, standing};
use crate::migration::{Form, Migration, ScriptFile, Version};
use crate::projection::history::{Applied, Entry, History};
use crate::report::Refusal;
use crate::request::Back;

/// Chooses what `down` would roll back, newest application first.
///
/// Everything that would stop the rollback half way is found before its first step: a migration
/// without a down script, a down script that is not the recorded one, a dependant that stays. What a
/// repeatable migration made stays, as it has no step back.
pub fn select(files: &[Migration], history: &History, back: &Back) -> Selection {
    let (settlements, mut blockers) = standing(history);
    let by_version: BTreeMap<&Version, &Migration> =
        files.iter().map(|file| (&file.version, file)).collect();
    let mut applied = history.applied();
    applied.retain(|(version, ..)| !version.is_repeatable());
    let chosen: Vec<_> = chosen(&applied, back).into_iter().rev().collect();
    let leaving: BTreeSet<&Version> = chosen.iter().map(|(version, ..)| *version).collect();
    let mut candidates = Vec::with_capacity(chosen.len());
    for (version, entry, application) in chosen {
        let file = by_version.get(version).copied();
        match down_script(file, entry, application) {
            Ok(script) => candidates.push(candidate(entry, application, script)),
            Err(blocker) => blockers.push(*blocker),
        }
        for (other, dependant, application) in &applied {
            if !leaving.contains(*other) && depends_on(application, version) {
                blockers.push(dependant_stays(entry, dependant));
            }
        }
    }
    Selection {
        candidates,
        settlements,
        blockers,
        warnings: Vec::new(),
    }
}

type Row<'a> = (&'a Version, &'a Entry, &'a Applied);

fn chosen<'a>(applied: &[Row<'a>], back: &Back) -> Vec<Row<'a>> {
    match back {
        Back::All => applied.to_vec(),
        Back::Steps(count) => applied[applied.len().saturating_sub(*count)..].to_vec(),
        Back::Batch(wanted) => {
            let last = applied.iter().rev().find_map(|(.., row)| row.batch);
            let Some(batch) = wanted.or(last) else {
                return Vec::new();
            };
            let of_batch = |row: &&Row<'a>| row.2.batch == Some(batch);
            applied.iter().filter(of_batch).copied().collect()
        }
        Back::Except(staying) => applied
            .iter()
            .filter(|(version, ..)| !staying.contains(*version))
            .copied()
            .collect(),
        // a name says nothing before the log was asked what it holds
        Back::Release(_) => Vec::new(),
        Back::To(version) => {
            let after = applied
                .iter()
                .position(|(found, ..)| *found == version)
                .map_or(applied.len(), |position| position + 1);
            applied[after..].to_vec()
        }
    }
}

struct DownScript {
    source: ScriptSource,
    digest: Digest,
}

/// Finds the bytes that undo an application: those whose digest was recorded, from the file while it
/// still has them, else from the ledger.
fn down_script(
    file: Option<&Migration>,
    entry: &Entry,
    applied: &Applied,
) -> Result<DownScript, Box<Blocker>> {
    let now = file.and_then(|file| file.down.as_ref());
    let Some(recorded) = applied.down_script else {
        return match (now, applied.script) {
            // marked by a person: nothing was recorded, so the file is all there is
            (Some(script), None) => Ok(from_file(script)),
            (Some(script), Some(_)) => Err(Box::new(changed(entry, script, "there was none"))),
            (None, _) => Err(Box::new(irreversible(entry))),
        };
    };
    let form = if applied.script == Some(recorded) {
        Form::Single
    } else {
        Form::Pair
    };
    let object = |label: String| DownScript {
        source: ScriptSource::Object {
            digest: recorded,
            form,
            label,
        },
        digest: recorded,
    };
    let Some(script) = now else {
        return match file {
            // the file is there, and its down script was taken out
            Some(file) if form == Form::Single && applied.checksum == Some(file.checksum) => {
                Ok(object(file.up.path.display().to_string()))
            }
            Some(_) | None => Ok(object(format!("{}_{}", entry.version, entry.name))),
        };
    };
    if script.digest == recorded {
        return Ok(from_file(script));
    }
    let same_text = match form {
        Form::Single => file.is_some_and(|file| applied.checksum == Some(file.checksum)),
        Form::Pair => false,
    };
    if same_text || same_but_line_ends(script, recorded) {
        return Ok(object(script.path.display().to_string()));
    }
    Err(Box::new(changed(
        entry,
        script,
        &format!("its digest was `{recorded}`"),
    )))
}

fn from_file(script: &ScriptFile) -> DownScript {
    DownScript {
        digest: script.digest,
        source: ScriptSource::File(script.clone()),
    }
}

/// Says whether the file, with one kind of line end throughout, has the recorded digest.
fn same_but_line_ends(script: &ScriptFile, recorded: Digest) -> bool {
    let Ok(text) = fs::read_to_string(&script.path) else {
        return false;
    };
    let unix = text.replace("\r\n", "\n");
    let dos = unix.replace('\n', "\r\n");
    [unix, dos]
        .iter()
        .any(|text| Digest::of(text.as_bytes()) == recorded)
}

fn candidate(entry: &Entry, applied: &Applied, script: DownScript) -> Candidate {
    Candidate {
        direction: Direction::Down,
        version: entry.version.clone(),
        name: entry.name.clone(),
        script: script.source,
        digest: script.digest,
        down: None,
        checksum: applied.checksum.unwrap_or(script.digest),
        metadata: BTreeMap::new(),
        estimated_ms: None,
        attempt: entry.attempts + 1,
        done: entry.down.done.clone(),
    }
}

fn depends_on(applied: &Applied, version: &Version) -> bool {
    let Some(Value::List(dependencies)) = applied.metadata.get("dependencies") else {
        return false;
    };
    dependencies.iter().any(|dependency| match dependency {
        Value::Text(text) => text.parse::<Version>().is_ok_and(|found| found == *version),
        _ => false,
    })
}

fn irreversible(entry: &Entry) -> Blocker {
    Blocker {
        kind: BlockerKind::Policy,
        refusal: Refusal {
            code: "irreversible",
            version: Some(entry.version.clone()),
            message: format!(
                "`{}_{}` has no down script, so the rollback would stop half way; nothing was rolled \
                 back",
                entry.version, entry.name
            ),
            hint: "roll back fewer steps, or write a new migration that undoes it".to_owned(),
        },
    }
}

fn changed(entry: &Entry, script: &ScriptFile, recorded: &str) -> Blocker {
    Blocker {
        kind: BlockerKind::Integrity,
        refusal: Refusal {
            code: "down-script-changed",
            version: Some(entry.version.clone()),
            message: format!(
                "the down script in `{}` is not the one known when `{}_{}` was applied: {recorded}, \
                 found `{}`",
                script.path.display(),
                entry.version,
                entry.name,
                script.digest
            ),
            hint: format!(
                "put it back; if the change is right, `mledger resolve {} --accept-change --reason \
                 TEXT`",
                entry.version
            ),
        },
    }
}

fn dependant_stays(entry: &Entry, dependant: &Entry) -> Blocker {
    Blocker {
        kind: BlockerKind::Policy,
        refusal: Refusal {
            code: "dependant-applied",
            version: Some(entry.version.clone()),
            message: format!(
                "`{}_{}` cannot be rolled back while `{}_{}`, which depends on it, stays applied",
                entry.version, entry.name, dependant.version, dependant.name
            ),
            hint: "roll back the dependant as well".to_owned(),
        },
    }
}
