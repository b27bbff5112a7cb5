//! Writes latch and journal on a thread of its own, so that a slow or dead disk never delays a cut.
//!
//! A cut writes the latch first, a restore writes the journal first. What cannot be written is kept in memory,
//! tried again with the next write, and said in `problem`.

use crate::event::Event;
use crate::journal::{Head, Journal};
use kill_files::{Reserve, Slots};
use kill_wire::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use tokio::sync::oneshot;

/// Entries kept while the disk refuses them.
const MAX_UNWRITTEN: usize = 1_000;

/// What a latch slot holds: the memory of the core and where the journal stood.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SlotForm<M> {
    pub(crate) journal: Head,
    pub(crate) memory: M,
}

/// Which of the two files must stand first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    /// A cut: the latch holds after the next line of code, whatever the journal does.
    Latch,
    /// A restore: no trace, no opening.
    Journal,
}

struct Job {
    at: Timestamp,
    memory: String,
    events: Vec<Event>,
    first: First,
    done: oneshot::Sender<Result<(), String>>,
}

/// Hands work to the writing thread.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    jobs: mpsc::Sender<Job>,
    status: Arc<Mutex<Status>>,
}

/// How the writing goes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Status {
    pub(crate) entries: u64,
    pub(crate) problem: Option<String>,
}

impl Recorder {
    /// Starts the thread `recorder`; it ends when the last `Recorder` is dropped.
    pub(crate) fn start(files: Files) -> io::Result<(Self, std::thread::JoinHandle<()>)> {
        let (jobs, inbox) = mpsc::channel::<Job>();
        let status = Arc::new(Mutex::new(Status {
            entries: files.entries(),
            problem: files.problem(),
        }));
        let shared = Arc::clone(&status);
        let thread = std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || {
                let mut files = files;
                while let Ok(job) = inbox.recv() {
                    let outcome = files.carry_out(&job);
                    *shared.lock().unwrap_or_else(PoisonError::into_inner) = Status {
                        entries: files.entries(),
                        problem: files.problem(),
                    };
                    // The asker may have stopped waiting; the writing is done all the same.
                    drop(job.done.send(outcome.map_err(|why| why.to_string())));
                    if job.first == First::Latch {
                        files.settle(&job.memory);
                    }
                }
            })?;
        Ok((Self { jobs, status }, thread))
    }

    /// Queues a write at once; the answer tells when it stands on disk.
    pub(crate) fn write(
        &self,
        at: Timestamp,
        memory: String,
        events: Vec<Event>,
        first: First,
    ) -> oneshot::Receiver<Result<(), String>> {
        let (done, answer) = oneshot::channel();
        // A dead thread drops `done`, which the asker sees as a failure.
        drop(self.jobs.send(Job {
            at,
            memory,
            events,
            first,
            done,
        }));
        answer
    }

    pub(crate) fn status(&self) -> Status {
        self.status
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The files of the thread. Either may be missing after damage; the other is still used.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) slots: Result<Slots, String>,
    pub(crate) journal: Result<Journal, String>,
    pub(crate) reserve: Option<Reserve>,
    unwritten: VecDeque<(Timestamp, Event)>,
    lost: u64,
    failing: Option<String>,
}

impl Files {
    pub(crate) fn new(
        slots: Result<Slots, String>,
        journal: Result<Journal, String>,
        reserve: Option<Reserve>,
    ) -> Self {
        Self {
            slots,
            journal,
            reserve,
            unwritten: VecDeque::new(),
            lost: 0,
            failing: None,
        }
    }

    fn entries(&self) -> u64 {
        self.journal.as_ref().map_or(0, |journal| journal.head().n)
    }

    fn problem(&self) -> Option<String> {
        let base = self.failing.clone()?;
        let kept = self.unwritten.len();
        Some(match (kept, self.lost) {
            (0, 0) => base,
            (kept, 0) => format!("{base}; {kept} journal entries wait in memory"),
            (kept, lost) => {
                format!("{base}; {kept} journal entries wait in memory, {lost} are lost")
            }
        })
    }

    fn carry_out(&mut self, job: &Job) -> io::Result<()> {
        let outcome = match job.first {
            First::Latch => {
                self.enqueue(job);
                let latch = self.write_slot(&job.memory);
                self.flush().and(latch)
            }
            First::Journal => {
                self.enqueue(job);
                match self.flush() {
                    Ok(()) => self.write_slot(&job.memory),
                    Err(why) => {
                        // Refused, so it did not happen: it must not be told later.
                        self.unwritten
                            .truncate(self.unwritten.len().saturating_sub(job.events.len()));
                        Err(why)
                    }
                }
            }
        };
        self.failing = outcome
            .as_ref()
            .err()
            .map(|why| format!("state cannot be written: {why}"));
        outcome
    }

    /// Puts the journal's new end into the latch file, so that a journal cut short is noticed. Nobody waits for this.
    fn settle(&mut self, memory: &str) {
        if let Err(why) = self.write_slot(memory) {
            self.failing = Some(format!("state cannot be written: {why}"));
        } else if let (Some(reserve), None) = (&mut self.reserve, &self.failing) {
            // A reserve that cannot be made again is no reason to stop.
            drop(reserve.refill());
        }
    }

    fn enqueue(&mut self, job: &Job) {
        for event in &job.events {
            if self.unwritten.len() >= MAX_UNWRITTEN {
                self.unwritten.pop_front();
                self.lost += 1;
            }
            self.unwritten.push_back((job.at, event.clone()));
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let journal = self
            .journal
            .as_mut()
            .map_err(|why| io::Error::other(why.clone()))?;
        while let Some((at, event)) = self.unwritten.front() {
            if let Err(why) = journal.append(*at, event) {
                let Some(reserve) = self
                    .reserve
                    .as_mut()
                    .filter(|_| why.kind() == io::ErrorKind::StorageFull)
                else {
                    return Err(why);
                };
                reserve.release()?;
                journal.append(*at, event)?;
            }
            self.unwritten.pop_front();
        }
        Ok(())
    }

    fn write_slot(&mut self, memory: &str) -> io::Result<()> {
        let head = self
            .journal
            .as_ref()
            .map(|journal| journal.head().clone())
            .unwrap_or_default();
        let memory: Box<serde_json::value::RawValue> = serde_json::from_str(memory)?;
        let form = serde_json::to_vec_pretty(&SlotForm {
            journal: head,
            memory,
        })?;
        self.slots
            .as_mut()
            .map_err(|why| io::Error::other(why.clone()))?
            .write(&form)
    }
}
