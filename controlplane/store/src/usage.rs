//! Usage: each ended exchange once, however often its line is read.

use crate::columns::{to_column, to_time};
use crate::error::{StoreError, Tried};
use crate::open::Store;
use crate::stories;
use crate::usage_sides::{Days, Row, first_whole_day, named};
use kill_wire::{Class, Name, Timestamp};
use net_model::{MicroDollars, Story, UsageRecord, UsageTotals};
use sqlx::{AssertSqlSafe, Sqlite, Transaction};
use std::collections::BTreeMap;

/// The one spool of today: the embedded gateway's. No usage source may be called so.
const SPOOL: &str = "gateway";

const MINUTE_MS: u64 = 60_000;

/// Most that one exchange is counted with, so that no upstream's figure can overflow a sum (10^12 tokens, or a
/// million dollars).
const MOST: u64 = 1_000_000_000_000;

/// Up to where the spool was taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// Number of the spool file.
    pub file: u64,
    /// Bytes of it that were taken in.
    pub offset: u64,
}

/// What one consumer used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerUsage {
    /// Who.
    pub consumer: Name,
    /// How much.
    pub totals: UsageTotals,
}

/// What usage is added up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spending {
    /// Who asked.
    Consumer,
    /// For what.
    Model,
    /// Who answered.
    Target,
    /// By which way.
    Route,
    /// Which gateway told of it.
    Source,
    /// Day (UTC), as a number of days since 1970.
    Day,
}

impl Spending {
    const fn column(self) -> &'static str {
        match self {
            Self::Consumer => "consumer",
            Self::Model => "model",
            Self::Target => "target",
            Self::Route => "route",
            Self::Source => "source",
            Self::Day => "cast(at / 86400000 as text)",
        }
    }
}

/// The columns of [`Sums`].
const SUMS: &str = "coalesce(sum(calls), 0), coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0),
   coalesce(sum(estimated * calls), 0), coalesce(sum(cost), 0), coalesce(sum(case when cost is null then calls else 0 end), 0)";

/// Exchanges, prompt tokens, answer tokens, own counts, micro-dollars, unknown prices.
pub(crate) type Sums = (i64, i64, i64, i64, i64, i64);

impl Store {
    /// Takes in `records` and moves the cursor, both or neither. A record whose id is known is left as it is.
    /// Returns how many were new.
    pub async fn ingest(
        &self,
        records: &[UsageRecord],
        cursor: &Cursor,
    ) -> Result<u64, StoreError> {
        self.ingest_told(records, &[], cursor).await
    }

    /// The same, with what is told of requests.
    pub async fn ingest_told(
        &self,
        records: &[UsageRecord],
        stories: &[Story],
        cursor: &Cursor,
    ) -> Result<u64, StoreError> {
        // Immediate: a transaction that starts as a reader cannot wait for its turn to write.
        let mut tx = self
            .writer
            .begin_with("begin immediate")
            .await
            .tried("begin to take in usage")?;
        let (mut new, mut days) = (0, Days::default());
        for record in records {
            new += insert(&mut tx, &mut days, SPOOL, &record.id, (record, 1)).await?;
        }
        days.keep(&mut tx).await?;
        for story in stories {
            stories::keep(&mut tx, story).await?;
        }
        sqlx::query(
            "insert into spool_cursor (spool, file, byte_offset) values ($1, $2, $3)
             on conflict (spool) do update set file = excluded.file, byte_offset = excluded.byte_offset",
        )
        .bind(SPOOL)
        .bind(to_column(cursor.file))
        .bind(to_column(cursor.offset))
        .execute(&mut *tx)
        .await
        .tried("move the spool cursor")?;
        tx.commit().await.tried("keep usage")?;
        Ok(new)
    }

