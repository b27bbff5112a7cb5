//! Usage by day: what the spend page adds up. It holds the same sums as the exchanges themselves, because both are written
//! in one transaction.

use crate::columns::to_column;
use crate::error::{StoreError, Tried};
use crate::open::Store;
use crate::usage::Spending;
use kill_wire::Timestamp;
use net_model::{MicroDollars, UsageRecord, UsageTotals};
use sqlx::{AssertSqlSafe, Sqlite, Transaction};

const DAY_MS: u64 = 86_400_000;

const MINUTE_MS: u64 = 60_000;

type Row = (String, i64, i64, i64, i64, i64, i64);

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

/// Adds a record that was new, and stands for so many calls, to its day. `capped` has its figures as they were kept.
pub(crate) async fn add(
    tx: &mut Transaction<'_, Sqlite>,
    source: &str,
    (record, calls): (&UsageRecord, u64),
    [prompt, completion, cost]: [i64; 3],
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into usage_days (day, consumer, route, target, model, source, exchanges, prompt_tokens,
           completion_tokens, estimated, cost, unknown_price)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (day, consumer, route, target, model, source) do update set
           exchanges = usage_days.exchanges + excluded.exchanges,
           prompt_tokens = usage_days.prompt_tokens + excluded.prompt_tokens,
           completion_tokens = usage_days.completion_tokens + excluded.completion_tokens,
           estimated = usage_days.estimated + excluded.estimated,
           cost = usage_days.cost + excluded.cost,
           unknown_price = usage_days.unknown_price + excluded.unknown_price",
    )
    .bind(to_column(record.at.millis()) / to_column(DAY_MS))
    .bind(record.consumer.as_str())
    .bind(record.route.as_str())
    .bind(record.target.as_str())
    .bind(&record.model)
    .bind(source)
    .bind(to_column(calls))
    .bind(prompt)
    .bind(completion)
    .bind(to_column(if record.estimated { calls } else { 0 }))
    .bind(cost)
    .bind(to_column(if record.cost.is_none() { calls } else { 0 }))
    .execute(&mut **tx)
    .await
    .tried("add usage to its day")?;
    Ok(())
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
        let (column, order) = match by {
            Spending::Consumer => ("consumer", "6 desc, 2 desc, 1"),
            Spending::Model => ("model", "6 desc, 2 desc, 1"),
            Spending::Target => ("target", "6 desc, 2 desc, 1"),
            Spending::Route => ("route", "6 desc, 2 desc, 1"),
            Spending::Source => ("source", "6 desc, 2 desc, 1"),
            Spending::Day => ("cast(day as text)", "min(day)"),
        };
        let sql = format!(
            "select {column}, sum(exchanges), sum(prompt_tokens), sum(completion_tokens), sum(estimated), sum(cost),
               sum(unknown_price)
             from usage_days where day between $1 and $2 group by 1 order by {order} limit $3"
        );
        let rows: Vec<Row> = sqlx::query_as(AssertSqlSafe(sql))
            .bind(to_column(first.millis() / DAY_MS))
            .bind(to_column(last.millis() / DAY_MS))
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await
            .tried("add up days")?;
        let named = rows.into_iter().map(
            |(name, exchanges, prompt, completion, estimated, cost, unknown)| {
                let totals = UsageTotals {
                    exchanges: exchanges.unsigned_abs(),
                    prompt_tokens: prompt.unsigned_abs(),
                    completion_tokens: completion.unsigned_abs(),
                    estimated: estimated.unsigned_abs(),
                    cost: MicroDollars(cost.unsigned_abs()),
                    unknown_price: unknown.unsigned_abs(),
                };
                (name, totals)
            },
        );
        Ok(named.collect())
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
