//! Which environment must have applied something first, and where its ledger is found.

use std::path::Path;

use super::backup::Place;
use super::file::File;
use super::{ConfigError, Origin, SettingView, mask, view};
use crate::promotion::{Promotion, Source};

/// The variable that says where the other ledger is found.
pub(super) const SOURCE: &str = "MLEDGER_PROMOTION_SOURCE";

/// Returns what the environment `name` asks of another one, and each setting with where it came from.
///
/// Where nobody says where the other ledger is, it is in the database of that environment's own section.
///
/// # Errors
///
/// [`ConfigError`] for an environment that is asked to come before itself, for settings without
/// `require_promotion_from`, and for a ledger id that is none.
pub(super) fn promotion(
    name: &str,
    file: &File,
    project: &Path,
    places: [Place<'_>; 2],
) -> Result<(Option<Promotion>, Vec<SettingView>), ConfigError> {
    let section = file.environments.get(name).cloned().unwrap_or_default();
    let key = |key: &str| Origin::File(format!("[environments.{name}] {key}"));
    let wrong = |key: &str, message: String| {
        ConfigError::new(
            "config-invalid",
            format!("[environments.{name}] {key}: {message}"),
            "write `require_promotion_from = \"staging\"` and `promotion_source = \"staging.tar.zst\"`, or \
             the URL of its database",
        )
    };
    let Some(from) = section.require_promotion_from else {
        for (setting, said) in [
            ("promotion_source", section.promotion_source.is_some()),
            ("promotion_ledger", section.promotion_ledger.is_some()),
        ] {
            if said {
                let message = "expected `require_promotion_from` beside it, found none".to_owned();
                return Err(wrong(setting, message));
            }
        }
        let none = view(
            "require_promotion_from",
            "(none)".to_owned(),
            &Origin::Default,
        );
        return Ok((None, vec![none]));
    };
    if from.trim().is_empty() || from == name {
        let message = format!("expected the name of another environment, found `{from}`");
        return Err(wrong("require_promotion_from", message));
    }
    let exported = places.into_iter().find_map(|(variables, origin)| {
        let text = variables.get(SOURCE).filter(|text| !text.is_empty())?;
        Some((text.clone(), origin(SOURCE)))
    });
    let written = section
        .promotion_source
        .map(|text| (text, key("promotion_source")));
    let database = file.environments.get(&from).and_then(|other| {
        let url = other.database_url.clone()?;
        let origin = Origin::File(format!("[environments.{from}] database_url"));
        Some((url, origin))
    });
    let source = exported.or(written).or(database);
    let ledger = match &section.promotion_ledger {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| {
            let message =
                format!("expected a ledger id of 64 lower-case hex digits, found `{text}`");
            wrong("promotion_ledger", message)
        })?),
    };
    let (shown, origin) = source.as_ref().map_or_else(
        || ("(none)".to_owned(), Origin::Default),
        |(text, origin)| (mask(text), origin.clone()),
    );
    let views = vec![
        view(
            "require_promotion_from",
            from.clone(),
            &key("require_promotion_from"),
        ),
        view("promotion_source", shown, &origin),
        view(
            "promotion_ledger",
            section
                .promotion_ledger
                .clone()
                .unwrap_or_else(|| "(none)".to_owned()),
            &section
                .promotion_ledger
                .map_or(Origin::Default, |_| key("promotion_ledger")),
        ),
    ];
    let promotion = Promotion {
        from,
        source: source.map(|(text, _)| Source::parse(&text, project)),
        ledger,
    };
    Ok((Some(promotion), views))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::path::PathBuf;

    use super::super::Variables;
    use super::*;

    fn of(
        text: &str,
        variables: &Variables,
    ) -> Result<(Option<Promotion>, Vec<SettingView>), ConfigError> {
        let file = File::parse(text, Path::new("mledger.toml"))?;
        let none = Variables::new();
        let places = [
            (variables, Origin::Variable as fn(&'static str) -> Origin),
            (&none, Origin::DotEnv as fn(&'static str) -> Origin),
        ];
        promotion("production", &file, Path::new("/shop"), places)
    }

    const ASKED: &str = "[environments.production]\nrequire_promotion_from = 'staging'\n";

    #[test]
    fn the_other_ledger_is_found_where_somebody_says() {
        let none = Variables::new();
        let source = |text: &str, variables: &Variables| {
            let (found, views) = of(text, variables).unwrap();
            let shown = views.iter().find(|view| view.name == "promotion_source");
            (found.unwrap().source, shown.unwrap().value.clone())
        };
        assert_eq!(source(ASKED, &none), (None, "(none)".to_owned()));
        let bundle = format!("{ASKED}promotion_source = 'staging.tar.zst'\n");
        let path = PathBuf::from("/shop/staging.tar.zst");
        assert_eq!(source(&bundle, &none).0, Some(Source::Bundle(path)));
        let url = "postgres://lee:S3cr3t@db.example/staging";
        let section = format!("{ASKED}[environments.staging]\ndatabase_url = '{url}'\n");
        let (found, shown) = source(&section, &none);
        assert_eq!(found.clone().unwrap().url(), Some(url));
        let all = format!("{shown} {found:?} {:?}", of(&section, &none));
        assert!(
            !all.contains("S3cr3t") && all.contains("db.example"),
            "{all}"
        );
        let exported = Variables::from([(SOURCE.to_owned(), "sqlite:other.db".to_owned())]);
        let found = source(&bundle, &exported).0.unwrap();
        assert_eq!(found.url(), Some("sqlite:other.db"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let none = Variables::new();
        for wrong in [
            "require_promotion_from = 'production'",
            "require_promotion_from = ' '",
            "promotion_source = 'staging.tar.zst'",
            "promotion_ledger = 'aa'",
            "require_promotion_from = 'staging'\npromotion_ledger = 'aa'",
        ] {
            let text = format!("[environments.production]\n{wrong}\n");
            assert_eq!(
                of(&text, &none).unwrap_err().code,
                "config-invalid",
                "{wrong}"
            );
        }
    }
}
