//! What is seen while work goes on, on stderr: a bar on a terminal, else a line every 30 seconds.

use std::io::{self, IsTerminal};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ledger::Direction;
use mledger::context::{Observer, Progress};
use mledger::error::StopReason;

use super::output::{DIM, Printer, paint};
use super::words;

const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

/// The bar of work in steps, in bytes, and of work whose end nobody knows.
const OF_STEPS: &str = "{spinner:.cyan} [{bar:24.cyan}] {pos}/{len} {msg} {elapsed:.dim}";
const OF_BYTES: &str = "{spinner:.cyan} [{bar:24.cyan}] {msg} {elapsed:.dim}";
const OF_NOTHING: &str = "{spinner:.cyan} {msg} {elapsed:.dim}";

/// Shows progress; silent when the printer is quiet.
pub(crate) struct Watcher {
    printer: Arc<Printer>,
    bar: Option<ProgressBar>,
    now: Arc<Mutex<Option<Now>>>,
}

/// What is being done, and since when.
#[derive(Debug, Clone)]
struct Now {
    since: Instant,
    what: String,
    step: (usize, usize),
    statements: (u64, u64),
    bytes: (u64, Option<u64>),
}

impl Now {
    fn sentence(&self) -> String {
        let (done, of) = self.statements;
        let statements = if of > 0 {
            format!(", statement {} of {of}", (done + 1).min(of))
        } else {
            String::new()
        };
        format!("{}{statements}{}", self.what, self.amount())
    }
}

impl Now {
    /// How many bytes are done, of how many, and how fast.
    fn amount(&self) -> String {
        let (done, of) = self.bytes;
        if done == 0 {
            return String::new();
        }
        let of = of.map_or_else(String::new, |of| format!(" of {}", words::bytes(of)));
        let took_ms = self.since.elapsed().as_millis().max(1);
        let rate = u64::try_from(u128::from(done) * 1000 / took_ms).unwrap_or(u64::MAX);
        format!(", {}{of}, {}/s", words::bytes(done), words::bytes(rate))
    }
}

impl Watcher {
    /// Creates a watcher that speaks through `printer`.
    pub(crate) fn new(printer: Arc<Printer>) -> Self {
        let bar = (!printer.is_quiet() && io::stderr().is_terminal()).then(ProgressBar::hidden);
        let now = Arc::new(Mutex::new(None));
        if bar.is_none() && !printer.is_quiet() {
            give_signs_of_life(Arc::clone(&printer), &now);
        }
        Self { printer, bar, now }
    }

