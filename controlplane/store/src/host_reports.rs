//! What hosts reported: the newest of each, and every report as a point of its history.

use crate::columns::to_column;
use crate::driving;
use crate::error::{StoreError, Tried};
use crate::open::Store;
use kill_wire::Timestamp;
use net_model::report::BootId;
use net_model::{Gauges, HostLatest, HostName};
use sqlx::{QueryBuilder, Sqlite, Transaction};

/// Rows of one statement: thirty-two thousand values is the most that SQLite binds.
const ROWS: usize = 256;

/// What one writing keeps: the points of many hosts, and what is now the newest of each of them.
#[derive(Clone, Debug, Default)]
pub struct ReportBatch {
    /// A point for each report.
    pub points: Vec<HostPoint>,
    /// The newest of each host, with its facts as JSON.
    pub latest: Vec<(HostLatest, String)>,
    /// Digests of models that a host was seen with for the first time.
    pub models: Vec<SeenModel>,
}

/// One report as a point of its host's history.
#[derive(Clone, Debug)]
pub struct HostPoint {
    /// Whose.
    pub host: HostName,
    /// When it was measured.
    pub at: Timestamp,
    /// The figures.
    pub gauges: Gauges,
}

/// A model on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenModel {
    /// Where.
    pub host: HostName,
    /// What it is.
    pub digest: String,
    /// What it is called there.
    pub name: String,
    /// When it was seen first.
    pub since: Timestamp,
}

/// How far the reports of a host have come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportMark {
    /// Whose.
    pub host: HostName,
    /// Number of the newest.
    pub seq: u64,
    /// Which start of the machine it came from.
    pub boot: BootId,
    /// Milliseconds since that start.
    pub up_ms: u64,
    /// When it came.
    pub at: Timestamp,
    /// Reports that never came.
    pub lost: u64,
    /// Reports that were refused.
    pub refused: u64,
}

impl Store {
    /// Keeps what many hosts reported, all of it or nothing.
    pub async fn keep_reports(&self, batch: &ReportBatch) -> Result<(), StoreError> {
        let begun = self.writer.begin_with("begin immediate").await;
        let mut tx = begun.tried("begin to keep reports")?;
        for points in batch.points.chunks(ROWS) {
            keep_points(&mut tx, points).await?;
        }
        for latest in batch.latest.chunks(ROWS) {
            keep_latest(&mut tx, latest).await?;
        }
        for model in &batch.models {
            sqlx::query(
                "insert into host_models (host, digest, name, since) values ($1, $2, $3, $4)
                 on conflict (host, digest) do nothing",
            )
            .bind(model.host.as_str())
            .bind(&model.digest)
            .bind(&model.name)
            .bind(to_column(model.since.millis()))
            .execute(&mut *tx)
            .await
            .tried("keep what models a host has")?;
        }
        tx.commit().await.tried("keep reports")
    }

    /// Where the reports of every host stand.
    pub async fn report_marks(&self) -> Result<Vec<ReportMark>, StoreError> {
        let rows: Vec<(String, i64, String, i64, i64, i64, i64)> =
            sqlx::query_as("select host, seq, boot, up_ms, at, lost, refused from host_latest")
                .fetch_all(&self.readers)
                .await
                .tried("read how far reports have come")?;
        rows.into_iter()
            .map(|(host, seq, boot, up_ms, at, lost, refused)| {
                Ok(ReportMark {
                    host: host.parse().map_err(|_| StoreError::Row("host name"))?,
                    seq: seq.unsigned_abs(),
                    boot: BootId::try_from(boot).map_err(|_| StoreError::Row("boot id"))?,
                    up_ms: up_ms.unsigned_abs(),
                    at: Timestamp::from_millis(at.unsigned_abs()),
                    lost: lost.unsigned_abs(),
                    refused: refused.unsigned_abs(),
                })
            })
            .collect()
    }

    /// The newest facts of every host as JSON, and when they came.
    pub async fn host_facts(&self) -> Result<Vec<(HostName, Timestamp, String)>, StoreError> {
        let rows: Vec<(String, i64, String)> =
            sqlx::query_as("select host, at, facts from host_latest order by host")
                .fetch_all(&self.readers)
                .await
                .tried("read the facts of hosts")?;
        rows.into_iter()
            .map(|(host, at, facts)| {
                let host = host.parse().map_err(|_| StoreError::Row("host name"))?;
                Ok((host, Timestamp::from_millis(at.unsigned_abs()), facts))
            })
            .collect()
    }

    /// The newest facts, as JSON, of hosts that say that they reached something; at most `limit`.
    pub async fn facts_that_reach(
        &self,
        limit: u32,
    ) -> Result<Vec<(HostName, String)>, StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "select host, facts from host_latest where facts like '%\"found\":\"open\"%' order by host limit $1",
        )
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .tried("read what hosts reached")?;
        rows.into_iter()
            .map(|(host, facts)| {
                let host = host.parse().map_err(|_| StoreError::Row("host name"))?;
                Ok((host, facts))
            })
            .collect()
    }

    /// Every model that every host was seen with.
    pub async fn host_models(&self) -> Result<Vec<SeenModel>, StoreError> {
        let rows: Vec<(String, String, String, i64)> =
            sqlx::query_as("select host, digest, name, since from host_models")
                .fetch_all(&self.readers)
                .await
                .tried("read which models hosts have")?;
        rows.into_iter()
            .map(|(host, digest, name, since)| {
                Ok(SeenModel {
                    host: host.parse().map_err(|_| StoreError::Row("host name"))?,
                    digest,
                    name,
                    since: Timestamp::from_millis(since.unsigned_abs()),
                })
            })
            .collect()
    }

    /// Removes everything a host reported: it has left, or begins anew.
    pub async fn forget_reports(&self, host: &HostName) -> Result<(), StoreError> {
        let begun = self.writer.begin_with("begin immediate").await;
        let mut tx = begun.tried("begin to forget a host")?;
        for sql in [
            "delete from host_latest where host = $1",
            "delete from host_reports where host = $1",
            "delete from host_samples where host = $1",
            "delete from host_models where host = $1",
        ] {
            let done = sqlx::query(sql).bind(host.as_str()).execute(&mut *tx);
            done.await.tried("forget a host")?;
        }
        tx.commit().await.tried("forget a host")
    }
}

