//! A changelog as one JSON document.

use serde::Serialize;

use super::Changelog;
use crate::error::Error;

#[derive(Serialize)]
struct Document<'a> {
    format_version: &'static str,
    ok: bool,
    #[serde(flatten)]
    changelog: &'a Changelog,
}

pub(super) fn print(changelog: &Changelog) -> Result<String, Error> {
    let document = Document {
        format_version: "1.0",
        ok: true,
        changelog,
    };
    match serde_json::to_string_pretty(&document) {
        Ok(text) => Ok(format!("{text}\n")),
        Err(error) => Err(Error::Usage {
            code: "not-canonical",
            message: format!("the changelog cannot be written as JSON: {error}"),
            hint: "print it with `--output markdown`".to_owned(),
        }),
    }
}
