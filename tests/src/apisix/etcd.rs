//! Twin of etcd as APISIX uses it: one map, a revision, and workers that follow with a delay of their own.
//!
//! A worker sees every write it is due to see when it next looks; nothing runs in between. What is written while
//! etcd hangs waits in a queue and is written when etcd is back, whether or not anybody still waits for the answer.

use super::clock;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::oneshot, time::Instant};

/// Everything that is stored, by its key without the prefix: `/routes/llm`.
pub(super) type Objects = BTreeMap<String, Arc<Object>>;

/// One stored thing.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Object {
    pub(super) value: Value,
    pub(super) created: u64,
    pub(super) modified: u64,
}

/// How etcd fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EtcdState {
    /// Answers, and the workers follow.
    #[default]
    Up,
    /// Takes requests and answers none; the workers keep what they have.
    Hung,
    /// Answers, but the workers' watch is dead: they keep what they have (apache/apisix#11144).
    Stale,
}

/// How long a write takes to reach the workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lags {
    /// A set, until the first worker has it.
    pub set: Duration,
    /// A delete, until the first worker has it.
    pub delete: Duration,
    /// How much later each further worker has it.
    pub spread: Duration,
}

impl Default for Lags {
    /// The medians that were measured with a real one.
    fn default() -> Self {
        Self {
            set: Duration::from_millis(9),
            delete: Duration::from_millis(120),
            spread: Duration::from_millis(5),
        }
    }
}

impl Lags {
    /// No delay at all.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            set: Duration::ZERO,
            delete: Duration::ZERO,
            spread: Duration::ZERO,
        }
    }
}

struct Event {
    /// When each worker has it.
    due: Vec<Instant>,
    revision: u64,
    objects: Arc<Objects>,
}

/// What an answer of the admin API is made of.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Option<Value>,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Answer {
    pub(super) const fn new(status: u16, body: Value) -> Self {
        Self {
            status,
            body: Some(body),
            headers: Vec::new(),
        }
    }

    pub(super) fn wrong(status: u16, text: impl Into<String>) -> Self {
        Self::new(status, json!({ "error_msg": text.into() }))
    }
}

type Job = Box<dyn FnOnce(&mut Etcd) -> Answer + Send>;

/// Either the answer, or where it will come when etcd is back.
pub(super) enum Asked {
    Now(Answer),
    Later(oneshot::Receiver<Answer>),
}

pub(super) struct Etcd {
    pub(super) state: EtcdState,
    pub(super) lags: Lags,
    pub(super) revision: u64,
    objects: Arc<Objects>,
    events: VecDeque<Event>,
    /// What each worker last saw, with its revision.
    seen: Vec<(u64, Arc<Objects>)>,
    waiting: VecDeque<(Job, oneshot::Sender<Answer>)>,
}

impl std::fmt::Debug for Etcd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Etcd")
            .field("state", &self.state)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

impl Etcd {
    pub(super) fn new(workers: usize, lags: Lags) -> Self {
        Self {
            state: EtcdState::Up,
            lags,
            revision: 1,
            objects: Arc::default(),
            events: VecDeque::new(),
            seen: vec![(1, Arc::default()); workers],
            waiting: VecDeque::new(),
        }
    }

    pub(super) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// Does the job now, or when etcd is back.
    pub(super) fn ask(&mut self, job: impl FnOnce(&mut Self) -> Answer + Send + 'static) -> Asked {
        if self.state != EtcdState::Hung {
            return Asked::Now(job(self));
        }
        let (tell, told) = oneshot::channel();
        self.waiting.push_back((Box::new(job), tell));
        Asked::Later(told)
    }

    /// Changes how etcd fares; one that is back first does what waited for it, and the workers take it all in.
    pub(super) fn turn(&mut self, state: EtcdState) {
        let before = std::mem::replace(&mut self.state, state);
        if state != EtcdState::Hung {
            while let Some((job, tell)) = self.waiting.pop_front() {
                let answer = job(self);
                // Whoever asked may have given up long ago.
                let _gone = tell.send(answer);
            }
        }
        if before != EtcdState::Up && state == EtcdState::Up {
            self.publish(self.lags.set);
        }
    }

    /// How many requests wait for etcd.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn set(&mut self, key: &str, value: Value) -> Arc<Object> {
        self.revision += 1;
        let created = self
            .objects
            .get(key)
            .map_or(self.revision, |object| object.created);
        let object = Arc::new(Object {
            value,
            created,
            modified: self.revision,
        });
        Arc::make_mut(&mut self.objects).insert(key.to_owned(), Arc::clone(&object));
        self.publish(self.lags.set);
        object
    }

    pub(super) fn delete(&mut self, key: &str) -> bool {
        if !self.objects.contains_key(key) {
            return false;
        }
        self.revision += 1;
        Arc::make_mut(&mut self.objects).remove(key);
        self.publish(self.lags.delete);
        true
    }

    /// Puts everything in place of what is there, at once.
    pub(super) fn replace(&mut self, objects: Objects) {
        self.revision += 1;
        self.objects = Arc::new(objects);
        self.publish(self.lags.set);
    }

    fn publish(&mut self, lag: Duration) {
        let now = clock::now();
        let spread = self.lags.spread;
        let due = (0..self.seen.len())
            .map(|worker| {
                let further = u32::try_from(worker).unwrap_or(u32::MAX);
                now + lag + spread.saturating_mul(further)
            })
            .collect();
        self.events.push_back(Event {
            due,
            revision: self.revision,
            objects: Arc::clone(&self.objects),
        });
    }

    /// What this worker goes by now.
    pub(super) fn seen(&mut self, worker: usize) -> (u64, Arc<Objects>) {
        if self.state == EtcdState::Up {
            let now = clock::now();
            for at in 0..self.seen.len() {
                let due = |event: &&Event| event.due.get(at).is_some_and(|due| *due <= now);
                if let Some(event) = self.events.iter().rev().find(due)
                    && let Some(seen) = self.seen.get_mut(at)
                    && seen.0 < event.revision
                {
                    *seen = (event.revision, Arc::clone(&event.objects));
                }
            }
            let oldest = self.seen.iter().map(|seen| seen.0).min().unwrap_or(0);
            self.events.retain(|event| event.revision > oldest);
        }
        self.seen.get(worker).cloned().unwrap_or_default()
    }

    /// Whether some worker has yet to see the newest write.
    pub(super) fn behind(&mut self) -> bool {
        (0..self.seen.len()).any(|worker| self.seen(worker).0 < self.revision)
    }

    /// As after a restart of the gateway: every worker reads everything anew, where etcd answers.
    pub(super) fn reread(&mut self) {
        self.events.clear();
        for seen in &mut self.seen {
            *seen = match self.state {
                EtcdState::Hung => (0, Arc::default()),
                EtcdState::Up | EtcdState::Stale => (self.revision, Arc::clone(&self.objects)),
            };
        }
        if self.state == EtcdState::Stale {
            self.state = EtcdState::Up;
        }
    }
}
