//! A report as sections with their words; each form of it only decides how they look.

use super::control::Control;
use super::model::{Change, Report};
use super::table::{Cell, Table};
use super::{sections, tables};

/// A report as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its title.
    pub title: &'static str,
    /// What it is about, in one line; it holds names from outside.
    pub subtitle: String,
    /// Its sections, what matters most first.
    pub sections: Vec<Section>,
}

/// One section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its name for links; letters alone.
    pub id: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it says and how far it can be relied on.
    pub intro: String,
    /// The controls that it is evidence for.
    pub controls: Vec<Control>,
    /// What it holds.
    pub blocks: Vec<Block>,
}

/// A part of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// Sentences of our own.
    Sentences(Vec<String>),
    /// Labels and values.
    Facts(Facts),
    /// A table.
    Table(Table),
}

/// Labels and values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// What they are about, where the section has several of these; it holds names from outside.
    pub title: Option<String>,
    /// The event that they are about, which others link to.
    pub event: Option<u64>,
    /// The facts.
    pub facts: Vec<(&'static str, Cell)>,
}

/// Returns a report with its words.
pub fn document(report: &Report) -> Document {
    let mut sections = vec![sections::summary(report), sections::verification(report)];
    if let Some(sample) = &report.sample {
        sections.push(sections::sample(report, sample));
        sections.push(sections::exceptions(report));
        sections.extend(sections::details(report));
    } else {
        sections.push(sections::exceptions(report));
        sections.push(sections::changes(report));
        sections.extend(sections::details(report));
        sections.extend([
            sections::duties(report),
            sections::keys(report),
            sections::backups(report),
        ]);
    }
    sections.push(sections::limits());
    if let Some(framework) = report.framework {
        for section in &mut sections {
            section.controls = framework.controls(section.id);
        }
    }
    Document {
        title: if report.sample.is_some() {
            sections::SAMPLE_TITLE
        } else {
            sections::TITLE
        },
        subtitle: sections::subtitle(report),
        sections,
    }
}

/// Returns all that is known of one change, under the labels of its table.
pub fn change_facts(change: &Change) -> Facts {
    let table = tables::changes(std::slice::from_ref(change));
    let cells = table.rows.into_iter().flat_map(|row| row.cells);
    let labels = table.columns.iter().map(|column| column.label);
    Facts {
        title: Some(format!("{} {}", change.version, change.name)),
        event: Some(change.seq),
        facts: labels
            .zip(cells)
            .filter(|(_, cell)| *cell != Cell::Nothing)
            .collect(),
    }
}
