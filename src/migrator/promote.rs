//! `promote`, and the rule that something must have been applied in another environment first.
//!
//! The other ledger is read with rights for reading alone, verified whole, and believed in nothing that
//! does not follow from its signed events. It is read once a command, before the lease is taken.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger::{Body, CheckFinished, Digest, Direction, Event, Finding, Severity, When};
use tokio::sync::OnceCell;

use super::Migrator;
use super::open::unusable_store;
use super::status::views;
use super::work::{Decision, Work};
use crate::audit;
use crate::config::Secrets;
use crate::engine::{self, Access, Store};
use crate::error::Error;
use crate::journal::Fact;
use crate::log::Log;
use crate::migration::Migration;
use crate::plan::{Blocker, BlockerKind, baseline};
use crate::policy::approval::blocker;
use crate::promotion::{Elsewhere, Promotion, Source, compare, require};
use crate::report::{Checked, OtherLedger, PromotionReport, PromotionView, Refusal, VerifyReport};
use crate::request::{Promote, Settings, Verify};

/// The longest text that an event keeps of what was relied on, in bytes.
const DETAIL_LIMIT: usize = 4 * 1024;

/// How many findings about the other ledger are told; `verify` tells all of them.
const FINDINGS_TOLD: usize = 10;

/// What a decision is made from besides the log.
pub(super) struct Ground {
    /// The migrations of the folder.
    pub(super) files: Vec<Migration>,
    /// The ledger of the environment before this one, once it was needed.
    other: OnceCell<Result<Read, Blocker>>,
}

impl Ground {
    pub(super) fn new(files: Vec<Migration>) -> Self {
        Self {
            files,
            other: OnceCell::new(),
        }
    }
}

/// A ledger of another environment that holds together.
struct Read {
    view: OtherLedger,
    lineage: Vec<Digest>,
    events: Elsewhere,
}

impl Migrator {
    /// Compares another environment's ledger with the files and the ledger here; writes nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Integrity`] when the other ledger is not what was recorded, [`Error::Refused`] when it is
    /// this one, [`Error::Usage`] when nobody says where it is, and those of reading either.
    pub async fn promote(&self, request: &Promote) -> Result<PromotionReport, Error> {
        let files = self.files()?;
        let log = self.open().await?.log;
        let environment = self.environment(&log);
        let asked = self.settings.rules(&environment).promotion;
        let mut verify = request.verify.clone();
        let source = match (&request.from, asked) {
            (Some(source), _) => source.clone(),
            (None, Some(promotion)) => {
                verify.ledger = verify.ledger.or(promotion.ledger);
                promotion
                    .source
                    .clone()
                    .ok_or_else(|| unnamed(&promotion.from))?
            }
            (None, None) => return Err(unnamed("staging")),
        };
        let read = self.read_elsewhere(&source, &verify).await?;
        if let Some(blocker) = same_ledger(&read, &log) {
            return Err(Error::Refused(vec![blocker.refusal]));
        }
        let files = baseline::seen(&files, log.history(), None);
        let here = views(&files, log.history(), log.releases());
        Ok(compare(
            &files,
            log.history(),
            &here,
            environment,
            read.view,
            &read.events,
        ))
    }

    /// Adds to a decision what the environment before this one says of its scripts.
    pub(super) async fn require_promotion(
        &self,
        work: &Work<'_>,
        ground: &Ground,
        log: &Log,
        decision: &mut Decision,
    ) -> Result<(), Error> {
        let Some(promotion) = self.rules(log).promotion else {
            return Ok(());
        };
        let applies = |step: &&crate::plan::Step| step.candidate.direction == Direction::Up;
        let versions: Vec<String> = decision
            .plan
            .steps
            .iter()
            .filter(applies)
            .map(|step| step.candidate.version.clone())
            .collect();
        if !work.runs_new_scripts() || versions.is_empty() {
            return Ok(());
        }
        let read = ground
            .other
            .get_or_init(|| self.read_required(&promotion))
            .await;
        let mut view = PromotionView {
            required_from: promotion.from.clone(),
            from: None,
            promoted: Vec::new(),
            missing: versions,
        };
        match read {
            Err(blocker) => decision.plan.blockers.push(blocker.clone()),
            Ok(read) => {
                if let Some(blocker) = same_ledger(read, log) {
                    decision.plan.blockers.push(blocker);
                } else {
                    let relied = require::require(&decision.plan, &read.view, &read.events);
                    let promoted: BTreeSet<&String> =
                        relied.promoted.iter().map(|(version, _)| version).collect();
                    view.missing.retain(|version| !promoted.contains(version));
                    if relied.blockers.is_empty() {
                        decision.evidence = Some(evidence(&read.view, &relied.promoted));
                    }
                    decision.plan.blockers.extend(relied.blockers);
                    view.promoted = relied
                        .promoted
                        .into_iter()
                        .map(|(version, _)| version)
                        .collect();
                    view.from = Some(read.view.clone());
                }
            }
        }
        decision.promotion = Some(view);
        Ok(())
    }

