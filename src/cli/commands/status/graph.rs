//! Which migration waits for which, as text and for programs that draw.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use mledger::migration::Version;
use mledger::report::{MigrationView, State};

use crate::cli::args::GraphOutput;
use crate::cli::output::{BAD, CARE, DIM, GOOD, paint};
use crate::cli::words;

/// A migration, and the places of those that it waits for.
struct Node<'a> {
    migration: &'a MigrationView,
    waits: Vec<Wait<'a>>,
}

/// What a migration waits for.
enum Wait<'a> {
    /// This one of the list.
    Known(usize),
    /// A version that neither the folder nor the ledger has.
    Unknown(&'a str),
}

/// Returns the lines of a graph in one form.
pub(super) fn lines(migrations: &[MigrationView], output: Option<GraphOutput>) -> Vec<String> {
    let nodes = nodes(migrations);
    match output {
        None => text(&nodes),
        Some(GraphOutput::Dot) => dot(&nodes),
        Some(GraphOutput::Mermaid) => mermaid(&nodes),
    }
}

fn nodes(migrations: &[MigrationView]) -> Vec<Node<'_>> {
    let places: BTreeMap<Version, usize> = migrations
        .iter()
        .enumerate()
        .filter_map(|(place, migration)| Some((migration.version.parse().ok()?, place)))
        .collect();
    let wait = |text: &'_ String| {
        let version = text.parse::<Version>().ok();
        version.and_then(|version| places.get(&version).copied())
    };
    migrations
        .iter()
        .map(|migration| Node {
            migration,
            waits: migration
                .dependencies
                .iter()
                .map(|text| wait(text).map_or(Wait::Unknown(text), Wait::Known))
                .collect(),
        })
        .collect()
}

fn state(migration: &MigrationView) -> String {
    migration.state.as_str().replace('_', " ")
}

fn text(nodes: &[Node<'_>]) -> Vec<String> {
    let rows: Vec<Vec<String>> = nodes
        .iter()
        .map(|node| {
            let waits: Vec<String> = node
                .waits
                .iter()
                .map(|wait| match wait {
                    Wait::Known(place) => {
                        let other = nodes[*place].migration;
                        format!("{} ({})", words::line(&other.version), state(other))
                    }
                    Wait::Unknown(version) => format!("{} (not there)", words::line(version)),
                })
                .collect();
            vec![
                mark(node.migration.state).to_owned(),
                words::line(&node.migration.version),
                words::line(&node.migration.name),
                state(node.migration),
                if waits.is_empty() {
                    String::new()
                } else {
                    format!("← {}", waits.join(", "))
                },
            ]
        })
        .collect();
    let style = |state| match state {
        State::Applied => GOOD,
        State::Pending | State::RolledBack | State::OutOfOrder => CARE,
        _ => BAD,
    };
    if rows.is_empty() {
        return vec![paint(DIM, "no migrations")];
    }
    words::columns(&rows)
        .into_iter()
        .zip(nodes)
        .map(|(line, node)| {
            let mark = mark(node.migration.state);
            let rest = line.strip_prefix(mark).unwrap_or(&line);
            format!("{}{rest}", paint(style(node.migration.state), mark))
        })
        .collect()
}

fn mark(state: State) -> &'static str {
    match state {
        State::Applied => "●",
        State::Pending | State::RolledBack | State::OutOfOrder => "○",
        _ => "✗",
    }
}

