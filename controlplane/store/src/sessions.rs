//! Signed-in browsers, known by the SHA-256 of an opaque token.

use crate::columns::{to_column, to_time};
use crate::error::{StoreError, Tried};
use crate::open::Store;
use kill_wire::Timestamp;
use net_model::KeyHash;

/// One signed-in browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Since when.
    pub created: Timestamp,
    /// Until when; from this instant on it is not found any more.
    pub expires: Timestamp,
}

impl Store {
    /// Keeps a new session. A token that is there already is an error: tokens are random.
    pub async fn create_session(
        &self,
        token: KeyHash,
        created: Timestamp,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query("insert into sessions (token_sha256, created, expires) values ($1, $2, $3)")
            .bind(token.to_hex())
            .bind(to_column(created.millis()))
            .bind(to_column(expires.millis()))
            .execute(&self.writer)
            .await
            .tried("keep a session")?;
        Ok(())
    }

    /// The session of this token, unless it has expired by `now`.
    pub async fn find_session(
        &self,
        token: KeyHash,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let row: Option<(i64, i64)> = sqlx::query_as(
            "select created, expires from sessions where token_sha256 = $1 and expires > $2",
        )
        .bind(token.to_hex())
        .bind(to_column(now.millis()))
        .fetch_optional(&self.readers)
        .await
        .tried("look for a session")?;
        Ok(row.map(|(created, expires)| Session {
            created: to_time(created),
            expires: to_time(expires),
        }))
    }

    /// Ends a session at once. True when there was one.
    pub async fn delete_session(&self, token: KeyHash) -> Result<bool, StoreError> {
        let done = sqlx::query("delete from sessions where token_sha256 = $1")
            .bind(token.to_hex())
            .execute(&self.writer)
            .await
            .tried("end a session")?;
        Ok(done.rows_affected() > 0)
    }

    /// Removes what has expired by `now`; returns how many.
    pub async fn purge_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        let done = sqlx::query("delete from sessions where expires <= $1")
            .bind(to_column(now.millis()))
            .execute(&self.writer)
            .await
            .tried("remove old sessions")?;
        Ok(done.rows_affected())
    }
}
