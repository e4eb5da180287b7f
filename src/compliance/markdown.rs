//! A report in Markdown (CommonMark, with tables).

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::control::Control;
use super::document::{Block, Document, Facts, Section, document};
use super::model::Report;
use super::table::{Cell, Table};
use crate::release::in_markdown;

/// Returns the page.
pub fn print(report: &Report) -> String {
    let document = document(report);
    let mut page = Page {
        text: String::new(),
        anchors: anchors(&document),
    };
    page.line(format!("# {}", document.title));
    page.gap();
    page.line(in_markdown(&document.subtitle));
    for section in &document.sections {
        page.section(section);
    }
    page.text
}

/// The events that a part of the page is about, so that others link to it.
fn anchors(document: &Document) -> BTreeSet<u64> {
    let blocks = document.sections.iter().flat_map(|section| &section.blocks);
    blocks
        .filter_map(|block| match block {
            Block::Facts(facts) => facts.event,
            Block::Sentences(_) | Block::Table(_) => None,
        })
        .collect()
}

struct Page {
    text: String,
    anchors: BTreeSet<u64>,
}

impl Page {
    fn line(&mut self, line: impl AsRef<str>) {
        // writing to a string cannot fail
        let _written = writeln!(self.text, "{}", line.as_ref());
    }

    fn gap(&mut self) {
        self.line("");
    }

    fn section(&mut self, section: &Section) {
        self.gap();
        self.line(format!("## {}", section.title));
        self.gap();
        self.line(&section.intro);
        if !section.controls.is_empty() {
            self.controls(&section.controls);
        }
        for block in &section.blocks {
            self.gap();
            match block {
                Block::Sentences(sentences) => {
                    for sentence in sentences {
                        self.line(format!("- {sentence}"));
                    }
                }
                Block::Facts(facts) => self.facts(facts),
                Block::Table(table) => self.table(table),
            }
        }
    }

    fn controls(&mut self, controls: &[Control]) {
        for control in controls {
            self.gap();
            let [asks, shown, not_shown] = control.sentences();
            self.line(format!("> **{}**: {asks}", control.reference));
            self.line(format!("> {shown}"));
            self.line(format!("> {not_shown}"));
        }
    }

    fn facts(&mut self, facts: &Facts) {
        if let Some(title) = &facts.title {
            let anchor = facts
                .event
                .map_or_else(String::new, |seq| format!("<a id=\"event-{seq}\"></a>"));
            self.line(format!("### {anchor}{}", in_markdown(title)));
            self.gap();
        }
        for (label, cell) in &facts.facts {
            // a fact about an event needs no link to itself
            let value = match cell {
                Cell::Event(seq) if facts.event == Some(*seq) => seq.to_string(),
                cell => self.cell(cell),
            };
            self.line(format!("- {label}: {value}"));
        }
    }

    fn table(&mut self, table: &Table) {
        if table.rows.is_empty() {
            self.line(table.empty);
            return;
        }
        let labels: Vec<&str> = table.columns.iter().map(|column| column.label).collect();
        self.line(format!("| {} |", labels.join(" | ")));
        self.line(format!("|{}", " --- |".repeat(labels.len())));
        for row in &table.rows {
            let cells: Vec<String> = row.cells.iter().map(|cell| self.cell(cell)).collect();
            self.line(format!("| {} |", cells.join(" | ")));
        }
    }

    fn cell(&self, cell: &Cell) -> String {
        match cell {
            Cell::Nothing => "-".to_owned(),
            Cell::Text(text) => in_markdown(text),
            Cell::Alert(word) => format!("**{word}**"),
            Cell::Event(seq) if self.anchors.contains(seq) => format!("[{seq}](#event-{seq})"),
            Cell::Code(_) => format!("`{}`", cell.plain()),
            Cell::List(cells) => {
                let cells: Vec<String> = cells.iter().map(|cell| self.cell(cell)).collect();
                cells.join("; ")
            }
            Cell::Word(_) | Cell::Number(_) | Cell::Event(_) | Cell::Time(_) | Cell::Flag(_) => {
                cell.plain()
            }
        }
    }
}