/// The language of Graphviz: <https://graphviz.org/doc/info/lang.html>.
fn dot(nodes: &[Node<'_>]) -> Vec<String> {
    let mut lines = vec![
        "digraph migrations {".to_owned(),
        "  rankdir=LR;".to_owned(),
        "  node [shape=box, style=filled, fontname=\"sans-serif\"];".to_owned(),
    ];
    for (place, node) in nodes.iter().enumerate() {
        let label = [
            &format!("{} {}", node.migration.version, node.migration.name),
            &state(node.migration),
        ]
        .map(|line| quoted(line))
        .join("\\n");
        lines.push(format!(
            "  m{place} [label=\"{label}\", fillcolor=\"{}\"];",
            color(node.migration.state)
        ));
    }
    let mut unknown = 0_usize;
    for (place, node) in nodes.iter().enumerate() {
        for wait in &node.waits {
            match wait {
                Wait::Known(other) => lines.push(format!("  m{other} -> m{place};")),
                Wait::Unknown(version) => {
                    let label = quoted(version);
                    lines.push(format!(
                        "  u{unknown} [label=\"{label}\\nnot there\", style=dashed];"
                    ));
                    lines.push(format!("  u{unknown} -> m{place};"));
                    unknown += 1;
                }
            }
        }
    }
    lines.push("}".to_owned());
    lines
}

/// A text inside a quoted string of Graphviz, where a backslash begins an escape.
fn quoted(text: &str) -> String {
    words::line(text).replace('\\', "\\\\").replace('"', "\\\"")
}

/// A flowchart of Mermaid: <https://mermaid.js.org/syntax/flowchart.html>.
fn mermaid(nodes: &[Node<'_>]) -> Vec<String> {
    let mut lines = vec!["flowchart LR".to_owned()];
    for (place, node) in nodes.iter().enumerate() {
        let name = format!("{} {}", node.migration.version, node.migration.name);
        lines.push(format!(
            "  m{place}[\"{}<br/>{}\"]:::{}",
            entities(&name),
            entities(&state(node.migration)),
            node.migration.state.as_str()
        ));
    }
    let mut unknown = 0_usize;
    for (place, node) in nodes.iter().enumerate() {
        for wait in &node.waits {
            match wait {
                Wait::Known(other) => lines.push(format!("  m{other} --> m{place}")),
                Wait::Unknown(version) => {
                    let label = entities(version);
                    lines.push(format!("  u{unknown}[\"{label}<br/>not there\"]:::missing"));
                    lines.push(format!("  u{unknown} --> m{place}"));
                    unknown += 1;
                }
            }
        }
    }
    let there: BTreeSet<State> = nodes.iter().map(|node| node.migration.state).collect();
    for state in there {
        lines.push(format!(
            "  classDef {} fill:{}",
            state.as_str(),
            color(state)
        ));
    }
    lines
}

/// All but letters, digits and what names have becomes an entity, which Mermaid writes with `#`.
fn entities(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in words::line(text).chars() {
        if character.is_alphanumeric() || " _.-".contains(character) {
            escaped.push(character);
        } else {
            // writing to a text cannot fail
            let _ = write!(escaped, "#{};", u32::from(character));
        }
    }
    escaped
}

fn color(state: State) -> &'static str {
    match state {
        State::Applied => "#d5f0d5",
        State::Pending | State::RolledBack => "#fff3c4",
        State::OutOfOrder => "#ead1f5",
        _ => "#f8d0d0",
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::migration;
    use super::*;

    fn graph(output: Option<GraphOutput>) -> String {
        let mut first = migration("1", State::Applied);
        first.name = "a\"];\\ <b> --> c".to_owned();
        let mut second = migration("2", State::Pending);
        second.dependencies = vec!["01".to_owned(), "9".to_owned()];
        lines(&[first, second], output).join("\n")
    }

    #[test]
    fn a_graph_says_what_waits_for_what() {
        let text = graph(None);
        assert!(text.contains("← 1 (applied), 9 (not there)"), "{text}");
        let dot = graph(Some(GraphOutput::Dot));
        assert!(
            dot.contains("  m0 -> m1;\n") && dot.contains("  u0 -> m1;"),
            "{dot}"
        );
        let mermaid = graph(Some(GraphOutput::Mermaid));
        assert!(
            mermaid.contains("  m0 --> m1\n") && mermaid.contains(":::pending"),
            "{mermaid}"
        );
    }

    #[test]
    fn a_label_stays_a_label() {
        let dot = graph(Some(GraphOutput::Dot));
        assert!(
            dot.contains(r#"[label="1 a\"];\\ <b> --> c\napplied""#),
            "{dot}"
        );
        let mermaid = graph(Some(GraphOutput::Mermaid));
        let expected = r#"m0["1 a#34;#93;#59;#92; #60;b#62; --#62; c<br/>applied"]"#;
        assert!(mermaid.contains(expected), "{mermaid}");
    }
}
