//! Signed-in browsers, known by the SHA-256 of an opaque token.

use crate::columns::{to_column, to_time};
use crate::error::{StoreError, Tried};
use crate::open::Store;
use crate::provider_sessions::ProviderPart;
use kill_wire::Timestamp;
use net_model::{DashRole, KeyHash, SignedInBy};
use std::net::IpAddr;

/// A session that is begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// Since when.
    pub created: Timestamp,
    /// Until when; from this instant on it is not found any more.
    pub expires: Timestamp,
    /// What it may.
    pub role: DashRole,
    /// How it was begun.
    pub how: SignedInBy,
    /// Whose it is; empty for a link, which names nobody.
    pub who: String,
    /// From which address it was begun, where that is known.
    pub from: Option<IpAddr>,
    /// What it has of the provider it was begun at.
    pub provider: Option<ProviderPart>,
    /// The passkey it was begun with.
    pub passkey: Option<PasskeyPart>,
}

/// The passkey a session is begun with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyPart {
    /// Its id.
    pub id: String,
    /// The id that its person has at the provider; none for the machine's owner.
    pub subject: Option<String>,
}

impl NewSession {
    /// One of whoever holds a link of the machine's owner.
    #[must_use]
    pub const fn by_link(created: Timestamp, expires: Timestamp) -> Self {
        Self {
            created,
            expires,
            role: DashRole::Admin,
            how: SignedInBy::Link,
            who: String::new(),
            from: None,
            provider: None,
            passkey: None,
        }
    }
}

/// One signed-in browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// What is kept of its token; names the session, and lets nobody in.
    pub token: KeyHash,
    /// Since when.
    pub created: Timestamp,
    /// Until when; from this instant on it is not found any more.
    pub expires: Timestamp,
    /// What it may.
    pub role: DashRole,
    /// How it was begun.
    pub how: SignedInBy,
    /// Whose it is; empty for a link, which names nobody.
    pub who: String,
    /// From which address it was begun, where that is known.
    pub from: Option<IpAddr>,
    /// When the provider it was begun at is asked again.
    pub renew_at: Option<Timestamp>,
    /// The person's id at the provider, where it is a person's.
    pub subject: Option<String>,
    /// The passkey it was begun with.
    pub passkey: Option<String>,
}

type Row = (
    String,
    i64,
    i64,
    String,
    String,
    String,
    Option<String>,
    Option<i64>,
    Option<String>,
    Option<String>,
);

fn read(row: Row) -> Result<Session, StoreError> {
    let (token, created, expires, role, how, who, from, renew_at, subject, passkey) = row;
    let not_ours = || StoreError::Row("session");
    Ok(Session {
        token: KeyHash::from_hex(&token).ok_or_else(not_ours)?,
        created: to_time(created),
        expires: to_time(expires),
        role: role.parse().map_err(|_| not_ours())?,
        how: how.parse().map_err(|_| not_ours())?,
        who,
        from: from.and_then(|ip| ip.parse().ok()),
        renew_at: renew_at.map(to_time),
        subject,
        passkey,
    })
}

impl Store {
    /// Keeps a new session. A token that is there already is an error: tokens are random.
    pub async fn create_session(
        &self,
        token: KeyHash,
        session: &NewSession,
    ) -> Result<(), StoreError> {
        let part = session.provider.as_ref();
        let passkey = session.passkey.as_ref();
        let subject = part.map(|part| part.subject.as_str());
        let subject = subject.or_else(|| passkey.and_then(|it| it.subject.as_deref()));
        sqlx::query(
            "insert into sessions (token_sha256, created, expires, role, how, who, came_from,
               subject, provider_sid, sealed, renew_at, passkey)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(token.to_hex())
        .bind(to_column(session.created.millis()))
        .bind(to_column(session.expires.millis()))
        .bind(session.role.as_str())
        .bind(session.how.as_str())
        .bind(&session.who)
        .bind(session.from.map(|ip| ip.to_string()))
        .bind(subject)
        .bind(part.and_then(|part| part.sid.as_deref()))
        .bind(part.map(|part| part.sealed.as_str()))
        .bind(
            part.and_then(|part| part.renew_at)
                .map(|at| to_column(at.millis())),
        )
        .bind(passkey.map(|it| it.id.as_str()))
        .execute(&self.writer)
        .await
        .tried("keep a session")?;
        Ok(())
    }

    /// The session of this token, unless it has expired by `now`, or the passkey it was begun with gives that role no more.
    pub async fn find_session(
        &self,
        token: KeyHash,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "select token_sha256, created, expires, role, how, who, came_from, renew_at, subject, passkey from sessions
             where token_sha256 = $1 and expires > $2 and (passkey is null or exists
               (select 1 from passkeys where id = sessions.passkey and role = sessions.role and vouched > 0))",
        )
        .bind(token.to_hex())
        .bind(to_column(now.millis()))
        .fetch_optional(&self.readers)
        .await
        .tried("look for a session")?;
        row.map(read).transpose()
    }

    /// Every session that has not expired by `now`, the newest first; at most `limit`.
    pub async fn sessions(&self, now: Timestamp, limit: u32) -> Result<Vec<Session>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "select token_sha256, created, expires, role, how, who, came_from, renew_at, subject, passkey from sessions
             where expires > $1 order by created desc, token_sha256 limit $2",
        )
        .bind(to_column(now.millis()))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .tried("list sessions")?;
        rows.into_iter().map(read).collect()
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
