//! The hosts of the house as lists show them: who was invited or joined, beside the newest that was heard of each.

use crate::columns::{to_column, to_time};
use crate::error::{StoreError, Tried};
use crate::hosts::HostState;
use crate::open::Store;
use kill_wire::Timestamp;
use net_model::report::BootId;
use net_model::{Dial, Gauges, HostLatest, HostName, HostRole, HostSeen, ZoneName};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

/// One host in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostLine {
    /// Its name.
    pub name: HostName,
    /// Where it stands.
    pub zone: ZoneName,
    /// What it is for, joined by commas.
    pub roles: String,
    /// Who dials.
    pub dial: Dial,
    /// Whether it may speak.
    pub state: HostState,
    /// When its newest certificate ends.
    pub certificate_ends: Option<Timestamp>,
    /// The newest that was heard of it.
    pub latest: Option<HostLatest>,
    /// Alerts that fire.
    pub alerts: u64,
}

/// In which state hosts of a list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostHealth {
    /// Reports, and nothing fires.
    Good,
    /// Joined, and not heard of lately.
    Silent,
    /// Something fires.
    Alerts,
    /// A check of its posture fails.
    Posture,
    /// Invited, not joined yet.
    Invited,
    /// Shut out.
    Revoked,
}

impl HostHealth {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Good,
        Self::Silent,
        Self::Alerts,
        Self::Posture,
        Self::Invited,
        Self::Revoked,
    ];

    /// As an address names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Silent => "silent",
            Self::Alerts => "alerts",
            Self::Posture => "posture",
            Self::Invited => "invited",
            Self::Revoked => "revoked",
        }
    }

    /// For people.
    #[must_use]
    pub const fn say(self) -> &'static str {
        match self {
            Self::Good => "reports, no alert",
            Self::Silent => "silent",
            Self::Alerts => "with alerts",
            Self::Posture => "posture fails",
            Self::Invited => "invited",
            Self::Revoked => "shut out",
        }
    }

    /// Of a host in `h`; `$4` is since when it must have been heard of.
    const fn condition(self) -> &'static str {
        match self {
            Self::Good => {
                "h.state = 'joined' and exists (select 1 from host_latest l where l.host = h.name and l.at >= $4)
                 and not exists (select 1 from alerts a where a.host = h.name and a.ended is null)"
            }
            Self::Silent => {
                "h.state = 'joined' and not exists (select 1 from host_latest l where l.host = h.name and l.at >= $4)"
            }
            Self::Alerts => {
                "$4 is not null and exists (select 1 from alerts a where a.host = h.name and a.ended is null)"
            }
            Self::Posture => {
                "$4 is not null and exists (select 1 from host_latest l where l.host = h.name and l.posture_fail > 0)"
            }
            Self::Invited => "$4 is not null and h.state = 'invited'",
            Self::Revoked => "$4 is not null and h.state = 'revoked'",
        }
    }
}

/// Which hosts of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostQuery {
    /// Of this zone.
    pub zone: Option<ZoneName>,
    /// With this role.
    pub role: Option<HostRole>,
    /// In this state.
    pub health: Option<HostHealth>,
    /// With this in their name, in small letters.
    pub name: Option<String>,
    /// A host that was not heard of since is silent.
    pub heard_since: Timestamp,
    /// Those behind the host of this zone and name only.
    pub after: Option<(ZoneName, HostName)>,
}

/// How many hosts of a zone are in which state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneCount {
    /// The zone.
    pub zone: ZoneName,
    /// Hosts that joined.
    pub joined: u64,
    /// Of these, heard of at `since` or later.
    pub heard: u64,
    /// Hosts that were invited or shut out.
    pub others: u64,
    /// Alerts that fire.
    pub alerts: u64,
}

/// Of each host in `h`. Whoever lists many cuts them to a page first: what is joined holds each host's whole report.
const LINES: &str = "select h.name, h.zone, h.roles, h.dial as wanted_dial, h.state, h.cert_not_after,
   (select count(*) from alerts a where a.host = h.name and a.ended is null) as firing,
   l.at, l.seq, l.boot, l.up_ms, l.claimed_at, l.lost, l.refused, l.cpu_ppm, l.memory_ppm, l.disk_ppm, l.temp_mc,
   l.gpu_ppm, l.vram_ppm, l.posture_fail, l.posture_unknown, l.version, l.address, l.dial, l.certificate_ends from ";
const LATEST: &str = "h left join host_latest l on l.host = h.name";

impl Store {
    /// Hosts by zone and name, those that are meant: `limit` of them after the first `skip`.
    pub async fn host_lines(
        &self,
        query: &HostQuery,
        skip: u32,
        limit: u32,
    ) -> Result<Vec<HostLine>, StoreError> {
        let health = query.health.map_or("$4 is not null", HostHealth::condition);
        let name = query.name.as_deref().map(|part| {
            let plain = part
                .replace('\\', "\\\\")
                .replace('%', "\\%")
                .replace('_', "\\_");
            format!("%{plain}%")
        });
        let sql = format!(
            "{LINES} (select h.* from hosts h where ($1 is null or h.zone = $1)
               and ($2 is null or ',' || h.roles || ',' like '%,' || $2 || ',%')
               and ($3 is null or h.name like $3 escape '\\') and ({health}) and ($7 is null or (h.zone, h.name) > ($7, $8))
               order by h.zone, h.name limit $5 offset $6) {LATEST}
             order by h.zone, h.name"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(query.zone.as_ref().map(ZoneName::as_str))
            .bind(query.role.map(|role| role.to_string()))
            .bind(name)
            .bind(to_column(query.heard_since.millis()))
            .bind(i64::from(limit))
            .bind(i64::from(skip))
            .bind(query.after.as_ref().map(|(zone, _)| zone.as_str()))
            .bind(query.after.as_ref().map(|(_, name)| name.as_str()))
            .fetch_all(&self.readers)
            .await
            .tried("list hosts")?;
        rows.iter().map(line).collect()
    }

