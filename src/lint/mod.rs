//! What is risky, forgotten or against the rules in migrations, found without running them.
//!
//! [`Review::load`] reads the scripts of migrations; [`Review::report`] is pure: what was read,
//! [`Settings`] and the sizes of tables in, a [`Report`] out. What cannot be parsed is reported as not
//! analysed, never as an error of the one who wrote it.

mod change;
mod dialect;
pub mod fix;
pub mod naming;
pub mod output;
mod parse;
mod report;
mod review;
pub mod rule;
mod rules;
mod subject;

use std::collections::BTreeMap;
use std::time::Duration;

use ledger::{Direction, Severity};

pub use self::dialect::{Dialect, MYSQL, POSTGRES, SQLITE};
pub use self::naming::Naming;
pub use self::report::{Finding, NotAnalysed, Report, TableView, Waiver};
pub use self::review::Review;
pub use self::rule::Rule;
use self::subject::{Analysed, Reading};
pub use self::subject::{Statement, Subject};
use crate::migration::Migration;
use crate::migration::split::LexRules;

/// How much a finding of a rule weighs in a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It is not looked for.
    Off,
    /// It is shown.
    Warning,
    /// It stops a run.
    Error,
}

/// What a project has agreed on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// How much findings weigh, by the code of their rule, where it is not the rule's own severity.
    pub levels: BTreeMap<String, Level>,
    /// How things are named.
    pub naming: Naming,
    /// How long a migration may be expected to take.
    pub max_duration: Option<Duration>,
}

/// How large tables are, by their names in lower case, where a database was asked.
pub type Sizes = BTreeMap<String, TableSize>;

/// How large a table is, as the database's statistics have it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableSize {
    /// About how many rows it has, where that is known.
    pub rows: Option<u64>,
    /// About how many bytes it takes, with its indexes.
    pub bytes: u64,
}

/// All that rules may look at.
struct Context<'a> {
    /// Every migration of the folder.
    migrations: &'a [Migration],
    /// Those that are checked.
    subjects: &'a [Subject<'a>],
    /// The rest, as far as they were read.
    others: &'a [Subject<'a>],
    dialect: &'a Dialect,
    lex: &'static LexRules,
    settings: &'a Settings,
    sizes: &'a Sizes,
}

/// What a rule has found, before severities and waivers.
struct Found {
    rule: &'static Rule,
    direction: Direction,
    /// Which statement, from 1.
    statement: Option<u64>,
    /// Where in the file, in bytes.
    offset: Option<usize>,
    message: String,
    /// What belongs to the message and is another thing each day: how large tables are.
    today: Vec<String>,
    /// The line may not be shown.
    secret: bool,
    fix: Option<fix::Fix>,
}

impl Found {
    /// A finding about all of a migration.
    fn whole(rule: &'static Rule, message: impl Into<String>) -> Self {
        Self {
            rule,
            direction: Direction::Up,
            statement: None,
            offset: None,
            message: message.into(),
            today: Vec::new(),
            secret: false,
            fix: None,
        }
    }

    /// A finding about a statement of the up script.
    fn at(rule: &'static Rule, statement: &Analysed, message: impl Into<String>) -> Self {
        Self {
            statement: Some(statement.index),
            offset: Some(statement.offset),
            ..Self::whole(rule, message)
        }
    }

    /// The same in the down script.
    fn down(self) -> Self {
        Self {
            direction: Direction::Down,
            ..self
        }
    }
}

fn judge(context: &Context<'_>, subject: &Subject<'_>, report: &mut Report) {
    let mut found = Vec::new();
    for rule in rules::ALL {
        rule(context, subject, &mut found);
    }
    rules::tell_sizes(context, subject, &mut found);
    report.estimated_ms = report
        .estimated_ms
        .saturating_add(rules::estimate(context, subject));
    found.sort_by_key(|one| (one.direction == Direction::Down, one.offset));
    let mut waivers = waivers(subject);
    for one in found {
        let Some(severity) = severity(context.settings, one.rule) else {
            continue;
        };
        let waived = waivers
            .iter_mut()
            .find(|waiver| waiver.rule == one.rule.code && waiver.covers(one.direction))
            .map(|waiver| {
                waiver.used = true;
                waiver.reason.clone()
            });
        report
            .findings
            .push(finding(subject, &one, severity, waived));
    }
    for waiver in &waivers {
        judge_waiver(context, subject, waiver, report);
    }
    report.waivers.extend(waivers);
    report.migrations += 1;
    for (direction, reading) in subject.readings() {
        report.take_reading(subject, direction, reading);
    }
}

