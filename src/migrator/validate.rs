//! `validate`: what the rules say of the files, with or without a database.

use std::collections::BTreeSet;
use std::time::Duration;

use ledger::{Body, Digest, Forced, ValidationFinished};

use super::Migrator;
use super::admit::Purpose;
use super::work::Decision;
use crate::engine::{Access, EngineError, Object};
use crate::error::Error;
use crate::journal::Fact;
use crate::lint::{Finding, Report, Review, Sizes};
use crate::log::Log;
use crate::migration::{Migration, Version};
use crate::object;
use crate::plan::up::is_due;
use crate::plan::{Blocker, BlockerKind, baseline};
use crate::report::Refusal;
use crate::request::Validate;

/// How long the database may take to say how large tables are.
const SIZES_WAIT: Duration = Duration::from_secs(5);

impl Migrator {
    /// Checks migrations without running them; writes nothing. Only what is pending needs a database.
    ///
    /// # Errors
    ///
    /// [`Error::Files`] where the folder cannot be read; where the ledger is asked, those of reading it.
    pub async fn validate(&self, request: &Validate) -> Result<Report, Error> {
        let files = self.files()?;
        let named = self.settings.environment.clone();
        match request {
            Validate::All => {
                let review = self.review(&files, &|_| true)?;
                Ok(self.judge(&review, named, &Sizes::new()))
            }
            Validate::Files(paths) => {
                let one_of = |migration: &Migration| {
                    let down = migration.down.as_ref();
                    paths.contains(&migration.up.path)
                        || down.is_some_and(|down| paths.contains(&down.path))
                };
                let versions: Vec<&Version> = files
                    .iter()
                    .filter(|file| one_of(file))
                    .map(|file| &file.version)
                    .collect();
                let review = self.review(&files, &|version| versions.contains(&version))?;
                Ok(self.judge(&review, named, &Sizes::new()))
            }
            Validate::Pending => {
                let opened = self.open().await?;
                let history = opened.log.history();
                let environment = self.environment(&opened.log);
                let files = baseline::seen(&files, history, None);
                let due: BTreeSet<&Version> = files
                    .iter()
                    .filter(|file| is_due(file, history.get(&file.version)))
                    .map(|file| &file.version)
                    .collect();
                let review = self.review(&files, &|version| due.contains(version))?;
                let sizes = self.sizes(&review.tables()).await;
                Ok(self.judge(&review, Some(environment), &sizes))
            }
        }
    }

    /// Checks what a run would apply, and refuses what weighs as an error; a warning too, where the rules say
    /// so and nobody has said why it is to run. Where runs need no validation, findings are only shown with a
    /// plan, and recorded with a run that is forced.
    pub(super) async fn validate_plan(
        &self,
        files: &[Migration],
        log: &Log,
        decision: &mut Decision,
        purpose: Purpose,
        force: Option<&str>,
    ) -> Result<(), Error> {
        let environment = self.environment(log);
        let plan = &mut decision.plan;
        let rules = self.settings.rules(&environment);
        let skips = rules.skip_validation;
        if plan.steps.is_empty() || (skips && purpose != Purpose::Show && force.is_none()) {
            return Ok(());
        }
        let versions: BTreeSet<Version> = plan
            .steps
            .iter()
            .filter_map(|step| step.candidate.version.parse().ok())
            .collect();
        let review = self.review(files, &|version| versions.contains(version))?;
        let sizes = self.sizes(&review.tables()).await;
        let report = self.judge(&review, Some(environment), &sizes);
        if let Some(reason) = force {
            decision.forced = forced(&report, skips, reason);
        }
        if skips {
            decision.validation = Some(report);
            return Ok(());
        }
        let findings = report.findings.iter();
        plan.blockers.extend(findings.filter_map(|finding| {
            let refused = rules.refuse_warnings && force.is_none() && finding.is_warning();
            if finding.is_error() {
                return Some(blocker(finding, "validation-failed", ""));
            }
            refused.then(|| blocker(finding, "validation-warned", FORCE))
        }));
        if report.waived + report.warnings + report.errors > 0 {
            // what was known of the scripts when they ran, or why they did not, belongs to the run
            let (fact, object) = recorded(&report)?;
            decision.facts.push(fact);
            decision.objects.push(object);
        }
        decision.validation = Some(report);
        Ok(())
    }

