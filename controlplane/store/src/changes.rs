//! The record of changes: who changed what, from where, by which sign-in. Each entry carries the SHA-256 of itself and of
//! the entry before, so a row that was altered or taken out from the middle shows.
//!
//! What is absent: a way to change or remove an entry; and anything that stands in the kill switch's journal.

use crate::columns::{to_column, to_time};
use crate::error::{StoreError, Tried};
use crate::open::Store;
use kill_wire::Timestamp;
use net_model::{KeyHash, SignedInBy};
use std::net::IpAddr;

/// Most characters of a text that is kept.
const LONGEST: usize = 400;

/// A change that is about to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewChange {
    /// When.
    pub at: Timestamp,
    /// Who, as the journal names it.
    pub by: String,
    /// By which sign-in.
    pub how: SignedInBy,
    /// From which address, where that is known.
    pub from: Option<IpAddr>,
    /// What was done, such as `token.create`.
    pub what: String,
    /// To what, such as the token's name.
    pub subject: String,
    /// What else there is to say; never a secret.
    pub detail: String,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRow {
    /// Its number; the first is 1.
    pub n: u64,
    /// What was changed.
    pub change: NewChange,
    /// SHA-256 over the entry before and this one, in hexadecimal digits.
    pub sha256: String,
}

impl ChangeRow {
    /// Whether its hash is that of itself behind an entry with this hash; the first stands behind an empty text.
    #[must_use]
    pub fn follows(&self, before: &str) -> bool {
        chained(before, self.n, &self.change) == self.sha256
    }
}

/// How the record was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangesCheck {
    /// Each entry follows from the one before; so many there are.
    Whole(u64),
    /// The first entry that does not follow.
    Broken {
        /// Its number.
        n: u64,
    },
}

type Row = (
    i64,
    i64,
    String,
    String,
    Option<String>,
    String,
    String,
    String,
    String,
);

fn short(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(LONGEST)
        .collect()
}

/// Each text with its length before it, so that no two entries read alike.
fn chained(before: &str, n: u64, change: &NewChange) -> String {
    let at = change.at.millis().to_string();
    let from = change.from.map(|ip| ip.to_string()).unwrap_or_default();
    let n = n.to_string();
    let parts = [
        before,
        &n,
        &at,
        &change.by,
        change.how.as_str(),
        &from,
        &change.what,
        &change.subject,
        &change.detail,
    ];
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    KeyHash::of(&bytes).to_hex()
}

fn read(row: Row) -> Result<ChangeRow, StoreError> {
    let (n, at, by, how, from, what, subject, detail, sha256) = row;
    let not_ours = || StoreError::Row("change");
    let from = from.map(|ip| ip.parse().map_err(|_| not_ours()));
    Ok(ChangeRow {
        n: n.unsigned_abs(),
        change: NewChange {
            at: to_time(at),
            by,
            how: how.parse().map_err(|_| not_ours())?,
            from: from.transpose()?,
            what,
            subject,
            detail,
        },
        sha256,
    })
}

impl Store {
    /// Writes a change down, after all that were; returns its number. Texts are cut at 400 characters.
    pub async fn keep_change(&self, change: &NewChange) -> Result<u64, StoreError> {
        const TRIED: &str = "write a change down";
        let change = NewChange {
            by: short(&change.by),
            what: short(&change.what),
            subject: short(&change.subject),
            detail: short(&change.detail),
            ..change.clone()
        };
        // Another process may write too: the lock is taken before the last entry is read.
        let mut tx = self
            .writer
            .begin_with("begin immediate")
            .await
            .tried(TRIED)?;
        let last: Option<(i64, String)> =
            sqlx::query_as("select n, sha256 from changes order by n desc limit 1")
                .fetch_optional(&mut *tx)
                .await
                .tried(TRIED)?;
        let (last, before) = last.unwrap_or_default();
        let n = last.unsigned_abs() + 1;
        sqlx::query(
            "insert into changes (n, at, who, how, came_from, what, subject, detail, sha256)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(to_column(n))
        .bind(to_column(change.at.millis()))
        .bind(&change.by)
        .bind(change.how.as_str())
        .bind(change.from.map(|ip| ip.to_string()))
        .bind(&change.what)
        .bind(&change.subject)
        .bind(&change.detail)
        .bind(chained(&before, n, &change))
        .execute(&mut *tx)
        .await
        .tried(TRIED)?;
        tx.commit().await.tried(TRIED)?;
        Ok(n)
    }

    /// The newest first; with `after`, those before the entry of that number.
    pub async fn changes(
        &self,
        limit: u32,
        after: Option<u64>,
    ) -> Result<Vec<ChangeRow>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "select n, at, who, how, came_from, what, subject, detail, sha256 from changes
             where n < $1 order by n desc limit $2",
        )
        .bind(after.map_or(i64::MAX, to_column))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .tried("read changes")?;
        rows.into_iter().map(read).collect()
    }

    /// The oldest first, behind the entry of that number; 0 is before the first.
    pub async fn changes_behind(&self, n: u64, limit: u32) -> Result<Vec<ChangeRow>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as(
            "select n, at, who, how, came_from, what, subject, detail, sha256 from changes
             where n > $1 order by n limit $2",
        )
        .bind(to_column(n))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await
        .tried("read changes")?;
        rows.into_iter().map(read).collect()
    }

    /// Follows the record from its first entry. That the newest entries are still there it cannot know.
    pub async fn check_changes(&self) -> Result<ChangesCheck, StoreError> {
        const AT_ONCE: i64 = 1000;
        let (mut n, mut before) = (0_u64, String::new());
        loop {
            let rows: Vec<Row> = sqlx::query_as(
                "select n, at, who, how, came_from, what, subject, detail, sha256 from changes
                 where n > $1 order by n limit $2",
            )
            .bind(to_column(n))
            .bind(AT_ONCE)
            .fetch_all(&self.readers)
            .await
            .tried("read changes")?;
            if rows.is_empty() {
                return Ok(ChangesCheck::Whole(n));
            }
            for row in rows {
                let wanted = n + 1;
                let found = row.0.unsigned_abs();
                let follows = read(row).is_ok_and(|row| {
                    let whole = row.follows(&before);
                    before = row.sha256;
                    whole
                });
                if !follows || found != wanted {
                    return Ok(ChangesCheck::Broken { n: wanted });
                }
                n = wanted;
            }
        }
    }
}
