//! A report as one HTML page that needs nothing else, and that can check the log in it.
//!
//! It is read without scripts. Its policy allows the one script and the one style sheet that are in it,
//! by their digests, and no address at all.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use ledger::{Digest, Hasher};

use super::document::{Block, Document, Facts, Section, document};
use super::enclosure::Enclosure;
use super::model::Report;
use super::table::{Cell, Table};
use crate::release::{in_html as escaped, moment};
use crate::report::VerifyReport;

const STYLE: &str = include_str!("page/style.css");

/// The longest word that is never broken in a table, in characters; a paper has room for ten columns.
const LONGEST_WORD: usize = 20;

/// What the page's script is made of, in order.
const SCRIPTS: [&str; 5] = [
    include_str!("page/curve.js"),
    include_str!("page/form.js"),
    include_str!("page/lifecycle.js"),
    include_str!("page/verify.js"),
    include_str!("page/button.js"),
];

/// Returns a report as a page that holds the log it was made from.
pub fn print(report: &Report, log: &Enclosure) -> String {
    printed(document(report), &report.verification, log)
}

/// Writes a report as a page that holds the log it was made from, which is copied nowhere.
///
/// # Errors
///
/// Those of `out`.
pub fn write(report: &Report, log: &Enclosure, out: &mut dyn Write) -> io::Result<()> {
    page_of(document(report), &report.verification, log, out)
}

fn printed(document: Document, verification: &VerifyReport, log: &Enclosure) -> String {
    let mut page = Vec::new();
    // writing to memory cannot fail, and what is written is text
    let _written = page_of(document, verification, log, &mut page);
    String::from_utf8(page).unwrap_or_default()
}