    /// Reads the ledger that the rules ask for; why it cannot be relied on refuses what would run.
    async fn read_required(&self, promotion: &Promotion) -> Result<Read, Blocker> {
        let Some(source) = &promotion.source else {
            return Err(unreadable(&promotion.from, &unnamed(&promotion.from)));
        };
        let verify = Verify {
            ledger: promotion.ledger,
            ..Verify::default()
        };
        let read = self
            .read_elsewhere(source, &verify)
            .await
            .map_err(|error| unreadable(&promotion.from, &error))?;
        if read.view.environment != promotion.from {
            return Err(blocker(
                "promotion-mismatch",
                format!(
                    "expected the ledger of the environment `{}` at `{}`, found that of `{}`",
                    promotion.from, read.view.source, read.view.environment
                ),
                "correct `promotion_source`, or the environment that `require_promotion_from` names",
            ));
        }
        Ok(read)
    }

    async fn read_elsewhere(&self, source: &Source, verify: &Verify) -> Result<Read, Error> {
        let mut events = Elsewhere::default();
        let mut unclear = None;
        let mut each = |event: &Event| {
            if let Err(reason) = events.apply(event) {
                unclear.get_or_insert((event.seq, reason));
            }
        };
        let report = match source {
            Source::Bundle(path) if path.is_file() && !is_archive(path) => {
                return Err(Error::Usage {
                    code: "bundle-missing",
                    message: format!(
                        "expected a bundle, a folder or a `.tar.zst`, found the file `{}`",
                        path.display()
                    ),
                    hint: format!(
                        "name what `mledger export` wrote; a database is named by its URL, such as \
                         `sqlite:{}`",
                        path.display()
                    ),
                });
            }
            Source::Bundle(path) => audit::verify_telling(path, verify, &mut each)
                .map_err(|error| elsewhere(source, error))?,
            Source::Database { url, base } => {
                let engine = engine::open(url, base).map_err(|error| Error::Usage {
                    code: "database-url-invalid",
                    message: format!("the URL of the other ledger's database: {error}"),
                    hint: "name a bundle, or a URL such as `sqlite:staging.db`".to_owned(),
                })?;
                let mut settings = Settings::new(PathBuf::new());
                settings.secrets = self.settings.secrets.clone();
                settings.secrets.add(Secrets::of_url(url));
                let keys = Arc::clone(&self.keys);
                let other = Self::new(engine, settings, self.context.clone(), keys);
                other
                    .verify_elsewhere(verify, &mut each)
                    .await
                    .map_err(|error| elsewhere(source, error))?
            }
        };
        if let Some((seq, reason)) = unclear {
            let message = format!("event {seq} cannot be read: {reason}");
            return Err(broken(source, &message, Vec::new()));
        }
        let errors: Vec<Finding> = report
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .cloned()
            .collect();
        if let Some(first) = errors.first() {
            let message = first.message.clone();
            return Err(broken(source, &message, errors));
        }
        Ok(Read {
            lineage: report.lineage.clone(),
            view: view(source, report, &events),
            events,
        })
    }

