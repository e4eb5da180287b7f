//! From a folder to migrations: strict about names, complete about what is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use ledger::Digest;

use super::layout::{self, Kind, Layout, Section};
use super::problem::Problem;
use super::script::{ScriptFile, utf8};
use super::split::LexRules;
use super::{Form, Migration, Version, checksum};

/// How a folder is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Sub-folders count too.
    pub recursive: bool,
}

/// Reads the migrations of a folder, ordered by version. No script's text is kept.
///
/// # Errors
///
/// Every [`Problem`] of the folder: unreadable files, names that do not parse, versions that two files
/// claim, down scripts without an up script, texts that are not UTF-8, headers and directives that
/// cannot be read.
pub fn read(
    folder: &Path,
    options: &Options,
    rules: &'static LexRules,
) -> Result<Vec<Migration>, Vec<Problem>> {
    let mut found = Found::default();
    found.walk(folder, options, &mut BTreeSet::new());
    let mut migrations = Vec::with_capacity(found.files.len());
    let files = std::mem::take(&mut found.files);
    for (version, files) in group(files, &mut found.problems) {
        match assemble(version, files, rules) {
            Ok(migration) => migrations.push(migration),
            Err(mut problems) => found.problems.append(&mut problems),
        }
    }
    if found.problems.is_empty() {
        Ok(migrations)
    } else {
        found
            .problems
            .sort_by(|left, right| (&left.path, left.line).cmp(&(&right.path, right.line)));
        Err(found.problems)
    }
}

/// Which script of a migration a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Both,
    Up,
    Down,
}

struct File {
    path: PathBuf,
    version: Version,
    name: String,
    part: Part,
}

#[derive(Default)]
struct Found {
    files: Vec<File>,
    problems: Vec<Problem>,
}

impl Found {
    fn walk(&mut self, folder: &Path, options: &Options, seen: &mut BTreeSet<PathBuf>) {
        // a link that leads back to a folder above it is walked once
        if let Ok(real) = folder.canonicalize()
            && !seen.insert(real)
        {
            return;
        }
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                self.problems.push(Problem::new(
                    "folder-unreadable",
                    folder,
                    format!("expected a folder of migrations: {error}"),
                    "`mledger init` makes one, and `--migrations DIR` names another",
                ));
                return;
            }
        };
        for entry in entries {
            match entry {
                Ok(entry) => self.take(&entry.path(), options, seen),
                Err(error) => self.problems.push(Problem::new(
                    "folder-unreadable",
                    folder,
                    format!("the folder cannot be listed: {error}"),
                    "check its permissions",
                )),
            }
        }
    }

    fn take(&mut self, path: &Path, options: &Options, seen: &mut BTreeSet<PathBuf>) {
        if path.is_dir() {
            if options.recursive {
                self.walk(path, options, seen);
            }
            return;
        }
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            self.problems.push(Problem::new(
                "name-invalid",
                path,
                "expected a file name in UTF-8",
                "rename the file",
            ));
            return;
        };
        match parse(name) {
            Name::Other => {}
            Name::Migration(version, title, part) => self.files.push(File {
                path: path.to_owned(),
                version,
                name: title,
                part,
            }),
            Name::Invalid(found) => self.problems.push(Problem::new(
                "name-invalid",
                path,
                format!(
                    "expected `VERSION_name.sql`, `VERSION_name.up.sql` or `VERSION_name.down.sql`, \
                     found {found}"
                ),
                "rename the file, or move it out of the folder",
            )),
        }
    }
}