fn page_of(
    document: Document,
    verification: &VerifyReport,
    log: &Enclosure,
    out: &mut dyn Write,
) -> io::Result<()> {
    let script = format!("\"use strict\";\n{{\n{}}}\n", SCRIPTS.concat());
    let heading = Page::default().heading(&document);
    let sections = Page::of(&document).sections(&document);
    let title = document.title;
    // of many changes this is the largest part
    drop(document);
    let check = Page::default().check(verification, log);
    let ledger = verification.lineage.last().copied();
    let mut page = Page::default();
    page.line("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">");
    page.line(format!(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src '{}'; \
         style-src '{}'; base-uri 'none'; form-action 'none'\">",
        allowed(&script),
        allowed(STYLE)
    ));
    page.line("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    page.line("<meta name=\"referrer\" content=\"no-referrer\">");
    page.line(format!("<title>{}</title>", escaped(title)));
    page.line(format!("<style>{STYLE}</style>\n</head>"));
    page.line(format!(
        "<body data-report=\"{}\" data-size=\"{}\" data-root=\"{}\" data-head=\"{}\" data-ledger=\"{}\">",
        seal(&[&heading, &check, &sections]),
        verification.size,
        verification.root,
        verification.head,
        ledger.unwrap_or(Digest::ZERO)
    ));
    page.line(format!("<header class=\"report\">{heading}</header>"));
    page.line(format!(
        "<section id=\"check\" class=\"report check\">{check}</section>"
    ));
    out.write_all(page.text.as_bytes())?;
    writeln!(out, "<main class=\"report\">{sections}</main>")?;
    drop(sections);
    raw(log, out)?;
    writeln!(out, "<script>{script}</script>\n</body>\n</html>")
}

fn raw(log: &Enclosure, out: &mut dyn Write) -> io::Result<()> {
    let Some(entries) = log.entries() else {
        return Ok(());
    };
    writeln!(
        out,
        "<section class=\"raw\">\n<details><summary>The events as they were signed</summary>\n<p>Lines and \
         signatures in turn. A byte that is not plain is <code>%</code> and two digits.</p>"
    )?;
    writeln!(out, "<pre id=\"entries\">{entries}</pre>")?;
    for note in log.checkpoints() {
        writeln!(out, "<pre class=\"checkpoint\">{note}</pre>")?;
    }
    writeln!(out, "</details>\n</section>")
}

/// Returns the words of a content security policy for an inline text.
fn allowed(text: &str) -> String {
    let digest = Digest::of(text.as_bytes());
    format!("sha256-{}", BASE64_STANDARD.encode(digest.as_bytes()))
}

/// Returns the digest of parts of a page as a browser writes them, which escapes less than we do.
fn seal(parts: &[&str]) -> Digest {
    const WRITTEN: [(&str, &str); 3] = [("&quot;", "\""), ("&#39;", "'"), ("\u{a0}", "&nbsp;")];
    let mut hasher = Hasher::new();
    for part in parts {
        let mut rest = *part;
        while let Some(at) = rest.find(['&', '\u{a0}']) {
            hasher.update(&rest.as_bytes()[..at]);
            rest = &rest[at..];
            let other = WRITTEN.iter().find(|(ours, _)| rest.starts_with(ours));
            let (ours, theirs) = other.copied().unwrap_or(("&", "&"));
            hasher.update(theirs.as_bytes());
            rest = &rest[ours.len()..];
        }
        hasher.update(rest.as_bytes());
    }
    hasher.finish()
}

#[derive(Default)]
struct Page {
    text: String,
    /// The events that others can link to.
    events: BTreeSet<u64>,
    /// Those of them that have got their place.
    placed: BTreeSet<u64>,
}

impl Page {
    fn of(document: &Document) -> Self {
        let mut page = Self::default();
        for block in document.sections.iter().flat_map(|one| &one.blocks) {
            match block {
                Block::Sentences(_) => {}
                // what is told in full is the place of its event, before any row that mentions it
                Block::Facts(facts) => page.placed.extend(facts.event),
                Block::Table(table) => page
                    .events
                    .extend(table.rows.iter().filter_map(|row| row.event)),
            }
        }
        page.events.extend(&page.placed);
        page
    }

    fn line(&mut self, line: impl AsRef<str>) {
        // writing to a string cannot fail
        let _written = writeln!(self.text, "{}", line.as_ref());
    }

    fn heading(mut self, document: &Document) -> String {
        self.line(format!("<h1>{}</h1>", escaped(document.title)));
        let subtitle = escaped(&document.subtitle);
        self.line(format!("<p class=\"subtitle\">{subtitle}</p>"));
        self.line("<nav><ul>");
        for section in &document.sections {
            let title = escaped(section.title);
            self.line(format!("<li><a href=\"#{}\">{title}</a></li>", section.id));
        }
        self.line("</ul></nav>");
        self.text
    }

    fn sections(mut self, document: &Document) -> String {
        for section in &document.sections {
            self.section(section);
        }
        self.text
    }

    fn section(&mut self, section: &Section) {
        self.line(format!(
            "<section id=\"{}\">\n<h2>{}</h2>\n<p>{}</p>",
            section.id,
            escaped(section.title),
            escaped(&section.intro)
        ));
        if !section.controls.is_empty() {
            self.line("<ul class=\"controls\">");
            for control in &section.controls {
                self.line(format!(
                    "<li><b>{}</b>: {}</li>",
                    escaped(control.reference),
                    escaped(&control.sentences().join(" "))
                ));
            }
            self.line("</ul>");
        }
        for block in &section.blocks {
            match block {
                Block::Sentences(sentences) => {
                    self.line("<ul>");
                    for sentence in sentences {
                        self.line(format!("<li>{}</li>", escaped(sentence)));
                    }
                    self.line("</ul>");
                }
                Block::Facts(facts) => self.facts(facts),
                Block::Table(table) => self.table(table),
            }
        }
        self.line("</section>");
    }

    fn facts(&mut self, facts: &Facts) {
        let id = facts.event.map_or_else(String::new, place);
        self.line(format!("<article{id}>"));
        if let Some(title) = &facts.title {
            self.line(format!("<h3>{}</h3>", escaped(title)));
        }
        self.line("<dl class=\"facts\">");
        for (label, cell) in &facts.facts {
            // a fact about an event needs no link to itself
            let value = match cell {
                Cell::Event(seq) if facts.event == Some(*seq) => seq.to_string(),
                cell => self.cell(cell),
            };
            self.line(format!("<dt>{}</dt><dd>{value}</dd>", escaped(label)));
        }
        self.line("</dl>\n</article>");
    }

    fn table(&mut self, table: &Table) {
        if table.rows.is_empty() {
            self.line(format!("<p class=\"none\">{}</p>", escaped(table.empty)));
            return;
        }
        self.line("<div class=\"wide\"><table><thead><tr>");
        for column in &table.columns {
            self.line(format!("<th scope=\"col\">{}</th>", escaped(column.label)));
        }
        self.line("</tr></thead><tbody>");
        for row in &table.rows {
            let first = row.event.filter(|event| self.placed.insert(*event));
            let id = first.map_or_else(String::new, place);
            self.line(format!("<tr{id}>"));
            for (column, cell) in table.columns.iter().zip(&row.cells) {
                let value = self.cell(cell);
                let (label, sort) = (escaped(column.label), sort(cell));
                self.line(format!("<td{sort} data-label=\"{label}\">{value}</td>"));
            }
            self.line("</tr>");
        }
        self.line("</tbody></table></div>");
    }

    fn cell(&self, cell: &Cell) -> String {
        match cell {
            Cell::Code(code) => format!("<code>{}</code>", escaped(code)),
            Cell::Event(seq) if self.events.contains(seq) => {
                format!("<a href=\"#event-{seq}\">{seq}</a>")
            }
            Cell::Time(time) => {
                // a narrow column may break it between day and clock, and nowhere else
                let words = moment(*time);
                let (day, clock) = words.split_once(' ').unwrap_or((&words, ""));
                format!("<span class=\"whole\">{day}</span> <span class=\"whole\">{clock}</span>")
            }
            Cell::Alert(word) => format!("<strong class=\"alert\">{}</strong>", escaped(word)),
            Cell::List(cells) if cells.len() > 1 => {
                let items = cells
                    .iter()
                    .map(|one| format!("<li>{}</li>", self.cell(one)));
                format!("<ul>{}</ul>", items.collect::<String>())
            }
            Cell::List(cells) => cells.iter().map(|one| self.cell(one)).collect(),
            Cell::Nothing
            | Cell::Text(_)
            | Cell::Word(_)
            | Cell::Number(_)
            | Cell::Event(_)
            | Cell::Flag(_) => escaped(&cell.plain()),
        }
    }

    /// The box with the button, and what must be said about a page that checks itself.
    fn check(mut self, verification: &VerifyReport, log: &Enclosure) -> String {
        self.line("<h2>Check this report</h2>");
        let size = verification.size;
        if log.entries().is_some() {
            self.line(format!(
                "<p>All {size} events that this report was made from are in this page, with their \
                 signatures. The button checks each of them here, without a network: its form, its place, \
                 what it may follow, its key and its signature, the root over all of them, and whether the \
                 words of the report are those that were written.</p>"
            ));
        } else {
            self.line(format!(
                "<p>The {size} events that this report was made from are too many for a page. They lie in \
                 the bundle that <code>mledger export</code> writes, where they can be checked.</p>"
            ));
        }
        self.line(
            "<p><strong>A report cannot vouch for itself.</strong> Who could change this page could change \
             its button, too, and the tables are only as true as the program that wrote them. What counts is \
             a check of the export by a program that reached you in another way, which must find the same \
             root: <code>mledger verify --bundle FOLDER</code>, or <code>python3 verify.py FOLDER</code>. \
             The scripts that ran lie in the export, not in here.</p>",
        );
        self.line(format!(
            "<dl class=\"facts\"><dt>Root over {size} events</dt><dd><code>{}</code></dd></dl>",
            verification.root
        ));
        if log.entries().is_some() {
            self.line(
                "<form id=\"check-form\" hidden=\"\">\n<details><summary>Compare with what you know from elsewhere\
                 </summary>\n<label for=\"known-ledger\">The ledger's id</label>\n\
                 <input id=\"known-ledger\" autocomplete=\"off\" spellcheck=\"false\">\n\
                 <label for=\"kept-checkpoint\">The text of a checkpoint that you kept</label>\n\
                 <textarea id=\"kept-checkpoint\" rows=\"6\" spellcheck=\"false\"></textarea></details>\n\
                 <button type=\"button\" id=\"check-button\">Check now</button>\n</form>",
            );
            self.line(
                "<div id=\"verdict\" role=\"status\">Not checked in here. Where there is no button, this \
                 browser runs no scripts, or the script is not the one that was written.</div>",
            );
        }
        self.text
    }
}

fn place(seq: u64) -> String {
    format!(" id=\"event-{seq}\"")
}

/// The class of a cell, where it looks different.
fn sort(cell: &Cell) -> &'static str {
    match cell {
        Cell::Nothing => " class=\"nothing\"",
        Cell::Number(_) | Cell::Event(_) => " class=\"number\"",
        Cell::Text(text) if text.split_whitespace().any(is_long) => " class=\"long\"",
        _ => "",
    }
}

