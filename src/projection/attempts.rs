//! Every attempt at one migration, and what people said of it.

use ledger::{Body, Direction, Event, Marked, StepResolution};

use crate::report::{Answer, Attempt, AttemptOutcome, SlowStep};

/// A fold over all events, for one version.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    version: String,
    run: Option<RunOf>,
    attempts: Vec<Attempt>,
    answers: Vec<Answer>,
}

/// The run that was begun last.
#[derive(Debug)]
struct RunOf {
    id: uuid::Uuid,
    command: String,
    ticket: Option<String>,
}

impl Attempts {
    /// Begins with no event of a version, as it was recorded.
    pub(crate) fn of(version: &str) -> Self {
        Self {
            version: version.to_owned(),
            ..Self::default()
        }
    }

    /// Folds the next event.
    pub(crate) fn apply(&mut self, event: &Event) {
        match &event.body {
            Body::RunStarted(body) => {
                self.run = Some(RunOf {
                    id: event.run,
                    command: body.command.clone(),
                    ticket: body.ticket.clone(),
                });
                // what begins a run may stand before the run's own start
                if let Some(run) = &self.run {
                    for attempt in self.attempts.iter_mut().filter(|one| one.run == run.id) {
                        attempt.command = Some(run.command.clone());
                        attempt.ticket.clone_from(&run.ticket);
                    }
                }
            }
            Body::MigrationStarted(body) if body.version == self.version => {
                let run = self.run.as_ref().filter(|run| run.id == event.run);
                self.attempts.push(Attempt {
                    seq: event.seq,
                    ended_by: None,
                    run: event.run,
                    command: run.map(|run| run.command.clone()),
                    ticket: run.and_then(|run| run.ticket.clone()),
                    attempt: body.attempt,
                    direction: body.direction,
                    mode: body.mode,
                    by: event.actor.clone(),
                    host: event.host.clone(),
                    began: event.time,
                    duration_ms: None,
                    statements: body.statements,
                    steps_applied: 0,
                    slowest: None,
                    outcome: AttemptOutcome::Unfinished,
                    cause: None,
                    message: None,
                    line: None,
                    clean: None,
                });
            }
            Body::MigrationStepApplied(body) if body.version == self.version => {
                if let Some(attempt) = self.open(body.direction) {
                    attempt.steps_applied += 1;
                    if attempt
                        .slowest
                        .is_none_or(|slowest| slowest.duration_ms < body.duration_ms)
                    {
                        attempt.slowest = Some(SlowStep {
                            step: body.step,
                            duration_ms: body.duration_ms,
                        });
                    }
                }
            }
            Body::MigrationApplied(body) if body.version == self.version => {
                self.end(event, Direction::Up, AttemptOutcome::Applied, |attempt| {
                    attempt.duration_ms = Some(body.duration_ms);
                });
            }
            Body::MigrationRolledBack(body) if body.version == self.version => {
                self.end(
                    event,
                    Direction::Down,
                    AttemptOutcome::RolledBack,
                    |attempt| {
                        attempt.duration_ms = Some(body.duration_ms);
                        attempt.cause = Some(body.cause);
                    },
                );
            }
            Body::MigrationFailed(body) if body.version == self.version => {
                self.end(event, body.direction, AttemptOutcome::Failed, |attempt| {
                    attempt.message = Some(body.error.message.clone());
                    attempt.line = body.error.line;
                    attempt.clean = Some(body.clean);
                });
            }
            Body::MigrationAborted(body) if body.version == self.version => {
                self.end(event, body.direction, AttemptOutcome::Aborted, |attempt| {
                    // when it was found says nothing of how long it took
                    attempt.duration_ms = None;
                    attempt.message = Some(body.reason.clone());
                });
            }
            body => self.answers.extend(answer(event, body, &self.version)),
        }
    }

    /// Returns the attempts and the answers, oldest first.
    pub(crate) fn finish(self) -> (Vec<Attempt>, Vec<Answer>) {
        (self.attempts, self.answers)
    }

    fn open(&mut self, direction: Direction) -> Option<&mut Attempt> {
        self.attempts.iter_mut().rev().find(|attempt| {
            attempt.outcome == AttemptOutcome::Unfinished && attempt.direction == direction
        })
    }

    fn end(
        &mut self,
        event: &Event,
        direction: Direction,
        outcome: AttemptOutcome,
        tell: impl FnOnce(&mut Attempt),
    ) {
        let Some(attempt) = self.open(direction) else {
            return;
        };
        let between = event.time.as_micros() - attempt.began.as_micros();
        attempt.duration_ms = u64::try_from(between / 1000).ok();
        attempt.ended_by = Some(event.seq);
        attempt.outcome = outcome;
        tell(attempt);
    }
}

fn answer(event: &Event, body: &Body, version: &str) -> Option<Answer> {
    let (about, what, reason) = match body {
        Body::MigrationStepResolved(body) => {
            let said = match body.r#as {
                StepResolution::Applied => "applied",
                StepResolution::NotApplied => "not applied",
            };
            (
                &body.version,
                format!("step {} counts as {said}", body.step),
                &body.reason,
            )
        }
        Body::MigrationMarked(body) => {
            let said = match body.r#as {
                Marked::Applied => "applied",
                Marked::Pending => "pending",
            };
            (&body.version, format!("counts as {said}"), &body.reason)
        }
        Body::MigrationAccepted(body) => (
            &body.version,
            "the changed file is accepted".to_owned(),
            &body.reason,
        ),
        _ => return None,
    };
    (about == version).then(|| Answer {
        seq: event.seq,
        time: event.time,
        by: event.actor.clone(),
        what,
        reason: reason.clone(),
    })
}