    /// Verifies what can be relied on in the log of this database: form, chain, keys, signatures,
    /// lifecycle, and whose database it is. Scripts are known by their digests in it.
    async fn verify_elsewhere(
        &self,
        request: &Verify,
        each: &mut (dyn FnMut(&Event) + Send),
    ) -> Result<VerifyReport, Error> {
        let remembered = self.recall()?;
        let options = self.options_of(request, remembered.as_ref())?;
        let fail = |error| self.engine_error(error, "reading the other ledger");
        let mut session = self.engine.connect(Access::Read).await.map_err(fail)?;
        let mut log = Log::empty(options);
        match session.store().await.map_err(fail)? {
            Store::Present { .. } => log.catch_up(&mut *session, each).await.map_err(fail)?,
            other => return Err(unusable_store(&other)),
        }
        self.check(&log, remembered.as_ref())?;
        let identity = session.identity().await.map_err(fail)?.identity;
        let recorded = log.history().database().map(|one| one.identity.clone());
        if recorded.is_some_and(|recorded| recorded != identity) {
            return Err(super::open::integrity(
                "identity-mismatch",
                "its tables were copied there from another database".to_owned(),
                "check which database is meant",
            ));
        }
        self.remember(&log);
        let (verdict, _) = log.finish();
        Ok(VerifyReport::new(verdict, Checked::default()))
    }
}

fn is_archive(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.ends_with(".tar.zst"))
}

fn view(source: &Source, report: VerifyReport, events: &Elsewhere) -> OtherLedger {
    OtherLedger {
        source: source.to_string(),
        environment: events.environment().to_owned(),
        ledger: report.lineage.last().copied().unwrap_or(Digest::ZERO),
        size: report.size,
        root: report.root,
        anchored_to: report.anchored_to,
        anchored_size: report.anchored_size,
        trusted: report.trusted,
        findings: report.findings,
    }
}

/// Records what was relied on as a check before the first migration: whose ledger, how much of it, and
/// the events in it that say so.
fn evidence(from: &OtherLedger, promoted: &[(String, u64)]) -> Fact {
    let steps: Vec<String> = promoted
        .iter()
        .map(|(version, seq)| format!("{version} by event {seq}"))
        .collect();
    let detail = format!(
        "ledger {} size {} root {}: {}",
        from.ledger,
        from.size,
        from.root,
        steps.join(", ")
    );
    Fact::success(Body::CheckFinished(CheckFinished {
        detail: Some(ledger::fit(&ledger::clean(&detail), DETAIL_LIMIT)),
        name: ledger::clean(&format!("promotion from {}", from.environment)),
        when: When::Before,
    }))
}

fn same_ledger(read: &Read, log: &Log) -> Option<Blocker> {
    let id = log.id()?;
    (read.lineage.last() == Some(&id)).then(|| {
        blocker(
            "promotion-mismatch",
            format!(
                "expected the ledger of another environment at `{}`, found the one of this database",
                read.view.source
            ),
            "name the bundle or the database of the environment that comes before this one",
        )
    })
}

fn unnamed(environment: &str) -> Error {
    Error::Usage {
        code: "promotion-source-missing",
        message: format!(
            "expected to be told where the ledger of `{environment}` is, found no such setting"
        ),
        hint: "name it with `promote --from BUNDLE|URL`, or set `promotion_source` beside \
               `require_promotion_from`, or MLEDGER_PROMOTION_SOURCE"
            .to_owned(),
    }
}

fn unreadable(environment: &str, error: &Error) -> Blocker {
    match error {
        Error::Integrity {
            code,
            message,
            hint,
            ..
        } => Blocker {
            kind: BlockerKind::Integrity,
            refusal: Refusal::new(code, message.clone(), hint.clone()),
        },
        error => blocker(
            "promotion-unreadable",
            format!(
                "expected to read the ledger of `{environment}`, which must have applied this first: {error}"
            ),
            "check `promotion_source` or MLEDGER_PROMOTION_SOURCE: a bundle, or the URL of its database",
        ),
    }
}

/// Says of an error about the other ledger that it is about the other one.
fn elsewhere(source: &Source, error: Error) -> Error {
    match error {
        Error::Integrity {
            message, findings, ..
        } => broken(source, &message, findings),
        other => other,
    }
}

fn broken(source: &Source, message: &str, mut findings: Vec<Finding>) -> Error {
    findings.truncate(FINDINGS_TOLD);
    let told = "the ledger is not what was recorded: ";
    let message = message.strip_prefix(told).unwrap_or(message);
    Error::Integrity {
        code: "promotion-ledger-broken",
        message: format!("the other ledger, at `{source}`, is not what was recorded: {message}"),
        hint: "run `mledger verify` there, or `verify --bundle`, for all findings; nothing is relied on \
               that does not hold together"
            .to_owned(),
        findings,
    }
}