    /// One host, and its newest facts as JSON.
    pub async fn host_line(
        &self,
        name: &HostName,
    ) -> Result<Option<(HostLine, Option<String>)>, StoreError> {
        let sql = format!("{LINES} hosts {LATEST} where h.name = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(name.as_str())
            .fetch_optional(&self.readers)
            .await
            .tried("look for a host")?;
        let Some(row) = row else { return Ok(None) };
        let facts: Option<String> =
            sqlx::query_scalar("select facts from host_latest where host = $1")
                .bind(name.as_str())
                .fetch_optional(&self.readers)
                .await
                .tried("read the facts of a host")?;
        Ok(Some((line(&row)?, facts)))
    }

    /// Every zone that has hosts, with how many.
    pub async fn zone_counts(&self, since: Timestamp) -> Result<Vec<ZoneCount>, StoreError> {
        let rows: Vec<(String, i64, i64, i64, i64)> = sqlx::query_as(
            "select h.zone, sum(case when h.state = 'joined' then 1 else 0 end),
               sum(case when h.state = 'joined' and l.at >= $1 then 1 else 0 end),
               sum(case when h.state = 'joined' then 0 else 1 end),
               coalesce(sum((select count(*) from alerts a where a.host = h.name and a.ended is null)), 0)
             from hosts h left join host_latest l on l.host = h.name group by h.zone order by h.zone",
        )
        .bind(to_column(since.millis()))
        .fetch_all(&self.readers)
        .await
        .tried("count hosts")?;
        rows.into_iter()
            .map(|(zone, joined, heard, others, alerts)| {
                Ok(ZoneCount {
                    zone: zone.parse().map_err(|_| StoreError::Row("zone name"))?,
                    joined: joined.unsigned_abs(),
                    heard: heard.unsigned_abs(),
                    others: others.unsigned_abs(),
                    alerts: alerts.unsigned_abs(),
                })
            })
            .collect()
    }
}

fn line(row: &SqliteRow) -> Result<HostLine, StoreError> {
    let name = text(row, "name")?;
    let name: HostName = name.parse().map_err(|_| StoreError::Row("host name"))?;
    let zone = text(row, "zone")?;
    let state = text(row, "state")?;
    let state = HostState::ALL.into_iter().find(|it| it.as_str() == state);
    Ok(HostLine {
        zone: zone.parse().map_err(|_| StoreError::Row("zone name"))?,
        roles: text(row, "roles")?,
        dial: dial(&text(row, "wanted_dial")?),
        state: state.ok_or(StoreError::Row("state of a host"))?,
        certificate_ends: number(row, "cert_not_after")?.map(to_time),
        latest: latest(row, &name)?,
        alerts: number(row, "firing")?.unwrap_or_default().unsigned_abs(),
        name,
    })
}

fn latest(row: &SqliteRow, name: &HostName) -> Result<Option<HostLatest>, StoreError> {
    let Some(at) = number(row, "at")? else {
        return Ok(None);
    };
    let whole =
        |column| Ok::<_, StoreError>(number(row, column)?.unwrap_or_default().unsigned_abs());
    let boot = BootId::try_from(text(row, "boot")?).map_err(|_| StoreError::Row("boot id"))?;
    let address = text(row, "address")?;
    Ok(Some(HostLatest {
        host: name.clone(),
        seen: HostSeen {
            at: to_time(at),
            address: address.parse().map_err(|_| StoreError::Row("address"))?,
            dial: dial(&text(row, "dial")?),
            certificate_ends: number(row, "certificate_ends")?.map(to_time),
            lost: whole("lost")?,
            refused: whole("refused")?,
        },
        seq: whole("seq")?,
        boot,
        up_ms: whole("up_ms")?,
        claimed_at: Timestamp::from_millis(whole("claimed_at")?),
        gauges: Gauges {
            cpu_ppm: number(row, "cpu_ppm")?,
            memory_ppm: number(row, "memory_ppm")?,
            disk_ppm: number(row, "disk_ppm")?,
            temp_mc: number(row, "temp_mc")?,
            gpu_ppm: number(row, "gpu_ppm")?,
            vram_ppm: number(row, "vram_ppm")?,
            rx_bps: None,
            tx_bps: None,
        },
        posture_fail: number(row, "posture_fail")?,
        posture_unknown: number(row, "posture_unknown")?,
        version: row.try_get("version").tried("read a host")?,
    }))
}

fn dial(text: &str) -> Dial {
    if text == Dial::In.as_str() {
        Dial::In
    } else {
        Dial::Out
    }
}

fn text(row: &SqliteRow, column: &str) -> Result<String, StoreError> {
    row.try_get(column).tried("read a host")
}

fn number(row: &SqliteRow, column: &str) -> Result<Option<i64>, StoreError> {
    row.try_get(column).tried("read a host")
}
