//! What is wrong with the house's hosts, and what was.

use crate::columns::{to_column, to_time};
use crate::error::{StoreError, Tried};
use crate::open::Store;
use kill_wire::Timestamp;
use net_model::{AlertView, HostName};

type Row = (
    i64,
    String,
    Option<String>,
    String,
    String,
    i64,
    Option<i64>,
    bool,
    Option<i64>,
);

/// Behind which alert a list goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertMark {
    /// It was firing when it was listed.
    pub fires: bool,
    /// Its number.
    pub id: u64,
}

const COLUMNS: &str = "id, rule, host, subject, text, since, ended, quiet, told";

impl Store {
    /// Keeps alerts as they stand now, the new ones and those that changed.
    pub async fn keep_alerts(&self, alerts: &[AlertView]) -> Result<(), StoreError> {
        let begun = self.writer.begin_with("begin immediate").await;
        let mut tx = begun.tried("begin to keep alerts")?;
        for alert in alerts {
            sqlx::query(
                "insert into alerts (id, rule, host, subject, text, since, ended, quiet, told)
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                 on conflict (id) do update set text = excluded.text, ended = excluded.ended, quiet = excluded.quiet,
                   told = excluded.told",
            )
            .bind(to_column(alert.id))
            .bind(&alert.rule)
            .bind(alert.host.as_ref().map(HostName::as_str))
            .bind(&alert.subject)
            .bind(&alert.text)
            .bind(to_column(alert.since.millis()))
            .bind(alert.ended.map(|at| to_column(at.millis())))
            .bind(i64::from(alert.quiet))
            .bind(alert.told.map(|at| to_column(at.millis())))
            .execute(&mut *tx)
            .await
            .tried("keep an alert")?;
        }
        tx.commit().await.tried("keep alerts")
    }

    /// The highest number an alert has.
    pub async fn last_alert(&self) -> Result<u64, StoreError> {
        let last: Option<i64> = sqlx::query_scalar("select max(id) from alerts")
            .fetch_one(&self.readers)
            .await
            .tried("number alerts")?;
        Ok(last.unwrap_or_default().unsigned_abs())
    }

    /// Everything that is wrong now, newest first.
    pub async fn firing_alerts(&self) -> Result<Vec<AlertView>, StoreError> {
        let sql = format!("select {COLUMNS} from alerts where ended is null order by id desc");
        self.alerts_of(sqlx::query_as(sqlx::AssertSqlSafe(sql)))
            .await
    }

    /// The newest alerts, of one host if it is named: what fires first, then by age; those behind `after`.
    pub async fn alerts(
        &self,
        host: Option<&HostName>,
        after: Option<AlertMark>,
        limit: u32,
    ) -> Result<Vec<AlertView>, StoreError> {
        let (firing, over) = match after {
            None => (Some(i64::MAX), i64::MAX),
            Some(AlertMark { fires: true, id }) => (Some(to_column(id)), i64::MAX),
            Some(AlertMark { fires: false, id }) => (None, to_column(id)),
        };
        let mut found = match firing {
            Some(before) => self.some("ended is null", host, before, limit).await?,
            None => Vec::new(),
        };
        let so_far = u32::try_from(found.len()).unwrap_or(limit);
        let left = limit.saturating_sub(so_far);
        if left > 0 {
            found.extend(self.some("ended is not null", host, over, left).await?);
        }
        Ok(found)
    }

    /// Those of which `which` holds, with a number below `before`, the newest first.
    async fn some(
        &self,
        which: &str,
        host: Option<&HostName>,
        before: i64,
        limit: u32,
    ) -> Result<Vec<AlertView>, StoreError> {
        let of = if host.is_some() {
            "host = $3"
        } else {
            "$3 is null"
        };
        let sql = format!(
            "select {COLUMNS} from alerts where {which} and id < $1 and {of} order by id desc limit $2"
        );
        let query = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(before)
            .bind(i64::from(limit))
            .bind(host.map(|host| host.as_str().to_owned()));
        self.alerts_of(query).await
    }

    /// Removes alerts that ended before then; returns how many.
    pub async fn purge_alerts(&self, before: Timestamp) -> Result<u64, StoreError> {
        let done = sqlx::query("delete from alerts where ended is not null and ended < $1")
            .bind(to_column(before.millis()))
            .execute(&self.writer)
            .await
            .tried("remove old alerts")?;
        Ok(done.rows_affected())
    }

    async fn alerts_of(
        &self,
        query: sqlx::query::QueryAs<'_, sqlx::Sqlite, Row, sqlx::sqlite::SqliteArguments>,
    ) -> Result<Vec<AlertView>, StoreError> {
        let rows = query.fetch_all(&self.readers).await.tried("read alerts")?;
        rows.into_iter().map(view).collect()
    }
}

fn view(row: Row) -> Result<AlertView, StoreError> {
    let (id, rule, host, subject, text, since, ended, quiet, told) = row;
    let host = host.map(|name| name.parse()).transpose();
    Ok(AlertView {
        id: id.unsigned_abs(),
        rule,
        host: host.map_err(|_| StoreError::Row("host name"))?,
        subject,
        text,
        since: to_time(since),
        ended: ended.map(to_time),
        quiet,
        told: told.map(to_time),
    })
}