/// A host has another name: what it reported goes with it, in the transaction that renames it.
pub(crate) async fn rename(
    tx: &mut Transaction<'_, Sqlite>,
    old: &HostName,
    new: &HostName,
) -> Result<(), StoreError> {
    for sql in [
        "update host_latest set host = $2 where host = $1",
        "update host_reports set host = $2 where host = $1",
        "update host_samples set host = $2 where host = $1",
        "update host_models set host = $2 where host = $1",
        "update alerts set host = $2 where host = $1",
    ] {
        let done = sqlx::query(sql).bind(old.as_str()).bind(new.as_str());
        done.execute(&mut **tx).await.tried("rename a host")?;
    }
    Ok(())
}

async fn keep_points(
    tx: &mut Transaction<'_, Sqlite>,
    points: &[HostPoint],
) -> Result<(), StoreError> {
    let mut sql = QueryBuilder::new(
        "insert into host_reports (host, at, cpu_ppm, memory_ppm, disk_ppm, temp_mc, gpu_ppm, vram_ppm, rx_bps, tx_bps) ",
    );
    sql.push_values(points, |mut row, point| {
        let gauges = &point.gauges;
        row.push_bind(point.host.as_str().to_owned())
            .push_bind(to_column(point.at.millis()))
            .push_bind(gauges.cpu_ppm)
            .push_bind(gauges.memory_ppm)
            .push_bind(gauges.disk_ppm)
            .push_bind(gauges.temp_mc)
            .push_bind(gauges.gpu_ppm)
            .push_bind(gauges.vram_ppm)
            .push_bind(gauges.rx_bps)
            .push_bind(gauges.tx_bps);
    });
    sql.push(" on conflict (host, at) do nothing");
    let done = sql.build().execute(&mut **tx).await;
    done.tried("keep points of history").map(|_| ())
}

async fn keep_latest(
    tx: &mut Transaction<'_, Sqlite>,
    latest: &[(HostLatest, String)],
) -> Result<(), StoreError> {
    let mut sql = QueryBuilder::new(
        "insert into host_latest (host, at, seq, boot, up_ms, claimed_at, lost, refused, cpu_ppm, memory_ppm, disk_ppm,
          temp_mc, gpu_ppm, vram_ppm, posture_fail, posture_unknown, version, facts, drives, address, dial, certificate_ends) ",
    );
    sql.push_values(latest, |mut row, (latest, facts)| {
        let (seen, gauges) = (&latest.seen, &latest.gauges);
        row.push_bind(latest.host.as_str().to_owned())
            .push_bind(to_column(seen.at.millis()))
            .push_bind(to_column(latest.seq))
            .push_bind(latest.boot.to_string())
            .push_bind(to_column(latest.up_ms))
            .push_bind(to_column(latest.claimed_at.millis()))
            .push_bind(to_column(seen.lost))
            .push_bind(to_column(seen.refused))
            .push_bind(gauges.cpu_ppm)
            .push_bind(gauges.memory_ppm)
            .push_bind(gauges.disk_ppm)
            .push_bind(gauges.temp_mc)
            .push_bind(gauges.gpu_ppm)
            .push_bind(gauges.vram_ppm)
            .push_bind(latest.posture_fail)
            .push_bind(latest.posture_unknown)
            .push_bind(latest.version.clone())
            .push_bind(facts.clone())
            .push_bind(i64::from(facts.contains(driving::SAYS)))
            .push_bind(seen.address.to_string())
            .push_bind(seen.dial.as_str())
            .push_bind(seen.certificate_ends.map(|at| to_column(at.millis())));
    });
    sql.push(
        " on conflict (host) do update set at = excluded.at, seq = excluded.seq, boot = excluded.boot,
          up_ms = excluded.up_ms, claimed_at = excluded.claimed_at, lost = excluded.lost, refused = excluded.refused,
          cpu_ppm = excluded.cpu_ppm, memory_ppm = excluded.memory_ppm, disk_ppm = excluded.disk_ppm,
          temp_mc = excluded.temp_mc, gpu_ppm = excluded.gpu_ppm, vram_ppm = excluded.vram_ppm,
          posture_fail = excluded.posture_fail, posture_unknown = excluded.posture_unknown, version = excluded.version,
          facts = excluded.facts, drives = excluded.drives, address = excluded.address, dial = excluded.dial,
          certificate_ends = excluded.certificate_ends",
    );
    let done = sql.build().execute(&mut **tx).await;
    done.tried("keep the newest of hosts").map(|_| ())
}