    /// Reads the migrations that are `wanted`, to be checked.
    pub(super) fn review<'a>(
        &self,
        files: &'a [Migration],
        wanted: &dyn Fn(&Version) -> bool,
    ) -> Result<Review<'a>, Error> {
        let dialect = self.engine.capabilities().dialect;
        Review::load(files, self.engine.lex_rules(), dialect, wanted)
            .map_err(|problem| Error::Files(vec![problem]))
    }

    /// Asks the database how large tables are, on a connection of its own and not for long: what it does
    /// not say is not known, and is no reason to stop.
    pub(super) async fn sizes(&self, tables: &[String]) -> Sizes {
        if tables.is_empty() {
            return Sizes::new();
        }
        let ask = async {
            let mut session = self.engine.connect(Access::Read).await?;
            let sizes = session.table_sizes(tables).await?;
            session.close().await?;
            Ok::<_, EngineError>(sizes)
        };
        match tokio::time::timeout(SIZES_WAIT, ask).await {
            Ok(Ok(sizes)) => sizes,
            Ok(Err(error)) => {
                tracing::debug!(%error, "the sizes of tables are not known");
                Sizes::new()
            }
            Err(_) => {
                tracing::debug!("the database did not say in time how large tables are");
                Sizes::new()
            }
        }
    }

    /// Checks by the settings of an environment.
    pub(super) fn judge(
        &self,
        review: &Review<'_>,
        environment: Option<String>,
        sizes: &Sizes,
    ) -> Report {
        let environment = environment.unwrap_or_else(|| crate::policy::DEVELOPMENT.to_owned());
        review.report(&self.settings.validation(&environment), sizes)
    }
}

/// Returns the fact that something was found, and the object that says what.
fn recorded(report: &Report) -> Result<(Fact, Object), Error> {
    let bytes = report.object().map_err(|message| Error::Usage {
        code: "not-canonical",
        message: format!("the findings cannot be written canonically: {message}"),
        hint: "look for control characters in the names of migrations".to_owned(),
    })?;
    let digest = Digest::of(&bytes);
    let body = Body::ValidationFinished(ValidationFinished {
        digest,
        errors: report.errors,
        warnings: report.warnings,
    });
    let fact = if report.errors > 0 {
        Fact::failure(body)
    } else {
        Fact::success(body)
    };
    Ok((fact, object::pack(digest, &bytes)))
}

/// What stands beside a warning that refuses a run.
const FORCE: &str = "; `mledger up --force REASON` goes on in spite of warnings";

/// Returns what a run goes on in spite of, each rule once: warnings, and also errors where they refuse nothing.
fn forced(report: &Report, skips: bool, reason: &str) -> Vec<Forced> {
    let findings = report.findings.iter();
    let rules: BTreeSet<&str> = findings
        .filter(|finding| finding.is_warning() || (skips && finding.is_error()))
        .map(|finding| finding.rule)
        .collect();
    let forced = rules.into_iter().map(|rule| Forced {
        finding: rule.to_owned(),
        reason: ledger::clean(reason),
    });
    forced.collect()
}

fn blocker(finding: &Finding, code: &'static str, force: &str) -> Blocker {
    let line = finding
        .line
        .map_or_else(String::new, |line| format!(":{line}"));
    Blocker {
        kind: BlockerKind::Policy,
        refusal: Refusal {
            code,
            version: Some(finding.version.clone()),
            message: format!(
                "`{}`{line}: {}: {}",
                finding.file, finding.rule, finding.message
            ),
            hint: format!(
                "{}; `mledger validate` shows more, and `-- mledger:allow {} REASON` before the first \
                 statement allows it{force}",
                finding.steps.join("; "),
                finding.rule
            ),
        },
    }
}
