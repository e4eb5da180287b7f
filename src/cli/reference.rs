//! `docs/cli.md`, made from the same types as the help.

use std::fmt::Write;

use clap::{Arg, Command, CommandFactory};

use super::args::Cli;

const HEADING: &str = "Global options";

/// What no argument type says.
const APPENDIX: &str = include_str!("reference/appendix.md");

/// Returns the text of `docs/cli.md`.
pub(crate) fn text() -> String {
    let mut command = Cli::command();
    command.build();
    let mut page = String::from(
        "# The command line\n\nMade from the program's own definitions; \
         `MLEDGER_WRITE_DOCS=1 cargo test` writes it anew.\n",
    );
    paragraph(&mut page, &long(&command));
    code(
        &mut page,
        command.get_after_long_help().map(ToString::to_string),
    );
    page.push_str("\n## Global options\n\nThey may stand anywhere on the line.\n\n");
    options(&mut page, &command, |argument| {
        argument.get_help_heading() == Some(HEADING)
    });
    for sub in shown(&command) {
        section(&mut page, sub, "mledger", 2);
    }
    page.push_str(APPENDIX);
    page
}

fn section(page: &mut String, command: &Command, parent: &str, level: usize) {
    let name = format!("{parent} {}", command.get_name());
    // writing to a string cannot fail
    let _ = write!(page, "\n{} {name}\n", "#".repeat(level));
    paragraph(page, &long(command));
    let aliases: Vec<String> = command
        .get_visible_aliases()
        .map(|alias| format!("`{alias}`"))
        .collect();
    if !aliases.is_empty() {
        paragraph(page, &format!("Also: {}.", aliases.join(", ")));
    }
    let subs: Vec<&Command> = shown(command).collect();
    if subs.is_empty() {
        code(page, Some(usage(command, &name)));
        page.push('\n');
        options(page, command, |argument| {
            argument.get_help_heading() != Some(HEADING)
        });
    }
    code(page, command.get_after_long_help().map(ToString::to_string));
    for sub in subs {
        section(page, sub, &name, level + 1);
    }
}

fn options(page: &mut String, command: &Command, wanted: impl Fn(&Arg) -> bool) {
    let arguments: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| wanted(argument) && !argument.is_hide_set())
        .filter(|argument| !matches!(argument.get_id().as_str(), "help" | "version"))
        .collect();
    if arguments.is_empty() {
        return;
    }
    page.push_str("| option | meaning |\n| --- | --- |\n");
    for argument in arguments {
        let help = argument
            .get_long_help()
            .or_else(|| argument.get_help())
            .map(ToString::to_string)
            .unwrap_or_default();
        let help = sentences(&help);
        let values: Vec<String> = argument
            .get_possible_values()
            .iter()
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        let values = if values.is_empty()
            || argument.is_hide_possible_values_set()
            || !argument.get_action().takes_values()
        {
            String::new()
        } else {
            format!(" One of {}.", values.join(", "))
        };
        let _ = writeln!(
            page,
            "| `{}` | {}{values} |",
            spelling(argument).replace('|', "\\|"),
            help.replace('|', "\\|")
        );
    }
}

/// Help has no full stop at the end of its first paragraph; in a table the paragraphs stand in one line.
fn sentences(help: &str) -> String {
    let paragraphs: Vec<String> = help
        .split("\n\n")
        .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
        .map(|paragraph| format!("{}.", paragraph.trim_end_matches('.')))
        .collect();
    paragraphs.join(" ")
}

/// Returns an argument as it is typed.
fn spelling(argument: &Arg) -> String {
    let value = argument
        .get_value_names()
        .filter(|_| argument.is_positional() || argument.get_action().takes_values())
        .map(|names| {
            names
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .unwrap_or_default();
    if argument.is_positional() {
        return value;
    }
    let mut names = Vec::new();
    names.extend(argument.get_short().map(|short| format!("-{short}")));
    names.extend(argument.get_long().map(|long| format!("--{long}")));
    let names = names.join(", ");
    let optional = argument
        .get_num_args()
        .is_some_and(|range| range.min_values() == 0 && range.takes_values());
    match (value.is_empty(), optional, argument.is_require_equals_set()) {
        (true, _, _) => names,
        (false, true, true) => format!("{names}[={value}]"),
        (false, true, false) => format!("{names} [{value}]"),
        (false, false, _) => format!("{names} {value}"),
    }
}

fn usage(command: &Command, name: &str) -> String {
    let mut parts = vec![name.to_owned()];
    let own = |argument: &&Arg| argument.get_help_heading() != Some(HEADING);
    if command
        .get_arguments()
        .filter(own)
        .any(|argument| !argument.is_positional())
    {
        parts.push("[OPTIONS]".to_owned());
    }
    parts.extend(command.get_positionals().map(spelling));
    parts.join(" ")
}

fn long(command: &Command) -> String {
    command
        .get_long_about()
        .or_else(|| command.get_about())
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
}

fn paragraph(page: &mut String, text: &str) {
    if !text.is_empty() {
        let _ = write!(page, "\n{}\n", text.trim_end());
    }
}

fn code(page: &mut String, text: Option<String>) {
    if let Some(text) = text {
        let _ = write!(page, "\n```text\n{}\n```\n", text.trim_end());
    }
}

/// The page is a file, so that it can be read without the program; this holds it true.
#[test]
fn the_page_is_what_the_program_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cli.md");
    let text = text();
    if std::env::var_os("MLEDGER_WRITE_DOCS").is_some() {
        assert!(std::fs::write(path, &text).is_ok(), "cannot write {path}");
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    let differs = found
        .lines()
        .zip(text.lines())
        .position(|(one, other)| one != other);
    assert!(
        found == text,
        "docs/cli.md differs from line {:?}; refresh it with `MLEDGER_WRITE_DOCS=1 cargo test`",
        differs.map(|line| line + 1)
    );
}
