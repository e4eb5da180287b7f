//! What `checkpoints` says: whether they are kept beside the migrations, and where.

use std::path::{Path, PathBuf};

use ledger::note::Witness;
use serde::Deserialize;

use super::{ConfigError, Origin, Setting, SettingView, view};
use crate::checkpoints::Settings;

/// `checkpoints = true`, `false`, or a folder.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "expected `true`, `false` or a folder")]
pub enum CheckpointsText {
    /// Whether they are kept at all.
    Kept(bool),
    /// The folder they are kept in.
    Folder(PathBuf),
}

/// Returns where checkpoints are kept. Where nobody says so: beside the folder of migrations, but not
/// for databases of development, each of which would leave a file of its own there.
pub(super) fn resolve(
    found: Option<Setting<CheckpointsText>>,
    migrations: &Path,
    project: &Path,
) -> Setting<Option<Settings>> {
    let beside = || match migrations.parent() {
        Some(parent) => parent.join("checkpoints"),
        None => project.join("checkpoints"),
    };
    let Some(Setting { value, origin }) = found else {
        return Setting {
            value: Some(Settings {
                folder: beside(),
                in_development: false,
            }),
            origin: Origin::Default,
        };
    };
    let folder = match value {
        CheckpointsText::Kept(false) => None,
        CheckpointsText::Kept(true) => Some(beside()),
        CheckpointsText::Folder(folder) => Some(project.join(folder)),
    };
    Setting {
        value: folder.map(|folder| Settings {
            folder,
            in_development: true,
        }),
        origin,
    }
}

/// One `[[witness]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessText {
    /// Its verifier key: `<name>+<hash>+<base64>`.
    key: String,
}

/// Reads the keys of witnesses.
pub(super) fn witnesses(texts: &[WitnessText]) -> Result<Vec<Witness>, ConfigError> {
    let read = |text: &WitnessText| {
        Witness::parse(&text.key).map_err(|fault| {
            ConfigError::new(
                "config-invalid",
                format!("[[witness]] key: {fault}"),
                "copy the verifier key from who runs the witness",
            )
        })
    };
    texts.iter().map(read).collect()
}

/// Returns the witnesses as `mledger config` shows them: by name.
pub(super) fn view_of_witnesses(witnesses: &[Witness]) -> SettingView {
    let names: Vec<&str> = witnesses.iter().map(|one| one.name.as_str()).collect();
    let (value, origin) = if names.is_empty() {
        ("(none)".to_owned(), Origin::Default)
    } else {
        (names.join(", "), Origin::File("[[witness]]".to_owned()))
    };
    view("witnesses", value, &origin)
}

/// Returns the setting as `mledger config` shows it.
pub(super) fn view_of(setting: &Setting<Option<Settings>>) -> SettingView {
    let value = match &setting.value {
        None => "not kept".to_owned(),
        Some(settings) if settings.in_development => settings.folder.display().to_string(),
        Some(settings) => format!("{}, but for development", settings.folder.display()),
    };
    view("checkpoints", value, &setting.origin)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_witness_is_named_by_its_verifier_key() {
        let wrong = WitnessText {
            key: "witness.example+00000000+AQ==".to_owned(),
        };
        let error = witnesses(&[wrong]).unwrap_err();
        assert!(error.message.contains("[[witness]] key"), "{error}");
        assert_eq!(witnesses(&[]).unwrap(), []);
        assert_eq!(view_of_witnesses(&[]).value, "(none)");
    }

    #[test]
    fn they_are_kept_beside_the_migrations_unless_the_file_says_otherwise() {
        let at = |value| {
            let found = Setting {
                value,
                origin: Origin::File("checkpoints".to_owned()),
            };
            resolve(Some(found), Path::new("/p/db/migrations"), Path::new("/p")).value
        };
        let kept = |folder: &str, in_development| {
            Some(Settings {
                folder: folder.into(),
                in_development,
            })
        };
        assert_eq!(at(CheckpointsText::Kept(false)), None);
        assert_eq!(
            at(CheckpointsText::Kept(true)),
            kept("/p/db/checkpoints", true)
        );
        assert_eq!(
            at(CheckpointsText::Folder("kept".into())),
            kept("/p/kept", true)
        );
        let unsaid = resolve(None, Path::new("/p/migrations"), Path::new("/p"));
        assert_eq!(unsaid.value, kept("/p/checkpoints", false));
        assert!(view_of(&unsaid).value.contains("but for development"));
    }
}