/// Whether a word may have to be broken to fit into a column.
fn is_long(word: &str) -> bool {
    word.chars().nth(LONGEST_WORD).is_some()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use ledger::verify::Anchor;

    use super::super::table::{Column, Row};
    use super::*;
    use crate::report::Checked;

    const HOSTILE: &str =
        "</script><script>alert(1)</script><!-- \u{202e}x\u{2028} \u{1b}[31m \" ' & \u{a0}";

    fn verification() -> VerifyReport {
        VerifyReport {
            lineage: vec![Digest::of(b"ledger")],
            size: 3,
            root: Digest::of(b"root"),
            head: Digest::of(b"head"),
            anchored_to: Anchor::Nothing,
            anchored_size: 0,
            trusted: false,
            checked: Checked::default(),
            findings: Vec::new(),
        }
    }

    fn page(cells: Vec<Cell>) -> String {
        let columns = cells.iter().map(|_| Column {
            key: "key",
            label: "Label",
            overview: true,
            width: 10,
        });
        let table = Table {
            name: "table",
            empty: "nothing",
            columns: columns.collect(),
            rows: vec![Row {
                event: Some(2),
                cells,
            }],
        };
        let facts = Facts {
            title: Some(HOSTILE.to_owned()),
            event: None,
            facts: vec![("Label", Cell::text(HOSTILE))],
        };
        let document = Document {
            title: "Title",
            subtitle: HOSTILE.to_owned(),
            sections: vec![Section {
                id: "one",
                title: "One",
                intro: HOSTILE.to_owned(),
                controls: Vec::new(),
                blocks: vec![
                    Block::Sentences(vec![HOSTILE.to_owned()]),
                    Block::Facts(facts),
                    Block::Table(table),
                ],
            }],
        };
        printed(document, &verification(), &Enclosure::default())
    }

    #[test]
    fn script_and_style_cannot_end_their_elements() {
        for text in SCRIPTS.iter().chain([&STYLE]) {
            assert!(text.is_ascii(), "no encoding changes what runs");
            for end in ["</", "<!--", "]]>"] {
                assert!(!text.contains(end), "`{end}`");
            }
        }
    }

    #[test]
    fn texts_from_outside_stay_texts() {
        let page = page(vec![
            Cell::text(HOSTILE),
            Cell::Code(HOSTILE.to_owned()),
            Cell::List(vec![Cell::text(HOSTILE), Cell::text(HOSTILE)]),
        ]);
        assert_eq!(page.matches("<script").count(), 1);
        assert_eq!(page.matches("</script").count(), 1);
        let steers = |c: char| c != '\n' && c.is_control() || "\u{202e}\u{2028}".contains(c);
        assert!(!page.contains(steers));
        // the policy has no place for a style of one element
        assert!(!page.contains(" style="));
    }

    #[test]
    fn events_link_to_where_they_are_told() {
        let page = page(vec![Cell::Event(2), Cell::Event(1), Cell::Number(2)]);
        assert_eq!(page.matches("id=\"event-2\"").count(), 1);
        assert!(page.contains("<a href=\"#event-2\">2</a>"));
        assert!(!page.contains("#event-1"), "there is no such place");
    }

    #[test]
    fn a_page_without_events_has_no_button_and_says_why() {
        let whole = page(Vec::new());
        assert!(whole.contains("id=\"check-button\""));
        let document = Document {
            title: "Title",
            subtitle: String::new(),
            sections: Vec::new(),
        };
        let page = printed(document, &verification(), &Enclosure::too_large());
        assert!(!page.contains("id=\"check-button\""));
        assert!(!page.contains("id=\"entries\""));
        assert!(page.contains("too many for a page"));
    }

    #[test]
    fn the_seal_is_over_the_words_as_a_browser_writes_them() {
        let ours = ["&quot;a&#39;\u{a0}&amp;&lt;b&", "é&quot;"];
        assert_eq!(
            seal(&ours),
            Digest::of("\"a'&nbsp;&amp;&lt;b&é\"".as_bytes())
        );
    }

    #[test]
    fn the_policy_names_the_script_and_the_style_in_the_page() {
        let page = page(Vec::new());
        let (_, rest) = page.split_once("<script>").unwrap();
        let (script, _) = rest.split_once("</script>").unwrap();
        assert!(page.contains(&format!("script-src '{}'", allowed(script))));
        let (_, rest) = page.split_once("<style>").unwrap();
        let (style, _) = rest.split_once("</style>").unwrap();
        assert!(page.contains(&format!("style-src '{}'", allowed(style))));
    }
}
