//! How each task's last run went.

use kill_wire::Timestamp;
use net_model::JobView;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// The last run of one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskStatus {
    /// The task.
    pub name: &'static str,
    /// When it runs, for people.
    pub schedule: &'static str,
    /// When it last ran.
    pub at: Timestamp,
    /// What it has done since it started, in words.
    pub done: String,
    /// Why the last run failed; `None` when it did not.
    pub problem: Option<String>,
}

/// The newest status of every task.
#[derive(Clone, Debug, Default)]
pub(crate) struct Board {
    tasks: Arc<Mutex<BTreeMap<&'static str, TaskStatus>>>,
    jobs: Arc<Mutex<BTreeMap<String, JobView>>>,
    bell: Arc<Mutex<Option<Bell>>>,
}

/// Rings for a job out of its time.
#[derive(Clone, Debug)]
pub(crate) struct Bell {
    names: Vec<&'static str>,
    rings: mpsc::Sender<usize>,
}

impl Bell {
    /// For jobs of these names, by their places.
    pub(crate) fn new(names: Vec<&'static str>, rings: mpsc::Sender<usize>) -> Self {
        Self { names, rings }
    }
}

/// Why a job was not rung for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRung {
    /// There is no such job.
    #[error("there is no job of that name that can be run out of its time")]
    Unknown,
    /// So many wait already.
    #[error("too many jobs wait to be run; look again in a minute")]
    Busy,
}

impl Board {
    /// Replaces the task's status. A problem is logged when it begins, not at every run that meets it.
    pub(crate) fn put(&self, status: TaskStatus) {
        let mut all = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let task = status.name;
        let before = all.get(task).and_then(|status| status.problem.clone());
        match (&before, &status.problem) {
            (None, Some(problem)) => {
                tracing::warn!(task, problem, "A task failed; it goes on trying.")
            }
            (Some(_), None) => tracing::info!(task, "The task works again."),
            (None, None) | (Some(_), Some(_)) => {}
        }
        all.insert(task, status);
    }

    pub(crate) fn all(&self) -> Vec<TaskStatus> {
        let all = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().cloned().collect()
    }

    /// Who is rung when a job shall run now.
    pub(crate) fn put_bell(&self, bell: Bell) {
        *self.bell.lock().unwrap_or_else(PoisonError::into_inner) = Some(bell);
    }

    /// Has a job run as soon as the one that runs is done.
    pub(crate) fn ring(&self, name: &str) -> Result<(), NotRung> {
        let bell = self.bell.lock().unwrap_or_else(PoisonError::into_inner);
        let bell = bell.as_ref().ok_or(NotRung::Unknown)?;
        let place = bell.names.iter().position(|it| *it == name);
        let place = place.ok_or(NotRung::Unknown)?;
        bell.rings.try_send(place).map_err(|_| NotRung::Busy)
    }

    /// Whether a job can be run out of its time.
    pub(crate) fn rings(&self, name: &str) -> bool {
        let bell = self.bell.lock().unwrap_or_else(PoisonError::into_inner);
        bell.as_ref().is_some_and(|bell| bell.names.contains(&name))
    }

    /// Replaces how a scheduled job's last run went.
    pub(crate) fn put_job(&self, job: JobView) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        match (
            jobs.get(&job.name).and_then(|it| it.problem.as_ref()),
            &job.problem,
        ) {
            (None, Some(problem)) => tracing::warn!(job = job.name, problem, "A job failed."),
            (Some(_), None) => tracing::info!(job = job.name, "The job works again."),
            (None, None) | (Some(_), Some(_)) => {}
        }
        jobs.insert(job.name.clone(), job);
    }

    /// Everything the control plane does by itself: jobs by the clock, then tasks that run all the time.
    pub(crate) fn jobs(&self) -> Vec<JobView> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<JobView> = jobs.values().cloned().collect();
        drop(jobs);
        all.extend(self.all().into_iter().map(|task| JobView {
            name: task.name.to_owned(),
            schedule: task.schedule.to_owned(),
            last: Some(task.at),
            took_ms: 0,
            done: task.done,
            problem: task.problem,
            next: None,
        }));
        all
    }

    /// What does not work now, in words.
    pub(crate) fn problems(&self) -> Vec<String> {
        let failing = |status: TaskStatus| Some(format!("{}: {}", status.name, status.problem?));
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let jobs = jobs
            .values()
            .filter_map(|job| Some(format!("{}: {}", job.name, job.problem.as_ref()?)));
        self.all()
            .into_iter()
            .filter_map(failing)
            .chain(jobs)
            .collect()
    }
}

/// An error and all its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
