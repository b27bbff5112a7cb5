//! Passkeys and whose they are. A session begun with one holds as long as the passkey is there and has the same role.

use crate::columns::{to_column, to_time};
use crate::error::{StoreError, Tried};
use crate::open::Store;
use kill_wire::Timestamp;
use net_model::{DashRole, KeyHash};

/// Whose a passkey is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasskeyOwner {
    /// Of whoever could make a link at the machine.
    Machine,
    /// Of a person of the provider.
    Person {
        /// The provider's name of itself.
        issuer: String,
        /// The person's id there, which stays.
        subject: String,
    },
}

impl PasskeyOwner {
    fn columns(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::Machine => (None, None),
            Self::Person { issuer, subject } => (Some(issuer), Some(subject)),
        }
    }
}

/// What is kept of a passkey; none of it lets anybody in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyRecord {
    /// Its id, as the browser has it.
    pub id: String,
    /// What its person calls it.
    pub name: String,
    /// What it knows its person by.
    pub handle: String,
    /// Whose it is.
    pub owner: PasskeyOwner,
    /// The person's login as it was last seen; empty for the machine's owner.
    pub who: String,
    /// What it gives.
    pub role: DashRole,
    /// When it was last said, by whoever says it, that the person has this role; 0 when it was said that he has none.
    pub vouched: Timestamp,
    /// Its public key.
    pub key: String,
    /// Its counter.
    pub state: String,
    /// Since when it is known.
    pub created: Timestamp,
    /// When it was last used.
    pub last_used: Option<Timestamp>,
}

type Row = (
    String,
    String,
    String,
    Option<String>,
    Option<String>,
    String,
    String,
    i64,
    String,
    String,
    i64,
    Option<i64>,
);

fn read(row: Row) -> Result<PasskeyRecord, StoreError> {
    let (id, name, handle, issuer, subject, who, role, vouched, key, state, created, used) = row;
    let owner = match (issuer, subject) {
        (Some(issuer), Some(subject)) => PasskeyOwner::Person { issuer, subject },
        (None, None) => PasskeyOwner::Machine,
        (Some(_), None) | (None, Some(_)) => return Err(StoreError::Row("passkey")),
    };
    Ok(PasskeyRecord {
        id,
        name,
        handle,
        owner,
        who,
        role: role.parse().map_err(|_| StoreError::Row("passkey"))?,
        vouched: to_time(vouched),
        key,
        state,
        created: to_time(created),
        last_used: used.map(to_time),
    })
}

fn tokens(rows: Vec<String>) -> Vec<KeyHash> {
    rows.iter()
        .filter_map(|token| KeyHash::from_hex(token))
        .collect()
}

impl Store {
    /// Keeps a new passkey. False when there is one of that id.
    pub async fn add_passkey(&self, passkey: &PasskeyRecord) -> Result<bool, StoreError> {
        let (issuer, subject) = passkey.owner.columns();
        let done = sqlx::query(
            "insert into passkeys (id, name, handle, issuer, subject, who, role, vouched, public_key, state, created)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (id) do nothing",
        )
        .bind(&passkey.id)
        .bind(&passkey.name)
        .bind(&passkey.handle)
        .bind(issuer)
        .bind(subject)
        .bind(&passkey.who)
        .bind(passkey.role.as_str())
        .bind(to_column(passkey.vouched.millis()))
        .bind(&passkey.key)
        .bind(&passkey.state)
        .bind(to_column(passkey.created.millis()))
        .execute(&self.writer)
        .await
        .tried("keep a passkey")?;
        Ok(done.rows_affected() > 0)
    }

    /// The passkey of this id.
    pub async fn passkey(&self, id: &str) -> Result<Option<PasskeyRecord>, StoreError> {
        let row: Option<Row> = sqlx::query_as(
            "select id, name, handle, issuer, subject, who, role, vouched, public_key, state, created, last_used
             from passkeys where id = $1",
        )
        .bind(id)
        .fetch_optional(&self.readers)
        .await
        .tried("look for a passkey")?;
        row.map(read).transpose()
    }

    /// Every passkey, the newest first; at most `limit`.
    pub async fn passkeys(&self, limit: u32) -> Result<Vec<PasskeyRecord>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "select id, name, handle, issuer, subject, who, role, vouched, public_key, state, created, last_used
             from passkeys order by created desc, id limit $1",
        )
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .tried("list passkeys")?;
        rows.into_iter().map(read).collect()
    }

    /// A passkey was used: its state is `now_is` if it still was `was`. False where it was not, or the passkey is gone: of
    /// two uses of one state only one counts.
    pub async fn passkey_used(
        &self,
        id: &str,
        was: &str,
        now_is: &str,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "update passkeys set state = $3, last_used = $4 where id = $1 and state = $2",
        )
        .bind(id)
        .bind(was)
        .bind(now_is)
        .bind(to_column(at.millis()))
        .execute(&self.writer)
        .await
        .tried("mark a passkey as used")?;
        Ok(done.rows_affected() > 0)
    }

    /// Removes a passkey and ends every session begun with it. Returns what was kept of their tokens.
    pub async fn remove_passkey(&self, id: &str) -> Result<Vec<KeyHash>, StoreError> {
        const TRIED: &str = "remove a passkey";
        let begun = self.writer.begin_with("begin immediate").await;
        let mut tx = begun.tried(TRIED)?;
        sqlx::query("delete from passkeys where id = $1")
            .bind(id)
            .execute(&mut *tx)
            .await
            .tried(TRIED)?;
        let ended =
            sqlx::query_scalar("delete from sessions where passkey = $1 returning token_sha256")
                .bind(id)
                .fetch_all(&mut *tx)
                .await
                .tried(TRIED)?;
        tx.commit().await.tried(TRIED)?;
        Ok(tokens(ended))
    }

    /// The provider has said who somebody is and what he may: so much his passkeys give from now on, and nothing where he
    /// may nothing. Ends the sessions begun with one that gave something else; returns what was kept of their tokens.
    pub async fn vouch_passkeys(
        &self,
        issuer: &str,
        subject: &str,
        said: Option<(&str, DashRole)>,
        at: Timestamp,
    ) -> Result<Vec<KeyHash>, StoreError> {
        const TRIED: &str = "note what a provider says of somebody with a passkey";
        let role = said.map(|(_, role)| role.as_str());
        let at = said.map_or(Timestamp::default(), |_| at);
        let begun = self.writer.begin_with("begin immediate").await;
        let mut tx = begun.tried(TRIED)?;
        let ended = sqlx::query_scalar(
            "delete from sessions where passkey in
               (select id from passkeys where issuer = $1 and subject = $2 and ($3 is null or role <> $3))
             returning token_sha256",
        )
        .bind(issuer)
        .bind(subject)
        .bind(role)
        .fetch_all(&mut *tx)
        .await
        .tried(TRIED)?;
        sqlx::query(
            "update passkeys set who = coalesce($3, who), role = coalesce($4, role), vouched = $5
             where issuer = $1 and subject = $2",
        )
        .bind(issuer)
        .bind(subject)
        .bind(said.map(|(who, _)| who))
        .bind(role)
        .bind(to_column(at.millis()))
        .execute(&mut *tx)
        .await
        .tried(TRIED)?;
        tx.commit().await.tried(TRIED)?;
        Ok(tokens(ended))
    }
}
