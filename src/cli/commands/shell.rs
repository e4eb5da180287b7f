//! `config`, `completions` and `man`: what the tool says of itself.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use mledger::error::Error;
use mledger::migration::format::Format;
use serde_json::json;

use super::super::app::App;
use super::super::args::{Cli, Completions, Man};
use super::super::failure::usage;
use super::super::output::{DIM, Printer, paint};
use super::super::words;

pub(super) fn config(app: &App) -> Result<u8, Error> {
    let config = &app.around.config;
    let list = config.list();
    let found = config.format.value.found(&config.migrations.value);
    if app.printer.is_json() {
        app.printer.document(&json!({
            "project": config.project.display().to_string(),
            "file": config.file.as_ref().map(|path| path.display().to_string()),
            "settings": list,
            "format": found.map(Format::as_str),
        }));
        return Ok(0);
    }
    let file = match &config.file {
        Some(path) => path.display().to_string(),
        None => "(none)".to_owned(),
    };
    let mut rows = vec![
        vec![
            "project".to_owned(),
            config.project.display().to_string(),
            String::new(),
        ],
        vec!["file".to_owned(), file, String::new()],
    ];
    for setting in list {
        let mut value = words::line(&setting.value);
        if setting.name == "format"
            && let Some(found) = found.filter(|found| found.as_str() != value)
        {
            value += &format!(" ({found})");
        }
        rows.push(vec![
            setting.name.to_owned(),
            value,
            paint(DIM, setting.origin),
        ]);
    }
    for line in words::columns(&rows) {
        app.printer.answer(line);
    }
    Ok(0)
}

pub(super) fn completions(arguments: &Completions, printer: &Printer) -> Result<u8, Error> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "mledger", &mut script);
    printer.part(&script);
    Ok(0)
}

pub(super) fn man(arguments: &Man, printer: &Printer) -> Result<u8, Error> {
    let command = Cli::command();
    let unwritten = |path: &Path, error: &std::io::Error| {
        usage(
            "file-not-written",
            format!("cannot write `{}`: {error}", path.display()),
            "check the folder and its permissions",
        )
    };
    let Some(folder) = &arguments.out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .map_err(|error| unwritten(Path::new("the page"), &error))?;
        printer.part(&page);
        return Ok(0);
    };
    fs::create_dir_all(folder).map_err(|error| unwritten(folder, &error))?;
    clap_mangen::generate_to(command, folder).map_err(|error| unwritten(folder, &error))?;
    printer.note(format!(
        "wrote the manual pages into `{}`",
        folder.display()
    ));
    Ok(0)
}
