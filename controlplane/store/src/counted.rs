//! Usage that a gateway tells by counters alone: what a counter grew by since the last look stands in the ledger once.
//!
//! **Invariant:** the last figure of a counter and the rows made of what it grew by are written in one transaction. Whoever
//! stops in between has written neither, and looks again.

use crate::columns::to_column;
use crate::error::{StoreError, Tried};
use crate::open::Store;
use crate::usage::insert;
use crate::usage_sides::Days;
use kill_wire::Name;
use net_model::UsageRecord;
use sqlx::{Sqlite, Transaction};
use std::collections::BTreeMap;

/// One look at the counters of a gateway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests it has served since its start, where it says so: a figure that falls tells of a new start, and all counters
    /// began at nothing with it. Without it each counter tells for itself, by falling.
    pub requests: Option<u64>,
    /// What each counter is known by, the same at each look, and its figure.
    pub series: Vec<(String, u64)>,
}

/// A row that may stand for several calls. The id of its record is one among those of its look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedRow {
    /// How many calls.
    pub calls: u64,
    /// What they used, all together.
    pub record: UsageRecord,
}

/// What came of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// The first of this source: what was counted before is nobody's to say, and stands in no ledger.
    First,
    /// So many rows were written.
    Rows(u64),
}

impl Store {
    /// Takes in what the counters of `source` grew by since the last look. `rows` is told the growth of each, in the order of
    /// `now`, and makes the rows of it.
    ///
    /// # Errors
    /// Where nothing was written: the next look counts all of it.
    pub async fn count<F>(
        &self,
        source: &Name,
        now: &Counters,
        rows: F,
    ) -> Result<Counting, StoreError>
    where
        F: FnOnce(&[u64]) -> Vec<CountedRow> + Send,
    {
        let mut tx = self
            .writer
            .begin_with("begin immediate")
            .await
            .tried("begin to take in counters")?;
        let before = before(&mut tx, source).await?;
        let round = before.as_ref().map_or(0, |it| it.round + 1);
        let anew = before.as_ref().is_some_and(|it| it.began_anew(now));
        if anew {
            forget(&mut tx, source).await?;
        }
        let known = match &before {
            Some(before) if !anew => before.series.clone(),
            Some(_) | None => BTreeMap::new(),
        };
        let grown = grown(&known, &now.series);
        for ((series, value), grown) in now.series.iter().zip(&grown) {
            if *grown > 0 || known.get(series) != Some(value) {
                keep(&mut tx, source, series, *value).await?;
            }
        }
        remember(&mut tx, source, round, now.requests).await?;
        let mut written = 0;
        if before.is_some() {
            let mut days = Days::default();
            for row in rows(&grown) {
                let id = format!("{source}:{round}.{}", row.record.id);
                let of = (&row.record, row.calls);
                written += insert(&mut tx, &mut days, source.as_str(), &id, of).await?;
            }
            days.keep(&mut tx).await?;
        }
        tx.commit().await.tried("keep counters")?;
        Ok(match before {
            Some(_) => Counting::Rows(written),
            None => Counting::First,
        })
    }
}

/// What each grew by. One that is new, or smaller than it was, began at nothing.
fn grown(known: &BTreeMap<String, u64>, now: &[(String, u64)]) -> Vec<u64> {
    let grown = |(series, value): &(String, u64)| {
        let before = known.get(series).filter(|before| *before <= value);
        value - before.unwrap_or(&0)
    };
    now.iter().map(grown).collect()
}

/// The last look.
struct Before {
    round: u64,
    requests: Option<u64>,
    series: BTreeMap<String, u64>,
}

impl Before {
    fn began_anew(&self, now: &Counters) -> bool {
        matches!((self.requests, now.requests), (Some(before), Some(now)) if now < before)
    }
}

async fn before(
    tx: &mut Transaction<'_, Sqlite>,
    source: &Name,
) -> Result<Option<Before>, StoreError> {
    let row: Option<(i64, Option<i64>)> =
        sqlx::query_as("select round, requests from counted_sources where source = $1")
            .bind(source.as_str())
            .fetch_optional(&mut **tx)
            .await
            .tried("read the last look at counters")?;
    let Some((round, requests)) = row else {
        return Ok(None);
    };
    let series: Vec<(String, i64)> =
        sqlx::query_as("select series, value from counted_series where source = $1")
            .bind(source.as_str())
            .fetch_all(&mut **tx)
            .await
            .tried("read counters")?;
    let series = series.into_iter();
    Ok(Some(Before {
        round: round.unsigned_abs(),
        requests: requests.map(i64::unsigned_abs),
        series: series
            .map(|(series, value)| (series, value.unsigned_abs()))
            .collect(),
    }))
}

async fn forget(tx: &mut Transaction<'_, Sqlite>, source: &Name) -> Result<(), StoreError> {
    sqlx::query("delete from counted_series where source = $1")
        .bind(source.as_str())
        .execute(&mut **tx)
        .await
        .tried("forget counters of before a start")?;
    Ok(())
}

async fn keep(
    tx: &mut Transaction<'_, Sqlite>,
    source: &Name,
    series: &str,
    value: u64,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into counted_series (source, series, value) values ($1, $2, $3)
         on conflict (source, series) do update set value = excluded.value",
    )
    .bind(source.as_str())
    .bind(series)
    .bind(to_column(value))
    .execute(&mut **tx)
    .await
    .tried("keep a counter")?;
    Ok(())
}

async fn remember(
    tx: &mut Transaction<'_, Sqlite>,
    source: &Name,
    round: u64,
    requests: Option<u64>,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into counted_sources (source, round, requests) values ($1, $2, $3)
         on conflict (source) do update set round = excluded.round, requests = excluded.requests",
    )
    .bind(source.as_str())
    .bind(to_column(round))
    .bind(requests.map(to_column))
    .execute(&mut **tx)
    .await
    .tried("keep the look at counters")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_that_is_new_or_fell_began_at_nothing() {
        let of = |all: &[(&str, u64)]| -> Vec<(String, u64)> {
            let all = all.iter();
            all.map(|(name, value)| ((*name).to_owned(), *value))
                .collect()
        };
        let known: BTreeMap<String, u64> = of(&[("a", 10), ("b", 10), ("gone", 5)])
            .into_iter()
            .collect();
        let now = of(&[("a", 12), ("b", 3), ("new", 7)]);
        assert_eq!(grown(&known, &now), [2, 3, 7]);
        assert_eq!(grown(&BTreeMap::new(), &now), [12, 3, 7]);
    }
}
