//! A browser without a window, for pages that check themselves.

use std::path::Path;
use std::process::Command;

/// Opens a page from the disk, lets its scripts end, and returns the document as it is then.
///
/// `place` is what stands behind the page's address: `#` and a name, or nothing.
pub fn document_of(page: &Path, place: &str) -> String {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new("chromium")
        .args([
            "--headless",
            // containers and the super-user have no sandbox to give; the page is our own
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            // time passes as fast as scripts need it, up to this
            "--virtual-time-budget=600000",
            "--timeout=120000",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}{place}", page.display()))
        .env("HOME", profile.path())
        .output()
        .unwrap_or_else(|error| panic!("expected the browser `chromium`: {error}"));
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the text of the one element that has this id and holds no other.
pub fn text_of(document: &str, id: &str) -> String {
    let (_, rest) = document
        .split_once(&format!("id=\"{id}\""))
        .unwrap_or_else(|| panic!("no `{id}` in {document}"));
    let (_, rest) = rest.split_once('>').unwrap();
    let (text, _) = rest.split_once("</").unwrap();
    [("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
