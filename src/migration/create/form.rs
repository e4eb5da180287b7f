//! In which form a new migration is written: that of the folder.

use std::collections::BTreeSet;
use std::path::Path;

use ledger::Timestamp;

use super::super::Version;
use super::super::folder::File;
use super::super::format::Format;
use super::super::marker::Marker;
use super::super::name::Part;
use super::super::problem::Problem;
use super::super::style::Style;
use super::New;

/// How many digits a time has.
const TIME: usize = "20240131120000".len();

/// Returns the files of a new migration, by their paths within the folder, with their texts.
pub(super) fn files(
    format: Format,
    folder: &Path,
    new: &New,
    (version, name): (&str, &str),
    header: &str,
) -> Result<Vec<(String, String)>, Problem> {
    let begun = format!("{header}\n");
    let one = |file: String| vec![(file, begun.clone())];
    let two = |up: String, down: String| vec![(up, begun.clone()), (down, String::new())];
    let sections = |style: Style| {
        let [up, down] = [Marker::Up, Marker::Down].map(|marker| style.written(marker));
        vec![(
            format!("{version}_{name}.sql"),
            format!("{begun}{up}\n\n{down}\n"),
        )]
    };
    let pair = || {
        two(
            format!("{version}_{name}.up.sql"),
            format!("{version}_{name}.down.sql"),
        )
    };
    let files = match (format, new.pair) {
        (Format::Auto | Format::Mledger | Format::Sqlx, true) | (Format::GolangMigrate, _) => {
            pair()
        }
        (Format::Auto | Format::Mledger, false) => sections(Style::Ours),
        (Format::Sqlx, false) => one(format!("{version}_{name}.sql")),
        (Format::Goose, false) => sections(Style::Goose),
        (Format::Dbmate, false) => sections(Style::Dbmate),
        (Format::NodePgMigrate, false) => sections(Style::NodePgMigrate),
        (Format::DbMigrate, _) => two(
            format!("{version}-{name}-up.sql"),
            format!("{version}-{name}-down.sql"),
        ),
        (Format::Yoyo, _) => {
            let stem = format!("{}_{name}", version.replace('.', "_"));
            two(format!("{stem}.sql"), format!("{stem}.rollback.sql"))
        }
        (Format::Flyway, true) => two(
            format!("V{version}__{name}.sql"),
            format!("U{version}__{name}.sql"),
        ),
        (Format::Flyway | Format::Refinery, false) => one(format!("V{version}__{name}.sql")),
        (Format::Diesel, _) => {
            let folder = format!("{}_{name}", dated(version));
            two(format!("{folder}/up.sql"), format!("{folder}/down.sql"))
        }
        (Format::Goose | Format::Dbmate | Format::NodePgMigrate | Format::Refinery, true) => {
            return Err(refused(
                folder,
                format,
                "has no pairs",
                "leave `--pair` out",
            ));
        }
        (Format::Prisma | Format::Drizzle | Format::Liquibase | Format::Sqitch, _) => {
            return Err(refused(
                folder,
                format,
                "keeps what is new in a file of its own",
                "write it with that tool, or by hand",
            ));
        }
    };
    Ok(files)
}

/// Says whether all migrations of a folder are in two files.
pub(super) fn has_pairs(files: &[File]) -> bool {
    !files.is_empty() && files.iter().all(|file| file.part != Part::Both)
}

/// Returns the version of a new migration: the number after the newest where the folder counts, else the
/// time `now` to the second, or the next second that is free.
pub(super) fn version(format: Format, taken: &BTreeSet<&Version>, now: Timestamp) -> String {
    let newest = taken.iter().rfind(|version| !version.is_repeatable());
    let counted = newest.and_then(|newest| {
        let text = newest.as_str();
        let (before, last) = text
            .rsplit_once('.')
            .map_or(("", text), |(parts, last)| (&text[..=parts.len()], last));
        let next = last.parse::<u64>().ok()?.checked_add(1)?;
        let counts = !matches!(format, Format::Auto | Format::Mledger) && last.len() < TIME - 4;
        counts.then(|| format!("{before}{next:0>width$}", width = last.len()))
    });
    if let Some(next) = counted {
        return next;
    }
    let mut micros = now.as_micros();
    loop {
        let version: String = Timestamp::from_micros(micros)
            .to_string()
            .chars()
            .filter(char::is_ascii_digit)
            .take(TIME)
            .collect();
        micros += 1_000_000;
        let free = version
            .parse()
            .is_ok_and(|version: Version| !taken.contains(&version));
        if free {
            return version;
        }
    }
}

/// `20240131120000` as Diesel writes it: `2024-01-31-120000`.
fn dated(version: &str) -> String {
    match (version.len(), version.get(..4), version.get(4..6)) {
        (TIME, Some(year), Some(month)) => {
            format!("{year}-{month}-{}-{}", &version[6..8], &version[8..])
        }
        _ => version.to_owned(),
    }
}

fn refused(folder: &Path, format: Format, found: &str, hint: &str) -> Problem {
    Problem::new(
        "format-unsupported",
        folder,
        format!(
            "expected a form to which a migration can be added, found that of {format}, which {found}"
        ),
        hint,
    )
}