    /// Takes in what another gateway told of, all of it or nothing. A call of this source that is known is left as it is.
    /// Returns how many were new.
    pub async fn take_in(&self, source: &Name, records: &[UsageRecord]) -> Result<u64, StoreError> {
        let mut tx = self
            .writer
            .begin_with("begin immediate")
            .await
            .tried("begin to take in usage")?;
        let (mut new, mut days) = (0, Days::default());
        for record in records {
            // No id of the spool has a colon, and no name: two sources never meet.
            let id = format!("{source}:{}", record.id);
            new += insert(&mut tx, &mut days, source.as_str(), &id, (record, 1)).await?;
        }
        days.keep(&mut tx).await?;
        tx.commit().await.tried("keep usage")?;
        Ok(new)
    }

    /// When the newest call of this source ended; none where it told of none. For the house's own gateway nobody asks.
    pub async fn newest_of(&self, source: &Name) -> Result<Option<Timestamp>, StoreError> {
        // The second condition is the index's own: without it every exchange of the house is looked at.
        let sql = "select max(at) from usage where source = $1 and source <> 'gateway'";
        let at: Option<i64> = sqlx::query_scalar(sql)
            .bind(source.as_str())
            .fetch_one(&self.readers)
            .await
            .tried("look for the newest call of a source")?;
        Ok(at.map(to_time))
    }

    /// Up to where the spool was taken in; the very beginning when nothing was.
    pub async fn cursor(&self) -> Result<Cursor, StoreError> {
        let row: Option<(i64, i64)> =
            sqlx::query_as("select file, byte_offset from spool_cursor where spool = $1")
                .bind(SPOOL)
                .fetch_optional(&self.readers)
                .await
                .tried("read the spool cursor")?;
        Ok(row.map_or_else(Cursor::default, |(file, offset)| Cursor {
            file: file.unsigned_abs(),
            offset: offset.unsigned_abs(),
        }))
    }

    /// Everything that ended at `since` or later: exchanges up to the next midnight (UTC), whole days from there.
    pub async fn usage_since(&self, since: Timestamp) -> Result<UsageTotals, StoreError> {
        let (day, midnight) = first_whole_day(since);
        let sql = format!("select {SUMS} from usage where at >= $1 and at < $2");
        let sums: Sums = sqlx::query_as(AssertSqlSafe(sql))
            .bind(to_column(since.millis()))
            .bind(to_column(midnight.millis()))
            .fetch_one(&self.readers)
            .await
            .tried("add up usage")?;
        let days = self.days_between(Spending::Day, day, i64::MAX, u32::MAX);
        let days = days.await?.into_iter().map(|(_, day)| day);
        Ok(days.fold(totals(sums), UsageTotals::plus))
    }

    /// The same for each consumer, by name.
    pub async fn usage_by_consumer(
        &self,
        since: Timestamp,
    ) -> Result<Vec<ConsumerUsage>, StoreError> {
        let rows = self.spending(Spending::Consumer, since).await?;
        rows.into_iter()
            .map(|(consumer, totals)| {
                Ok(ConsumerUsage {
                    consumer: consumer
                        .parse()
                        .map_err(|_| StoreError::Row("consumer name"))?,
                    totals,
                })
            })
            .collect()
    }

    /// Everything that ended at `since` or later, added up by one of its sides, in the order of its names.
    pub async fn spending(
        &self,
        by: Spending,
        since: Timestamp,
    ) -> Result<Vec<(String, UsageTotals)>, StoreError> {
        let (day, midnight) = first_whole_day(since);
        let column = by.column();
        let sql =
            format!("select {column}, {SUMS} from usage where at >= $1 and at < $2 group by 1");
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(to_column(since.millis()))
            .bind(to_column(midnight.millis()))
            .fetch_all(&self.readers)
            .await
            .tried("add up usage")?;
        let days = self.days_between(by, day, i64::MAX, u32::MAX).await?;
        let mut sums: BTreeMap<String, UsageTotals> = BTreeMap::new();
        for (name, totals) in rows.into_iter().map(named).chain(days) {
            let sum = sums.remove(&name).unwrap_or_default();
            sums.insert(name, sum.plus(totals));
        }
        Ok(sums.into_iter().collect())
    }

