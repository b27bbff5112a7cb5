//! How hosts did over time: every report for two hours, then means of a minute, a quarter of an hour and an hour.

use crate::columns::{to_column, to_time};
use crate::error::{StoreError, Tried};
use crate::open::Store;
use kill_wire::Timestamp;
use net_model::{Gauges, HistoryStep, HostName, HostSample};
use std::ops::RangeInclusive;

/// Adds the reports that are in no mean yet to the means of one length. A mean that is there already is weighed with the
/// reports it was made of, so that a report that comes a day late counts as much as any other.
const FOLD: &str = "insert into host_samples as s
   (step, host, at, reports, cpu_ppm, cpu_most_ppm, memory_ppm, disk_ppm, temp_mc, gpu_ppm, vram_ppm, rx_bps, tx_bps)
 select $1, host, at / $1 * $1, count(*), cast(avg(cpu_ppm) as integer), max(cpu_ppm), cast(avg(memory_ppm) as integer),
   max(disk_ppm), max(temp_mc), cast(avg(gpu_ppm) as integer), max(vram_ppm), cast(avg(rx_bps) as integer),
   cast(avg(tx_bps) as integer)
 from host_reports where folded = 0 group by host, at / $1
 on conflict (step, host, at) do update set
   reports = s.reports + excluded.reports,
   cpu_ppm = (coalesce(s.cpu_ppm, excluded.cpu_ppm) * s.reports + coalesce(excluded.cpu_ppm, s.cpu_ppm) * excluded.reports)
     / (s.reports + excluded.reports),
   cpu_most_ppm = case when s.cpu_most_ppm > excluded.cpu_most_ppm or excluded.cpu_most_ppm is null
     then s.cpu_most_ppm else excluded.cpu_most_ppm end,
   memory_ppm = (coalesce(s.memory_ppm, excluded.memory_ppm) * s.reports
     + coalesce(excluded.memory_ppm, s.memory_ppm) * excluded.reports) / (s.reports + excluded.reports),
   disk_ppm = case when s.disk_ppm > excluded.disk_ppm or excluded.disk_ppm is null then s.disk_ppm
     else excluded.disk_ppm end,
   temp_mc = case when s.temp_mc > excluded.temp_mc or excluded.temp_mc is null then s.temp_mc else excluded.temp_mc end,
   gpu_ppm = (coalesce(s.gpu_ppm, excluded.gpu_ppm) * s.reports + coalesce(excluded.gpu_ppm, s.gpu_ppm) * excluded.reports)
     / (s.reports + excluded.reports),
   vram_ppm = case when s.vram_ppm > excluded.vram_ppm or excluded.vram_ppm is null then s.vram_ppm
     else excluded.vram_ppm end,
   rx_bps = (coalesce(s.rx_bps, excluded.rx_bps) * s.reports + coalesce(excluded.rx_bps, s.rx_bps) * excluded.reports)
     / (s.reports + excluded.reports),
   tx_bps = (coalesce(s.tx_bps, excluded.tx_bps) * s.reports + coalesce(excluded.tx_bps, s.tx_bps) * excluded.reports)
     / (s.reports + excluded.reports)";

type Row = (
    i64,
    i64,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
);

impl Store {
    /// Puts every report that is in no mean yet into the means, each exactly once. Returns how many there were.
    pub async fn fold_reports(&self) -> Result<u64, StoreError> {
        let begun = self.writer.begin_with("begin immediate").await;
        let mut tx = begun.tried("begin to add up reports")?;
        for step in HistoryStep::MEANS {
            let folded = sqlx::query(FOLD).bind(to_column(step.millis()));
            let folded = folded.execute(&mut *tx).await;
            folded.tried("add up reports")?;
        }
        let done = sqlx::query("update host_reports set folded = 1 where folded = 0")
            .execute(&mut *tx)
            .await
            .tried("mark reports as added up")?;
        tx.commit().await.tried("keep what reports add up to")?;
        Ok(done.rows_affected())
    }

    /// Removes what is older than each length of history is kept; returns how many points. Reports that are in no mean
    /// yet stay.
    pub async fn purge_history(&self, now: Timestamp) -> Result<u64, StoreError> {
        let before = |step: HistoryStep| to_column(now.millis().saturating_sub(step.kept_millis()));
        let done = sqlx::query("delete from host_reports where at < $1 and folded = 1")
            .bind(before(HistoryStep::Report))
            .execute(&self.writer)
            .await
            .tried("remove old reports")?;
        let mut removed = done.rows_affected();
        for step in HistoryStep::MEANS {
            let done = sqlx::query("delete from host_samples where step = $1 and at < $2")
                .bind(to_column(step.millis()))
                .bind(before(step))
                .execute(&self.writer)
                .await
                .tried("remove old history")?;
            removed += done.rows_affected();
        }
        Ok(removed)
    }

    /// How a host did since then, oldest first, at most the newest `limit` points.
    pub async fn host_history(
        &self,
        host: &HostName,
        step: HistoryStep,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<HostSample>, StoreError> {
        let for_ever = Timestamp::from_millis(u64::MAX);
        self.host_history_between(host, step, since..=for_ever, limit)
            .await
    }

    /// The same of a stretch of time, both ends included.
    pub async fn host_history_between(
        &self,
        host: &HostName,
        step: HistoryStep,
        between: RangeInclusive<Timestamp>,
        limit: u32,
    ) -> Result<Vec<HostSample>, StoreError> {
        let sql = match step {
            HistoryStep::Report => {
                "select at, 1, cpu_ppm, cpu_ppm, memory_ppm, disk_ppm, temp_mc, gpu_ppm, vram_ppm, rx_bps, tx_bps
                 from host_reports where host = $1 and at >= $2 and at <= $3 and $4 > 0 order by at desc limit $5"
            }
            HistoryStep::Minute | HistoryStep::Quarter | HistoryStep::Hour => {
                "select at, reports, cpu_ppm, cpu_most_ppm, memory_ppm, disk_ppm, temp_mc, gpu_ppm, vram_ppm, rx_bps,
                   tx_bps
                 from host_samples where host = $1 and at >= $2 and at <= $3 and step = $4 order by at desc limit $5"
            }
        };
        let rows: Vec<Row> = sqlx::query_as(sql)
            .bind(host.as_str())
            .bind(to_column(between.start().millis()))
            .bind(to_column(between.end().millis()))
            .bind(to_column(step.millis()))
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await
            .tried("read a host's history")?;
        Ok(rows.into_iter().rev().map(sample).collect())
    }
}

fn sample(row: Row) -> HostSample {
    let (at, reports, cpu_ppm, cpu_most_ppm, memory_ppm, disk_ppm, temp_mc, gpu, vram, rx, tx) =
        row;
    HostSample {
        at: to_time(at),
        reports: reports.unsigned_abs(),
        gauges: Gauges {
            cpu_ppm,
            memory_ppm,
            disk_ppm,
            temp_mc,
            gpu_ppm: gpu,
            vram_ppm: vram,
            rx_bps: rx,
            tx_bps: tx,
        },
        cpu_most_ppm,
    }
}
