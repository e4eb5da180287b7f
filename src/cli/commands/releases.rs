//! `tag`, `release`, `releases` and `changelog`.

use std::fs;
use std::path::Path;

use ledger::Digest;
use mledger::error::Error;
use mledger::release::template::Template;
use mledger::release::{self, Asked, Output};
use mledger::report::{ReleaseView, ReleasesView, Tagged};
use mledger::request::{Publish, Tag};
use serde_json::json;

use super::super::app::App;
use super::super::args;
use super::super::failure::usage;
use super::super::output::{CARE, DIM, GOOD, STRONG, paint};
use super::super::words;
use super::version;

pub(super) async fn tag(app: &App, arguments: args::Tag) -> Result<u8, Error> {
    let request = Tag {
        release: release::parse(&arguments.release)?,
        at: arguments.at.as_deref().map(version).transpose()?,
        message: arguments.message,
    };
    let opened = app.writer().await?;
    let tagged = opened.migrator.tag(&request).await;
    opened.watcher.finish();
    print(app, &tagged?);
    Ok(0)
}

fn print(app: &App, tagged: &Tagged) {
    if app.printer.is_json() {
        app.printer.document(tagged);
        return;
    }
    let breaking = if tagged.breaking {
        paint(CARE, ", breaking")
    } else {
        String::new()
    };
    app.printer.answer(format!(
        "{} {} at {}: {}, {} new{breaking}",
        paint(GOOD, "tagged"),
        tagged.release,
        words::line(&tagged.migration),
        words::count(tagged.contains, "migration", "migrations"),
        tagged.added.len(),
    ));
    recorded(app, tagged.seq, &tagged.head);
}

pub(super) async fn release(app: &App, arguments: args::Publish) -> Result<u8, Error> {
    let notes = match &arguments.notes {
        None => None,
        Some(path) => Some(read(app, path)?),
    };
    let request = Publish {
        release: arguments.release,
        name: arguments.name,
        notes,
    };
    let opened = app.writer().await?;
    let published = opened.migrator.publish(&request).await;
    opened.watcher.finish();
    let published = published?;
    if app.printer.is_json() {
        app.printer.document(&published);
        return Ok(0);
    }
    app.printer.answer(format!(
        "{} {}: {}",
        paint(GOOD, "published"),
        published.release,
        words::line(&published.name)
    ));
    if let Some(notes) = &published.notes {
        app.printer.answer(format!("notes {}", words::short(notes)));
    }
    recorded(app, published.seq, &published.head);
    Ok(0)
}

fn recorded(app: &App, seq: u64, head: &Digest) {
    app.printer.answer(paint(
        DIM,
        format!("recorded as event {seq}, head {}", words::short(head)),
    ));
}

pub(super) async fn releases(app: &App, arguments: &args::Releases) -> Result<u8, Error> {
    let view = app.reader().await?.migrator.releases().await?;
    if app.printer.is_json() {
        app.printer.document(&view);
        return Ok(0);
    }
    if arguments.next {
        match &view.next {
            Some(next) => {
                app.printer.answer(&next.release);
                app.printer.note(paint(DIM, &next.because));
            }
            None => app
                .printer
                .note("nothing has changed since the last release"),
        }
        return Ok(0);
    }
    table(app, &view);
    Ok(0)
}

fn table(app: &App, view: &ReleasesView) {
    if view.releases.is_empty() {
        app.printer.answer("no releases yet");
    } else {
        let mut rows = vec![
            [
                "RELEASE", "TAGGED", "BY", "HOLDS", "NEW", "GONE", "STATE", "NAME",
            ]
            .map(str::to_owned)
            .to_vec(),
        ];
        rows.extend(view.releases.iter().rev().map(|release| row(view, release)));
        for (index, line) in words::columns(&rows).into_iter().enumerate() {
            let release = index
                .checked_sub(1)
                .map(|at| &view.releases[view.releases.len() - 1 - at]);
            app.printer.answer(match release {
                None => paint(STRONG, line),
                Some(release) if release.in_place => line,
                Some(_) => paint(DIM, line),
            });
        }
    }
    if !view.unreleased.is_empty() {
        app.printer.answer(format!(
            "not in a release: {}",
            words::count(
                words::number(view.unreleased.len()),
                "migration",
                "migrations"
            )
        ));
    }
    if let Some(next) = &view.next {
        app.printer.answer(paint(
            DIM,
            format!("next could be {}: {}", next.release, next.because),
        ));
    }
}

fn row(view: &ReleasesView, release: &ReleaseView) -> Vec<String> {
    let state = if view.current.as_ref() == Some(&release.release) {
        "current"
    } else if release.in_place {
        "in place"
    } else {
        "left"
    };
    let breaking = if release.breaking { ", breaking" } else { "" };
    vec![
        release.release.clone(),
        words::time(release.tagged_at),
        words::line(&release.tagged_by),
        release.contains.len().to_string(),
        release.added.len().to_string(),
        release.removed.len().to_string(),
        format!("{state}{breaking}"),
        words::line(release.name.as_deref().unwrap_or_default()),
    ]
}

pub(super) async fn changelog(app: &App, arguments: args::Changelog) -> Result<u8, Error> {
    let template = match &arguments.template {
        Some(path) => Some(Template {
            name: path.display().to_string(),
            source: text(app, path)?,
        }),
        None => None,
    };
    if let Some(path) = &arguments.check {
        let text = read(app, path)?;
        let migrator = app.reader().await?.migrator;
        let checked = migrator.check_changelog(&text, template.as_ref()).await?;
        if app.printer.is_json() {
            app.printer.document(&checked);
            return Ok(0);
        }
        app.printer.answer(format!(
            "{} `{}` is what the events {} to {} of the ledger {} say",
            paint(GOOD, "true:"),
            words::line(&path.display().to_string()),
            checked.first,
            checked.last,
            words::short(&checked.ledger)
        ));
        return Ok(0);
    }
    let asked = Asked {
        from: arguments.from,
        to: arguments.to,
        full: arguments.full,
        output: match arguments.output {
            _ if app.printer.is_json() => Output::Json,
            None if template.is_some() => Output::Json,
            Some(args::ChangelogOutput::Json) => Output::Json,
            Some(args::ChangelogOutput::Html) => Output::Html,
            Some(args::ChangelogOutput::Markdown) | None => Output::Markdown,
        },
    };
    let changelog = app.reader().await?.migrator.changelog(&asked).await?;
    if let Some(template) = template {
        let rendered = release::template::render(&changelog, &template)?;
        if app.printer.is_json() {
            app.printer
                .document(&json!({ "text": rendered, "seal": changelog.seal.to_string() }));
        } else {
            app.printer.part(rendered.as_bytes());
        }
        return Ok(0);
    }
    app.printer.part(release::print(&changelog)?.as_bytes());
    Ok(0)
}

fn text(app: &App, path: &Path) -> Result<String, Error> {
    String::from_utf8(read(app, path)?).map_err(|_| {
        usage(
            "template-invalid",
            format!("expected UTF-8 text in `{}`", path.display()),
            "save it as UTF-8",
        )
    })
}

fn read(app: &App, path: &Path) -> Result<Vec<u8>, Error> {
    let path = app.around.working.join(path);
    fs::read(&path).map_err(|error| {
        usage(
            "file-unreadable",
            format!("cannot read `{}`: {error}", path.display()),
            "check the path and its permissions",
        )
    })
}
