//! A changelog as one HTML page that needs nothing else: no script, no address, no font.

use std::fmt::Write as _;

use super::changelog::{Change, Changelog, Fact, Heading, Section};
use super::{day, moment};
use crate::text::one_line;

const STYLE: &str = "body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
code{font-size:85%;overflow-wrap:anywhere}\
table{border-collapse:collapse}td,th{border:1px solid #999;padding:.2rem .5rem;text-align:left}\
.facts{color:#555}.downtime{font-weight:bold;color:#a00}";

pub(super) fn print(changelog: &Changelog) -> String {
    let mut page = Page::default();
    page.line("<!DOCTYPE html>");
    page.line("<html lang=\"en\">");
    page.line("<head>");
    page.line("<meta charset=\"utf-8\">");
    page.line("<title>Changelog</title>");
    page.line(format!("<style>{STYLE}</style>"));
    page.line("</head>");
    page.line("<body>");
    page.line("<h1>Changelog</h1>");
    page.line(format!(
        "<p>Changes of the database in the environment {}, by release.</p>",
        escaped(&changelog.environment)
    ));
    for section in &changelog.sections {
        page.section(section);
    }
    if changelog.sections.is_empty() {
        page.line("<p>Nothing has changed.</p>");
    }
    page.evidence(changelog);
    page.line("<hr>");
    page.line(
        "<p>Made from the ledger alone; <code>mledger changelog --check FILE</code> makes it again and \
         compares.</p>",
    );
    page.line(format!("<p><code>{}</code></p>", changelog.seal));
    page.line("</body>");
    page.line("</html>");
    page.text
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, line: impl AsRef<str>) {
        // writing to a string cannot fail
        let _written = writeln!(self.text, "{}", line.as_ref());
    }

    fn section(&mut self, section: &Section) {
        self.line("<section>");
        match &section.release {
            Some(heading) => self.release(heading),
            None => self.line("<h2>Unreleased</h2>"),
        }
        if section.is_empty() {
            self.line("<p>Nothing has changed since the release before.</p>");
        }
        for changes in &section.groups {
            self.list(changes.group.heading(), &changes.changes, change);
        }
        self.list("Removed", &section.removed, |removal| {
            format!(
                "<b>{}</b>: {} {} by {} (event {})",
                title(&removal.version, &removal.name),
                removal.course(),
                moment(removal.removed_at),
                escaped(&removal.removed_by),
                removal.seq
            )
        });
        let incidents = &section.incidents;
        self.list("Rollbacks and failed attempts", incidents, |incident| {
            format!(
                "<b>{}</b>: {} {} by {}: {} (event {})",
                title(&incident.version, &incident.name),
                incident.course(),
                moment(incident.time),
                escaped(&incident.actor),
                escaped(&incident.detail),
                incident.seq
            )
        });
        self.line("</section>");
    }

    fn release(&mut self, heading: &Heading) {
        let release = escaped(&heading.release);
        self.line(format!(
            "<h2 id=\"release-{release}\">{release} - {}</h2>",
            day(heading.tagged_at)
        ));
        if let Some(name) = &heading.name {
            self.line(format!("<p><b>{}</b></p>", escaped(name)));
        }
        if let Some(message) = &heading.message {
            self.line(format!("<blockquote>{}</blockquote>", escaped(message)));
        }
        let notes = heading.notes.as_ref();
        let notes = notes.map_or_else(String::new, |notes| {
            format!("; notes <code>sha256:{notes}</code>")
        });
        self.line(format!(
            "<p class=\"facts\">Tagged {} by {} (event {}){notes}</p>",
            moment(heading.tagged_at),
            escaped(&heading.tagged_by),
            heading.seq
        ));
    }

    fn list<T>(&mut self, heading: &str, items: &[T], item: impl Fn(&T) -> String) {
        if items.is_empty() {
            return;
        }
        self.line(format!("<h3>{heading}</h3>"));
        self.line("<ul>");
        for one in items {
            self.line(format!("<li>{}</li>", item(one)));
        }
        self.line("</ul>");
    }

    /// The digests that the entries point to.
    fn evidence(&mut self, changelog: &Changelog) {
        let changes = changelog.changes_by_seq();
        if changes.is_empty() {
            return;
        }
        self.line("<h2>Evidence</h2>");
        self.line("<table>");
        self.line(
            "<tr><th>event</th><th>migration</th><th>script (SHA-256)</th><th>checksum</th>\
             <th>signed by</th></tr>",
        );
        for change in changes {
            let digest = |digest: Option<String>| {
                digest.map_or_else(|| "-".to_owned(), |text| format!("<code>{text}</code>"))
            };
            self.line(format!(
                "<tr id=\"event-{0}\"><td>{0}</td><td>{1}</td><td>{2}</td><td>{3}</td>\
                 <td><code>{4}</code></td></tr>",
                change.seq,
                escaped(&change.version),
                digest(change.script.map(|script| script.to_string())),
                digest(change.checksum.as_ref().map(super::short)),
                change.key
            ));
        }
        self.line("</table>");
    }
}

fn change(change: &Change) -> String {
    let mut facts: Vec<String> = change.facts().iter().map(fact).collect();
    facts.push(change.course());
    let description = change.description.as_deref().map(escaped);
    format!(
        "<b>{}</b>{}<br><span class=\"facts\">{} by {} (<a href=\"#event-{seq}\">event {seq}</a>)</span>",
        title(&change.version, &change.name),
        description.map_or_else(String::new, |text| format!(": {text}")),
        facts.join("; "),
        escaped(&change.applied_by),
        seq = change.seq,
    )
}

fn fact(fact: &Fact) -> String {
    let words = if fact.is_alarming {
        // pages that were published have this name for it
        format!("<span class=\"downtime\">{}</span>", fact.words)
    } else {
        fact.words.to_owned()
    };
    match &fact.text {
        Some(text) => format!("{words} {}", escaped(text)),
        None => words,
    }
}

fn title(version: &str, name: &str) -> String {
    escaped(&format!("{version} {name}"))
}

/// Returns a text from outside so that HTML shows it as it is.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in one_line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