enum Name {
    /// Not a migration, and nothing like one.
    Other,
    Migration(Version, String, Part),
    /// Something like a migration.
    Invalid(&'static str),
}

fn parse(file_name: &str) -> Name {
    if file_name.starts_with('.') {
        return Name::Other;
    }
    if !file_name.to_ascii_lowercase().contains(".sql") {
        return Name::Other;
    }
    let Some(stem) = file_name.strip_suffix(".sql") else {
        return Name::Invalid("another ending");
    };
    let (stem, part) = if let Some(stem) = stem.strip_suffix(".up") {
        (stem, Part::Up)
    } else if let Some(stem) = stem.strip_suffix(".down") {
        (stem, Part::Down)
    } else {
        (stem, Part::Both)
    };
    let lower = stem.to_ascii_lowercase();
    if [".up", ".down", ".sql"]
        .iter()
        .any(|end| lower.ends_with(end))
    {
        return Name::Invalid("a second ending, or one in capitals, before `.sql`");
    }
    let Some((version, name)) = stem.split_once('_') else {
        return Name::Invalid("no `_` between version and name");
    };
    let Ok(version) = version.parse() else {
        return Name::Invalid("no number before the `_`");
    };
    let valid = |character: char| character.is_alphanumeric() || "_-.".contains(character);
    if name.is_empty() || !name.chars().all(valid) {
        return Name::Invalid(
            "a name with other characters than letters, digits, `_`, `-` and `.`",
        );
    }
    Name::Migration(version, name.to_owned(), part)
}

/// The files of each version, and a problem for each version that more than one migration claims.
fn group(files: Vec<File>, problems: &mut Vec<Problem>) -> BTreeMap<Version, Vec<File>> {
    let mut groups: BTreeMap<Version, Vec<File>> = BTreeMap::new();
    for file in files {
        groups.entry(file.version.clone()).or_default().push(file);
    }
    for (version, files) in &mut groups {
        files.sort_by(|left, right| (left.part, &left.path).cmp(&(right.part, &right.path)));
        let pair = files.len() == 2
            && files[0].part == Part::Up
            && files[1].part == Part::Down
            && files[0].name == files[1].name
            && files[0].version.as_str() == files[1].version.as_str()
            && files[0].path.parent() == files[1].path.parent();
        if files.len() > 1 && !pair {
            let names: Vec<String> = files
                .iter()
                .map(|file| format!("`{}`", file.path.display()))
                .collect();
            problems.push(Problem::new(
                "version-duplicate",
                &files[0].path,
                format!(
                    "expected one migration of the version `{version}`, found {}",
                    names.join(" and ")
                ),
                "give one of them another version; the two files of a pair have the same name",
            ));
            files.truncate(1);
        }
    }
    groups
}

fn assemble(
    version: Version,
    files: Vec<File>,
    rules: &'static LexRules,
) -> Result<Migration, Vec<Problem>> {
    let mut files = files.into_iter();
    let Some(first) = files.next() else {
        return Err(Vec::new());
    };
    if first.part == Part::Down {
        return Err(vec![Problem::new(
            "up-missing",
            &first.path,
            "expected an up script of the same version and name, found only the down script",
            "add the file `VERSION_name.up.sql`",
        )]);
    }
    let form = match first.part {
        Part::Both => Form::Single,
        Part::Up | Part::Down => Form::Pair,
    };
    let kind = match form {
        Form::Single => Kind::Single,
        Form::Pair => Kind::PairUp,
    };
    let up = Text::read(first.path, kind, rules);
    let down = files
        .next()
        .map(|file| Text::read(file.path, Kind::PairDown, rules));
    let (mut up, down) = match (up, down.transpose()) {
        (Ok(up), Ok(down)) => (up, down),
        (Err(problem), Ok(_)) | (Ok(_), Err(problem)) => return Err(vec![problem]),
        (Err(of_up), Err(of_down)) => return Err(vec![of_up, of_down]),
    };
    up.warn_if_empty("up", &up.layout.own.clone());
    let down = match (down, up.layout.down.take()) {
        (Some(mut down), _) => {
            down.warn_if_empty("down", &down.layout.own.clone());
            up.layout.warnings.append(&mut down.layout.warnings);
            Some(down.script(&down.layout.own))
        }
        (None, Some(section)) => {
            up.warn_if_empty("down", &section);
            Some(up.script(&section))
        }
        (None, None) => None,
    };
    let mut script = up.script(&up.layout.own);
    script.verify = up.layout.verify.take();
    Ok(Migration {
        version,
        name: first.name,
        form,
        checksum: up.checksum,
        up: script,
        down,
        metadata: up.layout.metadata,
        warnings: up.layout.warnings,
    })
}

/// What is known of a file once its text has been read and dropped.
struct Text {
    path: PathBuf,
    digest: Digest,
    checksum: Digest,
    size: u64,
    layout: Layout,
}

impl Text {
    fn read(path: PathBuf, kind: Kind, rules: &'static LexRules) -> Result<Self, Problem> {
        let bytes = fs::read(&path).map_err(|error| {
            Problem::new(
                "file-unreadable",
                &path,
                format!("the file cannot be read: {error}"),
                "check its permissions",
            )
        })?;
        let digest = Digest::of(&bytes);
        let size = bytes.len() as u64;
        let text = utf8(bytes, &path)?;
        let layout = layout::read(&text, kind, &path, rules)?;
        let checksum = if text.contains('\r') || text.starts_with('\u{feff}') {
            checksum(&text)
        } else {
            digest
        };
        Ok(Self {
            checksum,
            path,
            digest,
            size,
            layout,
        })
    }

    fn warn_if_empty(&mut self, direction: &str, section: &Section) {
        if section.empty {
            let problem = Problem::new(
                "script-empty",
                &self.path,
                format!("the {direction} script has no statement"),
                "running it will be recorded and change nothing",
            );
            self.layout.warnings.push(problem.at_line(section.line));
        }
    }

    fn script(&self, section: &Section) -> ScriptFile {
        ScriptFile {
            path: self.path.clone(),
            digest: self.digest,
            size: self.size,
            section: section.range.clone(),
            verify: None,
            directives: section.directives.clone(),
        }
    }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