fn severity(settings: &Settings, rule: &Rule) -> Option<Severity> {
    match settings.levels.get(rule.code) {
        Some(Level::Off) => None,
        Some(Level::Warning) => Some(Severity::Warning),
        Some(Level::Error) => Some(Severity::Error),
        None => rule.severity,
    }
}

fn waivers(subject: &Subject<'_>) -> Vec<Waiver> {
    let migration = subject.migration;
    let of = |direction, allow: &[(String, String)]| {
        let version = migration.version.as_str();
        allow
            .iter()
            .map(|(rule, reason)| Waiver {
                version: version.to_owned(),
                direction,
                rule: rule.clone(),
                reason: reason.clone(),
                used: false,
            })
            .collect::<Vec<_>>()
    };
    let mut all = of(Direction::Up, &migration.up.directives.allow);
    if let Some(down) = &migration.down {
        all.extend(of(Direction::Down, &down.directives.allow));
    }
    all
}

fn judge_waiver(
    context: &Context<'_>,
    subject: &Subject<'_>,
    waiver: &Waiver,
    report: &mut Report,
) {
    let (rule, message) = match rule::named(&waiver.rule) {
        None => (
            rule::named("waiver-unknown"),
            format!("expected the code of a rule, found `{}`", waiver.rule),
        ),
        Some(known) if !waiver.used && severity(context.settings, known).is_some() => (
            rule::named("waiver-unused"),
            format!("`{}` is waived, and nothing is found", waiver.rule),
        ),
        Some(_) => return,
    };
    let Some(rule) = rule else { return };
    let Some(severity) = severity(context.settings, rule) else {
        return;
    };
    let mut found = Found::whole(rule, message);
    found.direction = waiver.direction;
    let reading = subject.reading(waiver.direction);
    let line = format!("mledger:allow {}", waiver.rule);
    found.offset = reading
        .and_then(|reading| Some(reading.section.start + reading.body().find(&line)?))
        .or_else(|| subject.up.text().find(&line));
    report
        .findings
        .push(finding(subject, &found, severity, None));
}

fn finding(
    subject: &Subject<'_>,
    found: &Found,
    severity: Severity,
    waived: Option<String>,
) -> Finding {
    let reading = subject.reading(found.direction).unwrap_or(&subject.up);
    let place = found.offset.map(|offset| reading.script.line_of(offset));
    let mut message = found.message.clone();
    for told in &found.today {
        message.push_str("; ");
        message.push_str(told);
    }
    let file = match found.direction {
        Direction::Down => subject.migration.down.as_ref(),
        Direction::Up => None,
    };
    let file = file.unwrap_or(&subject.migration.up);
    Finding {
        rule: found.rule.code,
        severity,
        version: subject.migration.version.as_str().to_owned(),
        direction: found.direction,
        file: file.path.display().to_string(),
        line: place.map(|place| place.line as u64),
        column: place.map(|place| place.column as u64),
        statement: found.statement,
        message: one_line(&message),
        lasting: one_line(&found.message),
        why: found.rule.why,
        steps: found.rule.steps,
        waived,
        text: place
            .filter(|_| !found.secret)
            .map(|place| place.text.to_owned()),
        fix: found.fix.clone(),
        path: file.path.clone(),
    }
}

/// A name in a script may hold anything, and a message is one line of a terminal.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|one| if one.is_control() { '\u{fffd}' } else { one })
        .collect()
}

impl Subject<'_> {
    fn reading(&self, direction: Direction) -> Option<&Reading> {
        match direction {
            Direction::Up => Some(&self.up),
            Direction::Down => self.down.as_ref(),
        }
    }

    fn readings(&self) -> impl Iterator<Item = (Direction, &Reading)> {
        let down = self.down.iter().map(|down| (Direction::Down, down));
        [(Direction::Up, &self.up)].into_iter().chain(down)
    }
}

#[cfg(test)]
#[path = "documentation_tests.rs"]
mod documentation_tests;
