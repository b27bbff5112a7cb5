//! What gateways noticed, and which targets took the place of others.

use crate::columns::{to_column, to_time};
use crate::error::{StoreError, Tried};
use crate::open::Store;
use kill_wire::{Name, Timestamp};
use net_model::{FallbackView, Remark, RemarkKind};

impl Store {
    /// Keeps a remark, once however often it is read under this id. True when it was new.
    pub async fn keep_remark(&self, id: &str, remark: &Remark) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "insert into remarks (id, at, consumer, kind, text) values ($1, $2, $3, $4, $5)
             on conflict (id) do nothing",
        )
        .bind(id)
        .bind(to_column(remark.at.millis()))
        .bind(remark.consumer.as_ref().map(Name::as_str))
        .bind(remark.kind.as_str())
        .bind(&remark.text)
        .execute(&self.writer)
        .await
        .tried("keep a remark")?;
        Ok(done.rows_affected() > 0)
    }

    /// The newest remarks, newest first.
    pub async fn remarks(&self, limit: u32) -> Result<Vec<Remark>, StoreError> {
        let rows: Vec<(i64, Option<String>, String, String)> = sqlx::query_as(
            "select at, consumer, kind, text from remarks order by at desc, id desc limit $1",
        )
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .tried("read remarks")?;
        rows.into_iter()
            .map(|(at, consumer, kind, text)| {
                let consumer = consumer.map(|name| name.parse()).transpose();
                let kind = RemarkKind::ALL.into_iter().find(|it| it.as_str() == kind);
                Ok(Remark {
                    at: to_time(at),
                    consumer: consumer.map_err(|_| StoreError::Row("consumer name"))?,
                    kind: kind.ok_or(StoreError::Row("kind of a remark"))?,
                    text,
                })
            })
            .collect()
    }

    /// Removes remarks older than `before`; returns how many.
    pub async fn purge_remarks(&self, before: Timestamp) -> Result<u64, StoreError> {
        let done = sqlx::query("delete from remarks where at < $1")
            .bind(to_column(before.millis()))
            .execute(&self.writer)
            .await
            .tried("remove old remarks")?;
        Ok(done.rows_affected())
    }

    /// Which targets answered in place of others at `since` or later, the last first.
    pub async fn fallbacks(
        &self,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<FallbackView>, StoreError> {
        let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(
            "select fell_back_from, target, sum(calls), max(at) from usage
             where fell_back_from is not null and at >= $1
             group by fell_back_from, target order by max(at) desc limit $2",
        )
        .bind(to_column(since.millis()))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .tried("count fallbacks")?;
        rows.into_iter()
            .map(|(from, to, times, last)| {
                let name = |text: String| text.parse().map_err(|_| StoreError::Row("target name"));
                Ok(FallbackView {
                    from: name(from)?,
                    to: name(to)?,
                    times: times.unsigned_abs(),
                    last: to_time(last),
                })
            })
            .collect()
    }
}
