//! Rings when a job is due, by `tokio-cron-scheduler`. It only rings: a ring that finds the job still ringing is dropped.
//!
//! Of the crate only cron expressions in UTC are used, and nothing of it runs a job: it waits for no job, and its interval
//! jobs can stop for ever after a delay.

use kill_wire::Timestamp;
use tokio::sync::mpsc;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// The bells of all jobs.
pub(crate) struct Schedule(JobScheduler);

impl Schedule {
    /// Rings the number of each of these expressions, until it is stopped.
    pub(crate) async fn start(
        crons: Vec<String>,
        bell: &mpsc::Sender<usize>,
    ) -> Result<(Self, Vec<(usize, uuid::Uuid)>), JobSchedulerError> {
        let scheduler = JobScheduler::new().await?;
        let mut known = Vec::new();
        for (number, cron) in crons.into_iter().enumerate() {
            let bell = bell.clone();
            let job = Job::new(cron.as_str(), move |_, _| {
                // Full: it rings already.
                let _already = bell.try_send(number);
            })?;
            known.push((number, scheduler.add(job).await?));
        }
        scheduler.start().await?;
        Ok((Self(scheduler), known))
    }

    /// When it rings next.
    pub(crate) async fn next(&mut self, job: uuid::Uuid) -> Option<Timestamp> {
        let next = self.0.next_tick_for_job(job).await.ok()??;
        let millis = u64::try_from(next.timestamp_millis()).ok()?;
        Some(Timestamp::from_millis(millis))
    }

    pub(crate) async fn stop(mut self) {
        if let Err(error) = self.0.shutdown().await {
            tracing::debug!(%error, "The scheduler did not stop.");
        }
    }
}

/// Why a text is no cron expression with seconds; none when it is one.
#[must_use]
pub fn wrong_schedule(text: &str) -> Option<String> {
    Job::new(text, |_, _| {})
        .err()
        .map(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_has_seconds_first() {
        assert_eq!(wrong_schedule("0 0 9 * * Mon"), None);
        assert!(wrong_schedule("every monday").is_some());
        assert!(wrong_schedule("61 0 9 * * Mon").is_some());
    }
}