    fn now(&self) -> MutexGuard<'_, Option<Now>> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, what: String, step: (usize, usize), statements: (u64, u64)) {
        self.begin_at(Instant::now(), what, step, statements);
    }

    fn begin_at(&self, since: Instant, what: String, step: (usize, usize), statements: (u64, u64)) {
        let now = Now {
            since,
            what,
            step,
            statements,
            bytes: (0, None),
        };
        self.draw(&now);
        *self.now() = Some(now);
    }

    fn draw(&self, now: &Now) {
        let Some(bar) = &self.bar else {
            return;
        };
        let (index, steps) = now.step;
        let (place, of, template) = match now.bytes {
            (done, Some(of)) => (done, of, OF_BYTES),
            (_, None) if steps > 0 => (
                words::number(index.saturating_sub(1)),
                words::number(steps),
                OF_STEPS,
            ),
            (_, None) => (0, 0, OF_NOTHING),
        };
        if bar.is_hidden() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸ "));
        }
        bar.set_length(of);
        bar.set_position(place);
        bar.set_message(now.sentence());
    }

    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.printer.note(text)),
            None => self.printer.note(text),
        }
    }

    fn caution(&self, message: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.printer.warn(message)),
            None => self.printer.warn(message),
        }
    }

    /// Clears the bar away, so that the answer starts on a clean line.
    pub(crate) fn finish(&self) {
        *self.now() = None;
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Observer for Watcher {
    fn observe(&self, progress: &Progress<'_>) {
        // there are thousands of these in a large backup
        if !matches!(progress, Progress::Bytes { .. }) {
            tracing::info!(?progress);
        }
        match progress {
            Progress::LedgerOpened { id } => self.say(&format!(
                "opened a new ledger, {id}\n\
                 note this id somewhere else: `mledger verify --ledger ID` then proves that it is the same one"
            )),
            Progress::Waiting { holder, waited_ms } => {
                let since = words::time(holder.since);
                let who = format!("{}@{}", words::line(&holder.actor), words::line(&holder.host));
                if *waited_ms == 0 {
                    self.say(&format!("waiting for the run of {who}, which holds the lock since {since}"));
                }
                let begun = Instant::now().checked_sub(Duration::from_millis(*waited_ms));
                let what = format!("waiting for the run of {who}");
                self.begin_at(begun.unwrap_or_else(Instant::now), what, (0, 0), (0, 0));
            }
            Progress::TakenOver { holder, reason } => self.say(&format!(
                "took the lock over from {}@{}: {reason}",
                words::line(&holder.actor),
                words::line(&holder.host)
            )),
            Progress::Settled { version, direction } => self.say(&format!(
                "settled the unfinished {} of migration `{version}`: nothing of it had remained",
                arrow(*direction)
            )),
            Progress::RunStarted { steps } => self.begin("starting".to_owned(), (0, *steps), (0, 0)),
            Progress::StepStarted {
                index,
                steps,
                version,
                name,
                direction,
                statements,
            } => {
                let verb = match direction {
                    Direction::Up => "applying",
                    Direction::Down => "rolling back",
                };
                self.begin(format!("{verb} {version} {name}"), (*index, *steps), (0, *statements));
            }
            Progress::Checked {
                name, holds: true, ..
            } => self.say(&format!("the check `{}` holds", words::line(name))),
            // the error says it
            Progress::Checked { .. } => {}
            Progress::Statements { done, of } => {
                let mut now = self.now();
                if let Some(now) = now.as_mut() {
                    now.statements = (*done, *of);
                    self.draw(now);
                }
            }
            Progress::StepFinished { .. } => {
                if let Some(bar) = &self.bar {
                    bar.inc(1);
                }
            }
            Progress::Backup { doing } => self.begin((*doing).to_owned(), (0, 0), (0, 0)),
            Progress::Bytes { done, of } => {
                let mut now = self.now();
                if let Some(now) = now.as_mut() {
                    now.bytes = (*done, *of);
                    self.draw(now);
                }
            }
            Progress::Stopping { reason } => {
                if *reason == StopReason::Timeout {
                    self.say("the time limit is over: stopping cleanly");
                }
            }
            Progress::Warning { message } => self.caution(message),
        }
    }
}

/// A pipeline that sees no output for minutes ends the job.
fn give_signs_of_life(printer: Arc<Printer>, now: &Arc<Mutex<Option<Now>>>) {
    let now = Arc::downgrade(now);
    thread::spawn(move || {
        loop {
            thread::sleep(SIGN_OF_LIFE);
            let Some(now) = now.upgrade() else {
                return;
            };
            let seen = now.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let Some(seen) = seen.filter(|seen| seen.since.elapsed() >= Duration::from_secs(1))
            else {
                continue;
            };
            let elapsed = u64::try_from(seen.since.elapsed().as_millis()).unwrap_or(u64::MAX);
            let (index, steps) = seen.step;
            let place = if steps > 0 {
                format!("{index}/{steps} ")
            } else {
                String::new()
            };
            printer.note(paint(
                DIM,
                format!(
                    "{place}{}, for {}",
                    seen.sentence(),
                    words::duration(elapsed)
                ),
            ));
        }
    });
}

fn arrow(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "start",
        Direction::Down => "rollback",
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_sign_of_life_says_how_many_bytes_are_done_and_how_fast() {
        let mut now = Now {
            since: Instant::now().checked_sub(Duration::from_secs(10)).unwrap(),
            what: "saving the database".to_owned(),
            step: (0, 0),
            statements: (0, 0),
            bytes: (0, None),
        };
        assert_eq!(now.sentence(), "saving the database");
        now.bytes = (40 << 20, None);
        let told = now.sentence();
        assert!(
            told.starts_with("saving the database, 40.0 MiB, "),
            "{told}"
        );
        assert!(told.ends_with(" MiB/s"), "{told}");
        now.bytes = (20 << 20, Some(80 << 20));
        let told = now.sentence();
        assert!(told.contains(", 20.0 MiB of 80.0 MiB, "), "{told}");
    }
}
