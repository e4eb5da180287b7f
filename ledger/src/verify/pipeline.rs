//! Threads that prepare entries ahead of the verifier, and give them back in the order in which they came.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Builder, JoinHandle};

use super::prepare::{Entry, Preparation, Prepared};
use crate::body::Body;
use crate::event::Event;
use crate::key::PublicKey;

/// How many entries a thread takes at a time: enough that handing them over costs next to nothing, few
/// enough that none waits long for the last one.
const PIECE: usize = 32;

/// So few entries are not worth beginning a thread for.
const FEW: usize = 32;

/// How many pieces for each thread may wait for the verifier before it should take some.
const WAITING: usize = 4;

/// No piece is lost in silence: what was submitted is prepared, or the thread has panicked.
const GONE: &str = "a thread ended without its entries";

/// Threads that prepare entries while the verifier takes in those before, and the next ones are read.
///
/// There is no moment at which all of them wait for the slowest: each takes the next piece as soon as it
/// has done one. A pipeline that is dropped ends its threads, once what was submitted is done.
pub struct Pipeline<E> {
    threads: NonZeroUsize,
    workers: Vec<JoinHandle<()>>,
    jobs: Option<Sender<Order<E>>>,
    queue: Arc<Queue<E>>,
    /// What was submitted and not yet taken, first to last.
    pieces: VecDeque<Piece<E>>,
    /// Where the next entry stands.
    position: u64,
    /// The key that the first entry of a log brings with it.
    opening: Option<PublicKey>,
}

/// Entries that are being prepared, piece by piece.
#[derive(Debug)]
pub struct Pending<E>(Vec<Piece<E>>);

#[derive(Debug)]
enum Piece<E> {
    Here(Outcome<E>),
    Elsewhere(Receiver<Outcome<E>>),
}

/// The entries, or what a thread panicked with.
type Outcome<E> = thread::Result<Vec<Prepared<E>>>;

struct Job<E> {
    preparation: Preparation,
    position: u64,
    entries: Vec<E>,
}

/// A job, and who waits for it.
type Order<E> = (Job<E>, Sender<Outcome<E>>);

/// What no thread has begun yet.
struct Queue<E> {
    orders: Mutex<Receiver<Order<E>>>,
    length: AtomicUsize,
}

impl<E: Entry + 'static> Pipeline<E> {
    /// Returns a pipeline for the entries that follow the first `position` ones, with at most so many
    /// threads; each begins when it is needed.
    #[must_use]
    pub fn new(position: u64, threads: NonZeroUsize) -> Self {
        let (jobs, orders) = channel();
        Self {
            threads,
            workers: Vec::new(),
            jobs: Some(jobs),
            queue: Arc::new(Queue {
                orders: Mutex::new(orders),
                length: AtomicUsize::new(0),
            }),
            pieces: VecDeque::new(),
            position,
            opening: None,
        }
    }

    /// Begins to prepare the entries that follow those submitted before, with what the verifier knows now.
    pub fn submit(&mut self, mut preparation: Preparation, entries: Vec<E>) {
        if self.position == 0 {
            self.opening = entries.first().and_then(opening_key);
        }
        if let Some(key) = &self.opening {
            preparation.expect_key(key);
        }
        let few = entries.len() < FEW && self.workers.is_empty();
        if !few {
            self.employ();
        }
        let mut entries = entries.into_iter();
        loop {
            let entries: Vec<E> = entries.by_ref().take(PIECE).collect();
            if entries.is_empty() {
                return;
            }
            let job = Job {
                preparation: preparation.clone(),
                position: self.position,
                entries,
            };
            self.position += job.entries.len() as u64;
            let piece = if few {
                Piece::Here(job.done())
            } else {
                self.hand_over(job)
            };
            self.pieces.push_back(piece);
        }
    }

    /// Returns the oldest entries, where there are so many more that all threads have work while these are
    /// taken in.
    pub fn surplus(&mut self) -> Option<Pending<E>> {
        let keep = self.workers.len() * WAITING;
        let surplus = self.pieces.len().checked_sub(keep).filter(|more| *more > 0);
        surplus.map(|surplus| Pending(self.pieces.drain(..surplus).collect()))
    }

    /// Returns all entries that were not returned before.
    pub fn rest(&mut self) -> Pending<E> {
        Pending(self.pieces.drain(..).collect())
    }

    /// Begins two threads, and one more whenever those there are have not kept up with what is submitted:
    /// a thread that would only wait holds memory all the same.
    fn employ(&mut self) {
        let behind = self.queue.length.load(Ordering::Relaxed) > 0;
        let wanted = (self.workers.len() + usize::from(behind)).max(2);
        while self.workers.len() < wanted.min(self.threads.get()) {
            let queue = Arc::clone(&self.queue);
            // fewer threads than asked for are slower, and nothing else
            let Ok(worker) = Builder::new().spawn(move || work(&queue)) else {
                return;
            };
            self.workers.push(worker);
        }
    }

    fn hand_over(&mut self, job: Job<E>) -> Piece<E> {
        match &self.jobs {
            Some(jobs) if !self.workers.is_empty() => {
                let (answer, outcome) = channel();
                self.queue.length.fetch_add(1, Ordering::Relaxed);
                // the other end lives as long as this one
                drop(jobs.send((job, answer)));
                Piece::Elsewhere(outcome)
            }
            _ => Piece::Here(job.done()),
        }
    }
}

