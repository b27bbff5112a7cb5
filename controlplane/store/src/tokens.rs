//! Tokens for programs, known by their SHA-256. The token itself is kept nowhere.

use crate::columns::{to_column, to_time};
use crate::error::{StoreError, Tried};
use crate::open::Store;
use kill_wire::{Name, Timestamp};
use net_model::{DashRole, KeyHash};
use serde::{Deserialize, Serialize};

/// A token is marked as used at most this often, so that a busy program writes little.
const USED_EVERY_MS: u64 = 60_000;

/// One token, without what lets anybody in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// Its name.
    pub name: Name,
    /// What it may.
    pub role: DashRole,
    /// When it was made.
    pub created: Timestamp,
    /// By whom, as the journal names them.
    pub created_by: String,
    /// Until when it lets in.
    pub expires: Timestamp,
    /// Since when it is revoked.
    pub revoked: Option<Timestamp>,
    /// When it was used, to the minute.
    pub last_used: Option<Timestamp>,
}

type Row = (String, String, i64, String, i64, Option<i64>, Option<i64>);

fn read(row: Row) -> Result<TokenRecord, StoreError> {
    let (name, role, created, created_by, expires, revoked, last_used) = row;
    let not_ours = || StoreError::Row("token");
    Ok(TokenRecord {
        name: name.parse().map_err(|_| not_ours())?,
        role: role.parse().map_err(|_| not_ours())?,
        created: to_time(created),
        created_by,
        expires: to_time(expires),
        revoked: revoked.map(to_time),
        last_used: last_used.map(to_time),
    })
}

impl Store {
    /// Keeps a new token. False when there is, or was, one of that name.
    pub async fn create_token(
        &self,
        token: KeyHash,
        record: &TokenRecord,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "insert into tokens (name, token_sha256, role, created, created_by, expires)
             values ($1, $2, $3, $4, $5, $6) on conflict (name) do nothing",
        )
        .bind(record.name.as_str())
        .bind(token.to_hex())
        .bind(record.role.as_str())
        .bind(to_column(record.created.millis()))
        .bind(&record.created_by)
        .bind(to_column(record.expires.millis()))
        .execute(&self.writer)
        .await
        .tried("keep a token")?;
        Ok(done.rows_affected() > 0)
    }

    /// Every token, by name, those that no longer let in as well: the ones behind `after`, at most `limit`.
    pub async fn tokens(
        &self,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<TokenRecord>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "select name, role, created, created_by, expires, revoked, last_used from tokens
             where name > $1 order by name limit $2",
        )
        .bind(after.unwrap_or_default())
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .tried("list tokens")?;
        rows.into_iter().map(read).collect()
    }

    /// The token of this hash, unless it is revoked or has expired by `now`.
    pub async fn find_token(
        &self,
        token: KeyHash,
        now: Timestamp,
    ) -> Result<Option<TokenRecord>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "select name, role, created, created_by, expires, revoked, last_used from tokens
             where token_sha256 = $1 and expires > $2 and revoked is null",
        )
        .bind(token.to_hex())
        .bind(to_column(now.millis()))
        .fetch_optional(&self.readers)
        .await
        .tried("look for a token")?;
        row.map(read).transpose()
    }

    /// Marks a token as used, at most once a minute.
    pub async fn token_used(&self, name: &Name, now: Timestamp) -> Result<(), StoreError> {
        let before = now.millis().saturating_sub(USED_EVERY_MS);
        sqlx::query(
            "update tokens set last_used = $1 where name = $2 and coalesce(last_used, 0) <= $3",
        )
        .bind(to_column(now.millis()))
        .bind(name.as_str())
        .bind(to_column(before))
        .execute(&self.writer)
        .await
        .tried("mark a token as used")?;
        Ok(())
    }

    /// Ends a token at once; what was kept of it. None when there is no such token, or it is revoked already.
    pub async fn revoke_token(
        &self,
        name: &Name,
        at: Timestamp,
    ) -> Result<Option<KeyHash>, StoreError> {
        let hash: Option<String> = sqlx::query_scalar(
            "update tokens set revoked = $1 where name = $2 and revoked is null returning token_sha256",
        )
        .bind(to_column(at.millis()))
        .bind(name.as_str())
        .fetch_optional(&self.writer)
        .await
        .tried("revoke a token")?;
        Ok(hash.and_then(|hash| KeyHash::from_hex(&hash)))
    }
}
