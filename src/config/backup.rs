//! Where backups are kept and for whom they are encrypted.

use std::path::Path;

use super::file::{Backups, File};
use super::{ConfigError, Origin, SettingView, Variables, view};
use crate::backup::Settings;
use crate::backup::encryption::Cipher;
use crate::policy::saves_first;

/// The variable with the key that encrypts and decrypts.
const KEY: &str = "BACKUP_ENCRYPTION_KEY";

/// Variables, and how what comes from them says so.
pub(super) type Place<'a> = (&'a Variables, fn(&'static str) -> Origin);

/// The folder where nobody names one.
const FOLDER: &str = "backups";

/// Returns the settings of one environment, and each with where it came from.
///
/// # Errors
///
/// [`ConfigError`] for a recipient or a key that is none.
pub(super) fn backups(
    file: &File,
    environment: &str,
    project: &Path,
    places: [Place<'_>; 2],
) -> Result<(Settings, Vec<SettingView>), ConfigError> {
    let own = file
        .environments
        .get(environment)
        .and_then(|section| section.backup.clone())
        .unwrap_or_default();
    let said: Backups = own.or(file.backup.clone());
    let key = places.into_iter().find_map(|(variables, origin)| {
        let text = variables.get(KEY).filter(|text| !text.is_empty())?;
        Some((text.as_str(), origin(KEY)))
    });
    let recipients = said.recipients.clone().unwrap_or_default();
    let cipher = Cipher::new(&recipients, key.as_ref().map(|(text, _)| *text)).map_err(|why| {
        ConfigError::new(
            "backup-key-invalid",
            why,
            "`openssl rand -hex 32` makes a key for BACKUP_ENCRYPTION_KEY; `age-keygen` makes a pair for \
             `recipients`",
        )
    })?;
    let folder = project.join(said.folder.clone().unwrap_or_else(|| FOLDER.into()));
    let origin = |name: &str, there: bool| {
        if there {
            Origin::File(format!("[backup] {name}"))
        } else {
            Origin::Default
        }
    };
    let (key_shown, key_origin) = match key {
        Some((_, origin)) => ("***", origin),
        None => ("(none)", Origin::Default),
    };
    let views = vec![
        view(
            "backup.folder",
            folder.display().to_string(),
            &origin("folder", said.folder.is_some()),
        ),
        view(
            "backup.recipients",
            if recipients.is_empty() {
                "(none)".to_owned()
            } else {
                recipients.join(", ")
            },
            &origin("recipients", said.recipients.is_some()),
        ),
        view("backup.key", key_shown.to_owned(), &key_origin),
        view(
            "backup.keep",
            said.keep
                .map_or_else(|| "(none)".to_owned(), |keep| keep.to_string()),
            &origin("keep", said.keep.is_some()),
        ),
        view(
            "backup.before_run",
            said.before_run
                .unwrap_or_else(|| saves_first(environment))
                .to_string(),
            &origin("before_run", said.before_run.is_some()),
        ),
    ];
    let settings = Settings {
        folder,
        cipher,
        before_run: said.before_run,
        keep: said.keep,
        variables: Vec::new(),
    };
    Ok((settings, views))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::super::FILE_NAME;
    use super::*;

    const SECRET: &str = "5f6c0e2b9a7d4c318e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f";

    fn read(
        text: &str,
        environment: &str,
        key: &str,
    ) -> Result<(Settings, Vec<SettingView>), ConfigError> {
        let file = File::parse(text, Path::new(FILE_NAME)).unwrap();
        let exported = Variables::from([(KEY.to_owned(), key.to_owned())]);
        let none = Variables::new();
        let places = [
            (&exported, Origin::Variable as fn(&'static str) -> Origin),
            (&none, Origin::DotEnv),
        ];
        backups(&file, environment, Path::new("/shop"), places)
    }

    #[test]
    fn an_environment_says_only_what_differs() {
        let text = "[backup]\nfolder = 'safe'\nkeep = 3\n\
                    [environments.production.backup]\nkeep = 9\nbefore_run = true\n";
        let (settings, _) = read(text, "production", "").unwrap();
        assert_eq!(settings.folder, Path::new("/shop/safe"));
        assert_eq!((settings.keep, settings.before_run), (Some(9), Some(true)));
        let (settings, _) = read(text, "development", "").unwrap();
        assert_eq!((settings.keep, settings.before_run), (Some(3), None));
        assert!(!settings.cipher.encrypts());
    }

    #[test]
    fn a_key_is_shown_nowhere() {
        let (settings, views) = read("", "development", SECRET).unwrap();
        assert!(settings.cipher.decrypts());
        let shown = format!("{settings:?} {views:?}");
        assert!(!shown.contains(SECRET), "{shown}");
        let error = read("", "development", "canary").unwrap_err();
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        let error = read("[backup]\nrecipients = ['x']\n", "development", "").unwrap_err();
        assert_eq!(error.code, "backup-key-invalid");
    }
}
