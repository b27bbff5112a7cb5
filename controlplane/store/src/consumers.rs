//! What consumers used today: one day's rows for all of them, however much was used before.

use crate::columns::to_time;
use crate::error::{StoreError, Tried};
use crate::open::Store;
use crate::usage::Spending;
use kill_wire::Timestamp;
use net_model::{MicroDollars, UsageTotals};
use std::collections::BTreeMap;

/// What one consumer used in a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConsumerSeen {
    /// When an exchange of it last ended, at any time.
    pub last: Option<Timestamp>,
    /// Exchanges of the day.
    pub exchanges: u64,
    /// Tokens of prompts and answers.
    pub tokens: u64,
    /// Money; what has no known price counts nothing.
    pub cost: MicroDollars,
}

impl Store {
    /// What each of these consumers used on the day of `at` (UTC), and when it was last seen; in the order of the names.
    pub async fn consumers_seen(
        &self,
        names: &[&str],
        at: Timestamp,
    ) -> Result<Vec<ConsumerSeen>, StoreError> {
        let day = self.spending_by_day(Spending::Consumer, at, at, u32::MAX);
        let day: BTreeMap<String, UsageTotals> = day.await?.into_iter().collect();
        let mut seen = Vec::new();
        for name in names {
            let used = day.get(*name).cloned().unwrap_or_default();
            seen.push(ConsumerSeen {
                last: self.last_seen(name).await?,
                exchanges: used.exchanges,
                tokens: used.prompt_tokens.saturating_add(used.completion_tokens),
                cost: used.cost,
            });
        }
        Ok(seen)
    }

    async fn last_seen(&self, name: &str) -> Result<Option<Timestamp>, StoreError> {
        let last: Option<i64> = sqlx::query_scalar("select max(at) from usage where consumer = $1")
            .bind(name)
            .fetch_one(&self.readers)
            .await
            .tried("look when a consumer was last seen")?;
        Ok(last.map(to_time))
    }
}
