//! What can be mended without thinking, as edits of a file's text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::report::Report;

/// Words that are put into a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Where, in bytes.
    pub offset: usize,
    /// What.
    pub insert: &'static str,
}

/// How a finding can be mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    /// By words that are put in.
    Insert(Edit),
    /// By a header, where there is none.
    Header,
    /// By another name of the file.
    Rename,
}

/// What becomes of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mended {
    /// The file.
    pub path: PathBuf,
    /// Its name afterwards.
    pub renamed: Option<PathBuf>,
    /// What is put into it, in the order of the places.
    pub edits: Vec<Edit>,
    /// The header that is put before all.
    pub header: Option<String>,
}

impl Mended {
    /// Returns the text of the file afterwards.
    pub fn apply(&self, text: &str) -> String {
        let mut mended = self.header.clone().unwrap_or_default();
        let mut done = 0;
        for edit in &self.edits {
            let Some(kept) = text.get(done..edit.offset) else {
                continue;
            };
            mended.push_str(kept);
            mended.push_str(edit.insert);
            done = edit.offset;
        }
        mended.push_str(text.get(done..).unwrap_or_default());
        mended
    }

    /// Returns the change as a unified diff without context, one hunk for each line.
    pub fn diff(&self, text: &str) -> String {
        use std::fmt::Write;

        let after = self.renamed.as_ref().unwrap_or(&self.path);
        let mut diff = format!("--- {}\n+++ {}\n", self.path.display(), after.display());
        let header = self.header.as_deref().unwrap_or_default();
        let added = header.lines().count();
        if added > 0 {
            // writing to a string cannot fail
            let _ = writeln!(diff, "@@ -0,0 +1,{added} @@");
            for line in header.lines() {
                let _ = writeln!(diff, "+{}", ledger::clean(line));
            }
        }
        let mended = Self {
            header: None,
            ..self.clone()
        }
        .apply(text);
        for (index, (before, after)) in text.lines().zip(mended.lines()).enumerate() {
            if before != after {
                let _ = writeln!(diff, "@@ -{} +{} @@", index + 1, index + 1 + added);
                let _ = writeln!(diff, "-{}", ledger::clean(before));
                let _ = writeln!(diff, "+{}", ledger::clean(after));
            }
        }
        diff
    }
}

/// Returns what would mend the findings that nothing waives, file by file.
///
/// A header that is made names `author`. The second file of a pair is named for a new name too, whether
/// it is there or not.
pub fn mend(report: &Report, author: &str) -> Vec<Mended> {
    let mut files: BTreeMap<PathBuf, Mended> = BTreeMap::new();
    let unwaived = report.findings.iter().filter(|one| one.waived.is_none());
    for finding in unwaived {
        let path = &finding.path;
        match &finding.fix {
            None => {}
            Some(Fix::Insert(edit)) => file(&mut files, path).edits.push(edit.clone()),
            Some(Fix::Header) => {
                file(&mut files, path).header = Some(header(author, &description(path)));
            }
            Some(Fix::Rename) => {
                for path in halves(path) {
                    file(&mut files, &path).renamed = renamed(&path);
                }
            }
        }
    }
    let mut files: Vec<Mended> = files.into_values().collect();
    for file in &mut files {
        file.edits.sort_by_key(|edit| edit.offset);
        file.edits.dedup();
    }
    files
}

fn file<'a>(files: &'a mut BTreeMap<PathBuf, Mended>, path: &Path) -> &'a mut Mended {
    files.entry(path.to_owned()).or_insert_with(|| Mended {
        path: path.to_owned(),
        renamed: None,
        edits: Vec::new(),
        header: None,
    })
}

/// The files of the migration that has this one.
fn halves(path: &Path) -> Vec<PathBuf> {
    match split(path) {
        (stem, UP) => vec![
            path.to_owned(),
            path.with_file_name(format!("{stem}{DOWN}")),
        ],
        _ => vec![path.to_owned()],
    }
}

fn header(author: &str, description: &str) -> String {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    format!(
        "-- @metadata {{\n--   \"author\": {},\n--   \"description\": {},\n--   \"breakingChange\": false\n-- }}\n\n",
        text(author),
        text(description)
    )
}

/// The name of a file without version and ending, as words.
fn description(path: &Path) -> String {
    let (name, _) = split(path);
    let name = name.split_once('_').map_or(name.as_str(), |(_, name)| name);
    name.replace(['_', '-'], " ").trim().to_owned()
}

const UP: &str = ".up.sql";
const DOWN: &str = ".down.sql";

fn split(path: &Path) -> (String, &'static str) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    for ending in [UP, DOWN, ".sql"] {
        if let Some(name) = name.strip_suffix(ending) {
            return (name.to_owned(), ending);
        }
    }
    (name.into_owned(), "")
}

fn renamed(path: &Path) -> Option<PathBuf> {
    let (name, ending) = split(path);
    let (version, name) = name.split_once('_')?;
    Some(path.with_file_name(format!("{version}_{}{ending}", snake(name))))
}

/// Says whether a name is in lower snake case.
pub(super) fn is_snake(name: &str) -> bool {
    name.chars()
        .all(|one| one.is_alphanumeric() && !one.is_uppercase() || one == '_')
}

/// Returns a name in lower snake case.
pub(super) fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 2);
    let mut lower = false;
    for one in name.chars() {
        if one.is_alphanumeric() {
            if one.is_uppercase() && lower {
                snake.push('_');
            }
            lower = !one.is_uppercase();
            snake.extend(one.to_lowercase());
        } else {
            if !snake.ends_with('_') {
                snake.push('_');
            }
            lower = false;
        }
    }
    snake.trim_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_lower_snake_case() {
        for (before, after) in [
            ("AddUsers", "add_users"),
            ("add-users", "add_users"),
            ("add_HTTP_log", "add_http_log"),
            ("v1.2-fix", "v1_2_fix"),
        ] {
            assert_eq!(snake(before), after);
            assert!(is_snake(after) && !is_snake(before), "{before}");
        }
    }

    #[test]
    fn a_file_is_mended_and_the_change_is_shown() {
        let text = "-- UP\nSELECT 1;\n-- DOWN\nDROP TABLE a;\n";
        let at = text.find(" a;").map_or(0, |at| at + 1);
        let mended = Mended {
            path: PathBuf::from("1_x.sql"),
            renamed: None,
            edits: vec![Edit {
                offset: at,
                insert: "IF EXISTS ",
            }],
            header: Some("-- @metadata {}\n".to_owned()),
        };
        assert_eq!(
            mended.apply(text),
            "-- @metadata {}\n-- UP\nSELECT 1;\n-- DOWN\nDROP TABLE IF EXISTS a;\n"
        );
        assert_eq!(
            mended.diff(text),
            "--- 1_x.sql\n+++ 1_x.sql\n@@ -0,0 +1,1 @@\n+-- @metadata {}\n@@ -4 +5 @@\n\
             -DROP TABLE a;\n+DROP TABLE IF EXISTS a;\n"
        );
    }
}
