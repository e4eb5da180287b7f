//! `validate`: what the rules say of the files, with or without a database.

use std::collections::BTreeSet;

use ledger::{Body, Digest, ValidationFinished};

use super::Migrator;
use super::admit::Purpose;
use super::work::Decision;
use crate::error::Error;
use crate::journal::Fact;
use crate::lint::{self, Finding, Report, Sizes};
use crate::log::Log;
use crate::migration::{Migration, Version};
use crate::object;
use crate::plan::{Blocker, BlockerKind};
use crate::report::Refusal;
use crate::request::Validate;

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
            Validate::All => self.judge(&files, named, &|_| true),
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
                self.judge(&files, named, &|version| versions.contains(&version))
            }
            Validate::Pending => {
                let opened = self.open().await?;
                let history = opened.log.history();
                let environment = self.environment(&opened.log);
                self.judge(&files, Some(environment), &|version| {
                    history
                        .get(version)
                        .is_none_or(|entry| entry.applied.is_none())
                })
            }
        }
    }

    /// Checks what a run would apply, and refuses what weighs as an error. Where runs need no validation,
    /// findings are only shown with a plan.
    pub(super) fn validate_plan(
        &self,
        files: &[Migration],
        log: &Log,
        decision: &mut Decision,
        purpose: Purpose,
    ) -> Result<(), Error> {
        let environment = self.environment(log);
        let plan = &mut decision.plan;
        let skips = self.settings.rules(&environment).skip_validation;
        if plan.steps.is_empty() || (skips && purpose != Purpose::Show) {
            return Ok(());
        }
        let versions: BTreeSet<Version> = plan
            .steps
            .iter()
            .filter_map(|step| step.candidate.version.parse().ok())
            .collect();
        let report = self.judge(files, Some(environment), &|version| {
            versions.contains(version)
        })?;
        if skips {
            decision.validation = Some(report);
            return Ok(());
        }
        let errors = report.findings.iter().filter(|finding| finding.is_error());
        plan.blockers.extend(errors.map(blocker));
        if report.waived > 0 {
            // somebody took it upon themselves: what and why belongs to the run
            let bytes = report.object().map_err(|message| Error::Usage {
                code: "not-canonical",
                message: format!("the findings cannot be written canonically: {message}"),
                hint: "look for control characters in the names of migrations".to_owned(),
            })?;
            let digest = Digest::of(&bytes);
            decision.objects.push(object::pack(digest, &bytes));
            decision.facts.push(Fact::success(Body::ValidationFinished(
                ValidationFinished {
                    digest,
                    errors: report.errors,
                    warnings: report.warnings,
                },
            )));
        }
        decision.validation = Some(report);
        Ok(())
    }

    /// Checks the migrations that are `wanted` by the settings of an environment.
    pub(super) fn judge(
        &self,
        files: &[Migration],
        environment: Option<String>,
        wanted: &dyn Fn(&Version) -> bool,
    ) -> Result<Report, Error> {
        let environment = environment.unwrap_or_else(|| crate::policy::DEVELOPMENT.to_owned());
        lint::check(
            files,
            self.engine.lex_rules(),
            self.engine.capabilities().dialect,
            &self.settings.validation(&environment),
            &Sizes::new(),
            wanted,
        )
        .map_err(|problem| Error::Files(vec![problem]))
    }
}

fn blocker(finding: &Finding) -> Blocker {
    let line = finding
        .line
        .map_or_else(String::new, |line| format!(":{line}"));
    Blocker {
        kind: BlockerKind::Policy,
        refusal: Refusal {
            code: "validation-failed",
            version: Some(finding.version.clone()),
            message: format!(
                "`{}`{line}: {}: {}",
                finding.file, finding.rule, finding.message
            ),
            hint: format!(
                "{}; `mledger validate` shows more, and `-- mledger:allow {} REASON` before the first \
                 statement allows it",
                finding.steps.join("; "),
                finding.rule
            ),
        },
    }
}