    /// Tokens of each of the last 60 whole minutes (UTC), oldest first; the last figure is the running minute.
    pub async fn tokens_per_minute(&self, now: Timestamp) -> Result<Vec<u64>, StoreError> {
        let first = hour_start(now).millis() / MINUTE_MS;
        let rows: Vec<(i64, i64)> = sqlx::query_as(
            "select at / 60000, sum(prompt_tokens) + sum(completion_tokens) from usage where at >= $1 group by at / 60000",
        )
        .bind(to_column(first * MINUTE_MS))
        .fetch_all(&self.readers)
        .await
        .tried("add up tokens a minute")?;
        let mut minutes = vec![0_u64; 60];
        for (minute, tokens) in rows {
            // A gateway whose clock runs ahead counts into the running minute.
            let at = minute.unsigned_abs().saturating_sub(first).min(59);
            if let Some(slot) = usize::try_from(at).ok().and_then(|at| minutes.get_mut(at)) {
                *slot = slot.saturating_add(tokens.unsigned_abs());
            }
        }
        Ok(minutes)
    }
}

/// Where the 60 whole minutes of [`Store::tokens_per_minute`] begin.
#[must_use]
pub fn hour_start(now: Timestamp) -> Timestamp {
    Timestamp::from_millis((now.millis() / MINUTE_MS).saturating_sub(59) * MINUTE_MS)
}

/// One row, for so many calls; where it was new, `days` is told.
pub(crate) async fn insert(
    tx: &mut Transaction<'_, Sqlite>,
    days: &mut Days,
    source: &str,
    id: &str,
    (record, calls): (&UsageRecord, u64),
) -> Result<u64, StoreError> {
    let class = match record.class {
        Class::Local => "local",
        Class::Cloud => "cloud",
    };
    let done = sqlx::query(
        "insert into usage (id, at, consumer, route, target, class, model, stream, status, prompt_tokens,
           completion_tokens, estimated, took_ms, ended, incident, api, cached_tokens, reasoning_tokens, cost,
           fell_back_from, first_byte_ms, source, calls)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)
         on conflict (id) do nothing",
    )
    .bind(id)
    .bind(to_column(record.at.millis()))
    .bind(record.consumer.as_str())
    .bind(record.route.as_str())
    .bind(record.target.as_str())
    .bind(class)
    .bind(&record.model)
    .bind(record.stream)
    .bind(i64::from(record.status))
    .bind(to_column(record.prompt_tokens.min(MOST)))
    .bind(to_column(record.completion_tokens.min(MOST)))
    .bind(record.estimated)
    .bind(to_column(record.took_ms))
    .bind(record.ended.as_str())
    .bind(record.incident.map(|incident| i64::from(incident.get())))
    .bind(record.api.as_str())
    .bind(to_column(record.cached_tokens.min(MOST)))
    .bind(to_column(record.reasoning_tokens.min(MOST)))
    .bind(record.cost.map(|cost| to_column(cost.0.min(MOST))))
    .bind(record.fell_back_from.as_ref().map(Name::as_str))
    .bind(record.first_byte_ms.map(to_column))
    .bind(source)
    .bind(to_column(calls.min(MOST)))
    .execute(&mut **tx)
    .await
    .tried("take in usage")?;
    let new = done.rows_affected();
    if new > 0 {
        let cost = record.cost.map_or(0, |cost| cost.0);
        let figures = [record.prompt_tokens, record.completion_tokens, cost];
        let kept = figures.map(|figure| to_column(figure.min(MOST)));
        days.add(source, (record, calls.min(MOST)), kept);
    }
    Ok(new)
}

pub(crate) fn totals(
    (exchanges, prompt, completion, estimated, cost, unknown): Sums,
) -> UsageTotals {
    UsageTotals {
        exchanges: exchanges.unsigned_abs(),
        prompt_tokens: prompt.unsigned_abs(),
        completion_tokens: completion.unsigned_abs(),
        estimated: estimated.unsigned_abs(),
        cost: MicroDollars(cost.unsigned_abs()),
        unknown_price: unknown.unsigned_abs(),
    }
}
