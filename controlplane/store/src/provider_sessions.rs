//! Sessions begun at a provider: what renews them, and how the provider ends them.

use crate::columns::{to_column, to_time};
use crate::error::{StoreError, Tried};
use crate::open::Store;
use kill_wire::Timestamp;
use net_model::{DashRole, KeyHash};

/// What a session needs of the provider it was begun at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderPart {
    /// The person's id there.
    pub subject: String,
    /// The provider's session, where it names one.
    pub sid: Option<String>,
    /// Tokens of the provider, sealed by the caller; useless without the session's own token.
    pub sealed: String,
    /// When the provider is asked again; never, where it gave nothing to ask with.
    pub renew_at: Option<Timestamp>,
}

impl Store {
    /// What a session has of its provider; none where it was begun otherwise.
    pub async fn provider_part(&self, token: KeyHash) -> Result<Option<ProviderPart>, StoreError> {
        let row: Option<(String, Option<String>, String, Option<i64>)> = sqlx::query_as(
            "select subject, provider_sid, sealed, renew_at from sessions
             where token_sha256 = $1 and subject is not null and sealed is not null",
        )
        .bind(token.to_hex())
        .fetch_optional(&self.readers)
        .await
        .tried("read a session's provider")?;
        Ok(row.map(|(subject, sid, sealed, renew_at)| ProviderPart {
            subject,
            sid,
            sealed,
            renew_at: renew_at.map(to_time),
        }))
    }

    /// The provider has renewed a session, or is to be asked again later. True when the session is still there.
    pub async fn renew_session(
        &self,
        token: KeyHash,
        role: DashRole,
        part: &ProviderPart,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "update sessions set role = $2, subject = $3, provider_sid = $4, sealed = $5, renew_at = $6
             where token_sha256 = $1",
        )
        .bind(token.to_hex())
        .bind(role.as_str())
        .bind(&part.subject)
        .bind(&part.sid)
        .bind(&part.sealed)
        .bind(part.renew_at.map(|at| to_column(at.millis())))
        .execute(&self.writer)
        .await
        .tried("renew a session")?;
        Ok(done.rows_affected() > 0)
    }

    /// Ends the sessions that were begun in this session of the provider, or all of this person where none is named, those
    /// begun with his passkeys as well.
    /// Returns whose each was, with what was kept of its token.
    pub async fn end_provider_sessions(
        &self,
        subject: Option<&str>,
        sid: Option<&str>,
    ) -> Result<Vec<(KeyHash, String)>, StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "delete from sessions where how in ('oidc', 'passkey') and ($1 is not null or $2 is not null)
               and ($1 is null or subject = $1) and ($2 is null or provider_sid = $2)
             returning token_sha256, who",
        )
        .bind(subject)
        .bind(sid)
        .fetch_all(&self.writer)
        .await
        .tried("end sessions of a provider")?;
        let read = |(token, who): (String, String)| Some((KeyHash::from_hex(&token)?, who));
        Ok(rows.into_iter().filter_map(read).collect())
    }
}