impl<E: Entry> Job<E> {
    fn done(self) -> Outcome<E> {
        let work = || self.preparation.prepare(self.position, self.entries);
        catch_unwind(AssertUnwindSafe(work))
    }
}

/// Does one piece after another until no more can come; those that were begun are done.
fn work<E: Entry>(queue: &Queue<E>) {
    loop {
        let orders = queue.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok((job, answer)) = orders.recv() else {
            return;
        };
        drop(orders);
        queue.length.fetch_sub(1, Ordering::Relaxed);
        // who no longer waits for it has no use for it
        drop(answer.send(job.done()));
    }
}

/// Returns the key that an entry opens a log with. Whether it does is the verifier's to say: what is
/// found out ahead counts only for a key that the verifier itself looks for.
fn opening_key<E: Entry>(entry: &E) -> Option<PublicKey> {
    match Event::parse(entry.line()).ok()?.body {
        Body::LedgerCreated(body) => PublicKey::from_openssh(&body.key.public).ok(),
        _ => None,
    }
}

impl<E> Drop for Pipeline<E> {
    fn drop(&mut self) {
        self.jobs = None;
        for worker in self.workers.drain(..) {
            drop(worker.join());
        }
    }
}

impl<E> fmt::Debug for Pipeline<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline")
            .field("threads", &self.threads)
            .field("pieces", &self.pieces.len())
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

impl<E> Pending<E> {
    /// Says whether [`Pending::wait`] returns at once.
    #[must_use]
    pub fn is_here(&self) -> bool {
        self.0.iter().all(|piece| matches!(piece, Piece::Here(_)))
    }

    /// Waits for the entries and returns them in their order.
    ///
    /// # Panics
    ///
    /// With what a thread panicked with.
    pub fn wait(self) -> impl Iterator<Item = Prepared<E>> {
        // who waits for the last piece is seldom woken for those before
        let outcomes: Vec<_> = self.0.into_iter().rev().map(Piece::wait).collect();
        let pieces = outcomes.into_iter().rev();
        pieces.flat_map(|outcome| outcome.unwrap_or_else(|panic| resume_unwind(panic)))
    }
}

impl<E> Piece<E> {
    fn wait(self) -> Outcome<E> {
        match self {
            Self::Here(outcome) => outcome,
            Self::Elsewhere(outcome) => outcome.recv().unwrap_or_else(|_| Err(Box::new(GONE))),
        }
    }
}
