//! Usage by day, by each side it is asked by: what the spend page adds up. It holds the same sums as the exchanges themselves,
//! because both are written in one transaction.

use crate::columns::to_column;
use crate::error::{StoreError, Tried};
use crate::open::Store;
use crate::usage::{Spending, totals};
use kill_wire::Timestamp;
use net_model::{UsageRecord, UsageTotals};
use sqlx::{AssertSqlSafe, Sqlite, Transaction};
use std::collections::BTreeMap;

const DAY_MS: u64 = 86_400_000;

const MINUTE_MS: u64 = 60_000;

/// A name with its figures.
pub(crate) type Row = (String, i64, i64, i64, i64, i64, i64);

/// A row as it is handed on.
pub(crate) fn named(
    (name, exchanges, prompt, completion, estimated, cost, unknown): Row,
) -> (String, UsageTotals) {
    let figures = (exchanges, prompt, completion, estimated, cost, unknown);
    (name, totals(figures))
}

/// How one target answered within one minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Who answered.
    pub target: String,
    /// Which of the minutes since the beginning that was asked for, from 0.
    pub minute: u64,
    /// Exchanges that ended in it.
    pub exchanges: u64,
    /// Tokens of their prompts and answers.
    pub tokens: u64,
    /// Milliseconds to the first byte, on average; none where none came.
    pub first_byte_ms: Option<u64>,
}

/// Figures of one day and one name: exchanges, prompt tokens, answer tokens, own counts, micro-dollars, unknown prices.
type Figures = [i64; 6];

/// What the records of one transaction add to their days. Added up here first: many records are few days and names.
#[derive(Debug, Default)]
pub(crate) struct Days(BTreeMap<(&'static str, i64, String), Figures>);

impl Days {
    /// Adds a record that was new, and stands for so many calls. The last figures are as they were kept.
    pub(crate) fn add(
        &mut self,
        source: &str,
        (record, calls): (&UsageRecord, u64),
        [prompt, completion, cost]: [i64; 3],
    ) {
        let count = |counts: bool| to_column(if counts { calls } else { 0 });
        let figures = [
            to_column(calls),
            prompt,
            completion,
            count(record.estimated),
            cost,
            count(record.cost.is_none()),
        ];
        let day = to_column(record.at.millis() / DAY_MS);
        let sides = [
            (Spending::Consumer, record.consumer.as_str()),
            (Spending::Model, record.model.as_str()),
            (Spending::Target, record.target.as_str()),
            (Spending::Route, record.route.as_str()),
            (Spending::Source, source),
            (Spending::Day, ""),
        ];
        for (by, name) in sides {
            let key = (side(by), day, name.to_owned());
            let sum = self.0.entry(key).or_default();
            for (sum, more) in sum.iter_mut().zip(figures) {
                *sum = sum.saturating_add(more);
            }
        }
    }

    /// Writes them, in the transaction of the records.
    pub(crate) async fn keep(self, tx: &mut Transaction<'_, Sqlite>) -> Result<(), StoreError> {
        for ((side, day, name), figures) in self.0 {
            let mut query = sqlx::query(KEEP).bind(side).bind(day).bind(name);
            for figure in figures {
                query = query.bind(figure);
            }
            query
                .execute(&mut **tx)
                .await
                .tried("add usage to its day")?;
        }
        Ok(())
    }
}

const KEEP: &str = "insert into usage_sides (side, day, name, exchanges, prompt_tokens, completion_tokens, estimated, cost,
   unknown_price)
 values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
 on conflict (side, day, name) do update set
   exchanges = usage_sides.exchanges + excluded.exchanges,
   prompt_tokens = usage_sides.prompt_tokens + excluded.prompt_tokens,
   completion_tokens = usage_sides.completion_tokens + excluded.completion_tokens,
   estimated = usage_sides.estimated + excluded.estimated,
   cost = usage_sides.cost + excluded.cost,
   unknown_price = usage_sides.unknown_price + excluded.unknown_price";

/// As the table names it.
const fn side(by: Spending) -> &'static str {
    match by {
        Spending::Consumer => "consumer",
        Spending::Model => "model",
        Spending::Target => "target",
        Spending::Route => "route",
        Spending::Source => "source",
        Spending::Day => "day",
    }
}

/// The first whole day that begins at `since` or later, as a number of days since 1970, and its beginning.
pub(crate) fn first_whole_day(since: Timestamp) -> (i64, Timestamp) {
    let day = since.millis().div_ceil(DAY_MS);
    let begins = Timestamp::from_millis(day.saturating_mul(DAY_MS));
    (to_column(day), begins)
}

impl Store {
    /// Whole days from the day of `first` to the day of `last` (UTC), added up by one of their sides; the dearest first, days
    /// in their order. At most `limit` rows.
    pub async fn spending_by_day(
        &self,
        by: Spending,
        first: Timestamp,
        last: Timestamp,
        limit: u32,
    ) -> Result<Vec<(String, UsageTotals)>, StoreError> {
        let day = |at: Timestamp| to_column(at.millis() / DAY_MS);
        self.days_between(by, day(first), day(last), limit).await
    }

    /// The same by numbers of days.
    pub(crate) async fn days_between(
        &self,
        by: Spending,
        first: i64,
        last: i64,
        limit: u32,
    ) -> Result<Vec<(String, UsageTotals)>, StoreError> {
        let (name, order) = match by {
            Spending::Day => ("cast(day as text)", "min(day)"),
            Spending::Consumer
            | Spending::Model
            | Spending::Target
            | Spending::Route
            | Spending::Source => ("name", "6 desc, 2 desc, 1"),
        };
        let sql = format!(
            "select {name}, sum(exchanges), sum(prompt_tokens), sum(completion_tokens), sum(estimated), sum(cost),
               sum(unknown_price)
             from usage_sides where side = $1 and day between $2 and $3 group by 1 order by {order} limit $4"
        );
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(side(by))
            .bind(first)
            .bind(last)
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await
            .tried("add up days")?;
        Ok(rows.into_iter().map(named).collect())
    }

    /// How each target answered, minute by minute since `since` (UTC), in the order of the minutes.
    pub async fn answered(&self, since: Timestamp) -> Result<Vec<Answered>, StoreError> {
        let first = since.millis() / MINUTE_MS;
        let rows: Vec<(String, i64, i64, i64, Option<i64>)> = sqlx::query_as(
            "select target, at / 60000, sum(calls), sum(prompt_tokens) + sum(completion_tokens),
               cast(avg(first_byte_ms) as integer)
             from usage where at >= $1 group by 1, 2 order by 2, 1",
        )
        .bind(to_column(first * MINUTE_MS))
        .fetch_all(&self.readers)
        .await
        .tried("add up answers a minute")?;
        let minutes = rows
            .into_iter()
            .map(|(target, minute, exchanges, tokens, first_byte)| Answered {
                target,
                minute: minute.unsigned_abs().saturating_sub(first),
                exchanges: exchanges.unsigned_abs(),
                tokens: tokens.unsigned_abs(),
                first_byte_ms: first_byte.map(i64::unsigned_abs),
            });
        Ok(minutes.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_has_begun_already_is_not_whole() {
        let of = |millis| {
            let (day, begins) = first_whole_day(Timestamp::from_millis(millis));
            (day, begins.millis())
        };
        assert_eq!(of(0), (0, 0));
        assert_eq!(of(1), (1, DAY_MS));
        assert_eq!(of(3 * DAY_MS), (3, 3 * DAY_MS));
        assert_eq!(of(3 * DAY_MS + 1), (4, 4 * DAY_MS));
    }
}
