//! What single consumers used: read off an index of their own, however much the others used.

use crate::columns::{to_column, to_time};
use crate::error::{StoreError, Tried};
use crate::open::Store;
use kill_wire::Timestamp;
use net_model::MicroDollars;

/// What one consumer used since an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConsumerSeen {
    /// When an exchange of it last ended, at any time.
    pub last: Option<Timestamp>,
    /// Exchanges since then.
    pub exchanges: u64,
    /// Tokens of prompts and answers.
    pub tokens: u64,
    /// Money; what has no known price counts nothing.
    pub cost: MicroDollars,
}

impl Store {
    /// What this consumer used since `since`, and when it was last seen.
    pub async fn consumer_seen(
        &self,
        name: &str,
        since: Timestamp,
    ) -> Result<ConsumerSeen, StoreError> {
        let row: (Option<i64>, i64, i64, i64) = sqlx::query_as(
            "select (select max(at) from usage where consumer = $1), count(*),
               coalesce(sum(prompt_tokens + completion_tokens), 0), coalesce(sum(cost), 0)
             from usage where consumer = $1 and at >= $2",
        )
        .bind(name)
        .bind(to_column(since.millis()))
        .fetch_one(&self.readers)
        .await
        .tried("add up what a consumer used")?;
        let (last, exchanges, tokens, cost) = row;
        Ok(ConsumerSeen {
            last: last.map(to_time),
            exchanges: exchanges.unsigned_abs(),
            tokens: tokens.unsigned_abs(),
            cost: MicroDollars(cost.unsigned_abs()),
        })
    }
}
