//! How the last run of each scheduled job went: it outlives a restart, so that a missed run is seen and made up for.

use crate::columns::{to_column, to_time};
use crate::error::{StoreError, Tried};
use crate::open::Store;
use net_model::JobView;

type Row = (
    String,
    String,
    i64,
    i64,
    String,
    Option<String>,
    Option<i64>,
);

impl Store {
    /// Keeps how a job's last run went. One that has not run yet is not kept.
    pub async fn keep_job(&self, job: &JobView) -> Result<(), StoreError> {
        let Some(last) = job.last else {
            return Ok(());
        };
        sqlx::query(
            "insert into jobs (name, schedule, last, took_ms, done, problem, next) values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (name) do update set schedule = excluded.schedule, last = excluded.last,
               took_ms = excluded.took_ms, done = excluded.done, problem = excluded.problem, next = excluded.next",
        )
        .bind(&job.name)
        .bind(&job.schedule)
        .bind(to_column(last.millis()))
        .bind(to_column(job.took_ms))
        .bind(&job.done)
        .bind(&job.problem)
        .bind(job.next.map(|at| to_column(at.millis())))
        .execute(&self.writer)
        .await
        .tried("keep how a job went")?;
        Ok(())
    }

    /// Every job's last run, by name.
    pub async fn jobs(&self) -> Result<Vec<JobView>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "select name, schedule, last, took_ms, done, problem, next from jobs order by name",
        )
        .fetch_all(&self.readers)
        .await
        .tried("read how jobs went")?;
        let view = |(name, schedule, last, took_ms, done, problem, next): Row| JobView {
            name,
            schedule,
            last: Some(to_time(last)),
            took_ms: took_ms.unsigned_abs(),
            done,
            problem,
            next: next.map(to_time),
        };
        Ok(rows.into_iter().map(view).collect())
    }
}
