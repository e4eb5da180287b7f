//! What a person is shown before deciding: the step, its statement, and what the database says.

use ledger::{Digest, Direction};

use super::Migrator;
use crate::engine::Session;
use crate::error::Error;
use crate::migration::{Form, Migration, Script, ScriptFile, Version};
use crate::object;
use crate::plan::{StepText, baseline};
use crate::projection::history::{Entry, Standing};
use crate::report::{State, Unresolved};

impl Migrator {
    /// Returns what the ledger and the database say about one migration; writes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Usage`] for a version that neither the folder nor the ledger knows, and those of
    /// reading both.
    pub async fn unresolved(&self, version: &Version) -> Result<Unresolved, Error> {
        let files = self.files()?;
        let mut opened = self.open().await?;
        let files = baseline::seen(&files, opened.log.history(), None);
        let file = files.iter().find(|file| file.version == *version);
        let Some(entry) = opened.log.history().get(version).cloned() else {
            return Err(Error::Usage {
                code: "migration-unknown",
                message: format!("expected a version that the ledger knows, found `{version}`"),
                hint: "`mledger status` lists the versions".to_owned(),
            });
        };
        let mut view = Unresolved {
            version: entry.version.clone(),
            name: entry.name.clone(),
            state: state(&entry),
            direction: None,
            step: None,
            of: None,
            line: None,
            statement: None,
            error: entry
                .failed
                .as_ref()
                .map(|failed| failed.error.message.clone()),
            database: Vec::new(),
            answers: answers(&entry),
        };
        let (direction, step) = match entry.standing() {
            Standing::Unknown(direction, step) => (direction, step),
            Standing::Partial(direction, done) => (direction, done + 1),
            Standing::Clear | Standing::Unfinished(_) => return Ok(view),
        };
        view.direction = Some(direction);
        view.step = Some(step);
        view.of = Some(entry.steps(direction).of);
        let Some(session) = opened.session.as_deref_mut() else {
            return Ok(view);
        };
        if let Some(text) = self
            .step_text(session, file, &entry, direction, step)
            .await?
        {
            view.line = Some(text.line);
            view.database = session
                .examine(&text.sql)
                .await
                .map_err(|error| self.engine_error(error, "asking the database"))?;
            view.statement = Some(text.sql);
        }
        Ok(view)
    }

    /// Returns a statement of the script that stopped: of the bytes that were started where the ledger
    /// knows them, else of the file as it is now.
    async fn step_text(
        &self,
        session: &mut dyn Session,
        file: Option<&Migration>,
        entry: &Entry,
        direction: Direction,
        step: u64,
    ) -> Result<Option<StepText>, Error> {
        let rules = self.engine.lex_rules();
        let now = file.and_then(|file| match direction {
            Direction::Up => Some(&file.up),
            Direction::Down => file.down.as_ref(),
        });
        let started = entry.open.as_ref().map(|open| open.script);
        let script = match (now, started) {
            (Some(now), started) if started.is_none_or(|digest| digest == now.digest) => {
                now.load().ok()
            }
            (now, Some(digest)) => self.recorded(session, now, &digest, direction).await?,
            (_, None) => None,
        };
        Ok(script.and_then(|script| StepText::find(&script, rules, step)))
    }

    async fn recorded(
        &self,
        session: &mut dyn Session,
        file: Option<&ScriptFile>,
        digest: &Digest,
        direction: Direction,
    ) -> Result<Option<Script>, Error> {
        let bytes = object::bytes(session, digest)
            .await
            .map_err(|error| self.engine_error(error, "reading a recorded script"))?;
        let label = file.map_or_else(String::new, |file| file.path.display().to_string());
        let rules = self.engine.lex_rules();
        Ok(bytes.ok().and_then(|bytes| match direction {
            Direction::Up => Script::recorded_up(bytes, &label, rules).ok(),
            Direction::Down => Script::recorded(bytes.clone(), &label, Form::Single, rules)
                .or_else(|_| Script::recorded(bytes, &label, Form::Pair, rules))
                .ok(),
        }))
    }
}

pub(super) fn state(entry: &Entry) -> State {
    match entry.standing() {
        Standing::Unknown(..) => State::Unknown,
        Standing::Partial(..) => State::Partial,
        Standing::Clear | Standing::Unfinished(_) if entry.applied.is_some() => State::Applied,
        Standing::Clear | Standing::Unfinished(_) if entry.failed.is_some() => State::Failed,
        Standing::Clear | Standing::Unfinished(_) if entry.rolled_back => State::RolledBack,
        Standing::Clear | Standing::Unfinished(_) => State::Pending,
    }
}

fn answers(entry: &Entry) -> Vec<String> {
    let answers: &[&str] = match entry.standing() {
        Standing::Unknown(..) => &["--applied", "--not-applied"],
        Standing::Partial(..) => &["--resume", "--applied", "--not-applied"],
        Standing::Clear | Standing::Unfinished(_) => &[],
    };
    answers.iter().map(|answer| (*answer).to_owned()).collect()
}
