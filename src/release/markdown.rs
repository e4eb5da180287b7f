//! A changelog in Markdown (CommonMark), in the manner of keepachangelog.com.

use std::fmt::Write as _;

use ledger::Digest;

use super::changelog::{Change, Changelog, Fact, Heading, Incident, Removal, Section};
use super::{day, moment, short};
use crate::text::one_line;

pub(super) fn print(changelog: &Changelog) -> String {
    let mut page = Page::default();
    page.line("# Changelog");
    page.gap();
    page.line(format!(
        "Changes of the database in the environment {}, by release.",
        escaped(&changelog.environment)
    ));
    for section in &changelog.sections {
        page.section(section);
    }
    if changelog.sections.is_empty() {
        page.gap();
        page.line("Nothing has changed.");
    }
    page.evidence(changelog);
    page.gap();
    page.line("---");
    page.gap();
    page.line(
        "Made from the ledger alone; `mledger changelog --check FILE` makes it again and compares.",
    );
    page.gap();
    page.line(format!("`{}`", changelog.seal));
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

    fn gap(&mut self) {
        self.line("");
    }

    fn heading(&mut self, text: &str) {
        self.gap();
        self.line(format!("### {text}"));
        self.gap();
    }

    fn section(&mut self, section: &Section) {
        self.gap();
        match &section.release {
            Some(heading) => self.release(heading),
            None => self.line("## [Unreleased]"),
        }
        if section.is_empty() {
            self.gap();
            self.line("Nothing has changed since the release before.");
        }
        for changes in &section.groups {
            self.heading(changes.group.heading());
            for change in &changes.changes {
                self.change(change);
            }
        }
        if !section.removed.is_empty() {
            self.heading("Removed");
            for removal in &section.removed {
                self.removal(removal);
            }
        }
        if !section.incidents.is_empty() {
            self.heading("Rollbacks and failed attempts");
            for incident in &section.incidents {
                self.incident(incident);
            }
        }
    }

    fn release(&mut self, heading: &Heading) {
        // a name of a release has no letter that means something here
        self.line(format!(
            "## [{}] - {}",
            heading.release,
            day(heading.tagged_at)
        ));
        if let Some(name) = &heading.name {
            self.gap();
            self.line(format!("**{}**", escaped(name)));
        }
        if let Some(message) = &heading.message {
            self.gap();
            self.line(format!("> {}", escaped(message)));
        }
        self.gap();
        let notes = heading
            .notes
            .as_ref()
            .map_or_else(String::new, |notes| format!("; notes `sha256:{notes}`"));
        self.line(format!(
            "Tagged {} by {}{}{notes}",
            moment(heading.tagged_at),
            escaped(&heading.tagged_by),
            event(heading.seq)
        ));
    }

    fn change(&mut self, change: &Change) {
        let description = change.description.as_deref().map(escaped);
        self.line(format!(
            "- **{}**{}",
            title(&change.version, &change.name),
            description.map_or_else(String::new, |text| format!(": {text}"))
        ));
        let facts: Vec<String> = change.facts().iter().map(fact).collect();
        if !facts.is_empty() {
            self.line(format!("  - {}", facts.join("; ")));
        }
        self.line(format!(
            "  - {} by {}{}",
            change.course(),
            escaped(&change.applied_by),
            link(change.seq)
        ));
    }

    fn removal(&mut self, removal: &Removal) {
        self.line(format!(
            "- **{}**: {} {} by {}{}",
            title(&removal.version, &removal.name),
            removal.course(),
            moment(removal.removed_at),
            escaped(&removal.removed_by),
            event(removal.seq)
        ));
    }

    fn incident(&mut self, incident: &Incident) {
        self.line(format!(
            "- **{}**: {} {} by {}: {}{}",
            title(&incident.version, &incident.name),
            incident.course(),
            moment(incident.time),
            escaped(&incident.actor),
            escaped(&incident.detail),
            event(incident.seq)
        ));
    }

    /// The digests that the entries point to.
    fn evidence(&mut self, changelog: &Changelog) {
        let changes = changelog.changes_by_seq();
        if changes.is_empty() {
            return;
        }
        self.gap();
        self.line("## Evidence");
        self.gap();
        self.line("| event | migration | script (SHA-256) | checksum | signed by |");
        self.line("| --- | --- | --- | --- | --- |");
        for change in changes {
            let digest = |digest: Option<&Digest>, shown: fn(&Digest) -> String| {
                digest.map_or_else(|| "-".to_owned(), |digest| format!("`{}`", shown(digest)))
            };
            self.line(format!(
                "| <a id=\"event-{0}\"></a>{0} | {1} | {2} | {3} | `{4}` |",
                change.seq,
                escaped(&change.version),
                digest(change.script.as_ref(), Digest::to_string),
                digest(change.checksum.as_ref(), short),
                change.key
            ));
        }
    }
}

fn fact(fact: &Fact) -> String {
    let words = if fact.is_alarming {
        format!("**{}**", fact.words)
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

/// Names an event, with a link to its row in the evidence.
fn link(seq: u64) -> String {
    format!(" ([event {seq}](#event-{seq}))")
}

fn event(seq: u64) -> String {
    format!(" (event {seq})")
}

/// Returns a text from outside so that Markdown shows it as it is: no emphasis, link, image, mention,
/// reference or HTML comes of it.
pub(crate) fn escaped(text: &str) -> String {
    let line = one_line(text);
    let mut out = String::with_capacity(line.len() + 8);
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        // a colon before a space begins neither an address nor the name of a picture
        let ends_a_phrase = c == ':' && rest.peek().is_none_or(|next| *next == ' ');
        if r"\`*_{}[]<>#!|~&:@$^".contains(c) && !ends_a_phrase {
            out.push('\\');
        }
        out.push(c);
    }
    // what begins so becomes a link also without brackets
    out.replace("www.", "www\\.").replace("WWW.", "WWW\\.")
}
