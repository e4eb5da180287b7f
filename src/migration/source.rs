//! From a folder to migrations: strict about names, complete about what is wrong.

mod changeset;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ledger::Digest;

use super::folder::{self, File};
use super::format::{Format, mixed};
use super::layout::{self, Kind, Layout, Section};
use super::name::Part;
use super::problem::Problem;
use super::script::{ScriptFile, utf8};
use super::split::LexRules;
use super::style::Style;
use super::{Form, Migration, Version, checksum};

/// How a folder is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Sub-folders count too.
    pub recursive: bool,
    /// The form of the folder.
    pub format: Format,
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
    let reader = options.format.reader(folder).map_err(|mixed| vec![mixed])?;
    let (files, mut problems) = folder::list(folder, options.recursive, reader);
    problems.extend(reader.check(&files));
    let mut migrations = Vec::with_capacity(files.len());
    let mut seen: Option<(Style, PathBuf)> = None;
    let by_version = reader.pairs_by_version(&files);
    for ((version, _), files) in group(files, by_version, &mut problems) {
        let unlike = (options.format == Format::Auto)
            .then(|| unlike_names(&files))
            .flatten();
        match assemble(version, files, reader.style(), rules) {
            Ok((mut migration, style)) => {
                migration.warnings.extend(unlike);
                let (first, path) = seen.get_or_insert((style, migration.up.path.clone()));
                if *first != style && problems.is_empty() {
                    let other = (style.name(), migration.up.path.as_path());
                    problems.push(mixed((first.name(), path), other));
                }
                migrations.push(migration);
            }
            Err(mut found) => problems.append(&mut found),
        }
    }
    if problems.is_empty() {
        Ok(migrations)
    } else {
        problems.sort_by(|left, right| (&left.path, left.line).cmp(&(&right.path, right.line)));
        Err(problems)
    }
}

/// The files of each version, and a problem for each version that more than one migration claims. A
/// baseline stands beside the migration of its version.
fn group(
    files: Vec<File>,
    by_version: bool,
    problems: &mut Vec<Problem>,
) -> BTreeMap<(Version, bool), Vec<File>> {
    let mut groups: BTreeMap<(Version, bool), Vec<File>> = BTreeMap::new();
    for file in files {
        let key = (file.version.clone(), file.baseline);
        groups.entry(key).or_default().push(file);
    }
    for ((version, _), files) in &mut groups {
        files.sort_by(|left, right| (left.part, &left.path).cmp(&(right.part, &right.path)));
        let halves = files.len() == 2 && files[0].part == Part::Up && files[1].part == Part::Down;
        let alike =
            || files[0].name == files[1].name && files[0].path.parent() == files[1].path.parent();
        let pair = halves
            && (by_version || alike())
            && files[0].version.as_str() == files[1].version.as_str();
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
                if halves {
                    "the two files of a pair have the same name; with `format = \"golang-migrate\"` \
                     in mledger.toml the version is enough"
                } else {
                    "give one of them another version; the two files of a pair have the same name"
                },
            ));
            files.truncate(1);
        }
    }
    groups
}

/// Says that the two files of a pair have nothing but their version in common.
fn unlike_names(files: &[File]) -> Option<Problem> {
    let [up, down] = files else { return None };
    (up.name != down.name).then(|| {
        Problem::new(
            "pair-names-differ",
            &down.path,
            format!(
                "expected the name of the up script, `{}`, found `{}`: they are a pair by their version",
                up.name, down.name
            ),
            "`format = \"golang-migrate\"` in mledger.toml says that the version is enough",
        )
    })
}

fn assemble(
    version: Version,
    files: Vec<File>,
    style: Option<Style>,
    rules: &'static LexRules,
) -> Result<(Migration, Style), Vec<Problem>> {
    let mut files = files.into_iter();
    let Some(first) = files.next() else {
        return Err(Vec::new());
    };
    if first.part == Part::Down {
        return Err(vec![Problem::new(
            "up-missing",
            &first.path,
            "expected an up script of the same version and name, found only the down script",
            "add the file of the up script",
        )]);
    }
    if let Some(changeset) = &first.changeset {
        let migration = changeset::migration(&first, changeset, rules);
        return migration
            .map(|migration| (migration, Style::Plain))
            .map_err(|problem| vec![problem]);
    }
    let form = match first.part {
        Part::Both => Form::Single,
        Part::Up | Part::Down => Form::Pair,
    };
    let kind = match form {
        Form::Single => Kind::Single,
        Form::Pair => Kind::PairUp,
    };
    // what was divided into two files needs no mark
    let style = match (style, kind) {
        (None, Kind::Single) | (Some(_), _) => style,
        (None, Kind::PairUp | Kind::PairDown) => Some(Style::Ours),
    };
    let no_transaction = first.no_transaction;
    let baseline = first.baseline;
    let identity = first.identity;
    let up = Text::read(first.path, kind, style, rules);
    let down = files
        .next()
        .map(|file| Text::read(file.path, Kind::PairDown, style, rules));
    let (mut up, down) = match (up, down.transpose()) {
        (Ok(up), Ok(down)) => (up, down),
        (Err(problem), Ok(_)) | (Ok(_), Err(problem)) => return Err(vec![problem]),
        (Err(of_up), Err(of_down)) => return Err(vec![of_up, of_down]),
    };
    up.warn_if_empty("up", &up.layout.own.clone());
    // a file that was just made has neither script yet, and one warning is enough
    let begun = !up.layout.own.empty;
    let down = match (down, up.layout.down.take()) {
        (Some(mut down), _) => {
            if begun {
                down.warn_if_empty("down", &down.layout.own.clone());
            }
            up.layout.warnings.append(&mut down.layout.warnings);
            Some(down.script(&down.layout.own))
        }
        (None, Some(section)) => {
            if begun {
                up.warn_if_empty("down", &section);
            }
            Some(up.script(&section))
        }
        (None, None) => None,
    };
    let mut script = up.script(&up.layout.own);
    script.verify = up.layout.verify.take();
    script.directives.no_transaction |= no_transaction;
    let down = down.map(|mut down| {
        down.directives.no_transaction |= no_transaction;
        down
    });
    let migration = Migration {
        version,
        name: first.name,
        form,
        checksum: up.checksum,
        up: script,
        down,
        metadata: up.layout.metadata,
        baseline,
        identity,
        warnings: up.layout.warnings,
    };
    Ok((migration, up.style))
}

/// What is known of a file once its text has been read and dropped.
struct Text {
    path: PathBuf,
    digest: Digest,
    checksum: Digest,
    size: u64,
    style: Style,
    layout: Layout,
}

impl Text {
    fn read(
        path: PathBuf,
        kind: Kind,
        style: Option<Style>,
        rules: &'static LexRules,
    ) -> Result<Self, Problem> {
        let bytes = folder::bytes(&path)?;
        let digest = Digest::of(&bytes);
        let size = bytes.len() as u64;
        let text = utf8(bytes, &path)?;
        let style = style.unwrap_or_else(|| Style::of(&text));
        let layout = match layout::read(&text, kind, style, &path, rules) {
            // a down script that cannot be read keeps nobody from going up: it is refused when it is to
            // run
            Err(problem) if kind == Kind::PairDown && problem.code == "unterminated" => Layout {
                own: Section {
                    range: 0..text.len(),
                    line: 1,
                    ..Section::default()
                },
                warnings: vec![problem],
                ..Layout::default()
            },
            read => read?,
        };
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
            style,
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
            half: None,
        }
    }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
