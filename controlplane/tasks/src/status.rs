//! How each task's last run went.

use kill_wire::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The last run of one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskStatus {
    /// The task.
    pub name: &'static str,
    /// When it last ran.
    pub at: Timestamp,
    /// What it has done since it started, in words.
    pub done: String,
    /// Why the last run failed; `None` when it did not.
    pub problem: Option<String>,
}

/// The newest status of every task.
#[derive(Clone, Debug, Default)]
pub(crate) struct Board(Arc<Mutex<BTreeMap<&'static str, TaskStatus>>>);

impl Board {
    /// Replaces the task's status. A problem is logged when it begins, not at every run that meets it.
    pub(crate) fn put(&self, status: TaskStatus) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().cloned().collect()
    }

    /// What does not work now, in words.
    pub(crate) fn problems(&self) -> Vec<String> {
        let failing = |status: TaskStatus| Some(format!("{}: {}", status.name, status.problem?));
        self.all().into_iter().filter_map(failing).collect()
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
