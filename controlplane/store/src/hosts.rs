//! Hosts: who was invited, who joined, by which certificate each is known, and who was shut out.

use crate::columns::{to_column, to_time};
use crate::error::{StoreError, Tried};
use crate::open::Store;
use kill_wire::Timestamp;
use net_model::{Dial, HostName, HostRole, HostRoles, KeyHash, ZoneName};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use std::net::SocketAddr;

/// Whether a host may speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostState {
    /// Invited, and not there yet.
    Invited,
    /// Joined: its certificate counts.
    Joined,
    /// Shut out: nothing it says counts, whatever it shows.
    Revoked,
}

impl HostState {
    pub(crate) const ALL: [Self; 3] = [Self::Invited, Self::Joined, Self::Revoked];

    /// As people read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Joined => "joined",
            Self::Revoked => "revoked",
        }
    }
}

/// One host as the control plane knows it, without what it reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostRecord {
    /// Its name.
    pub name: HostName,
    /// Where it stands.
    pub zone: ZoneName,
    /// What it is for.
    pub roles: HostRoles,
    /// Who dials.
    pub dial: Dial,
    /// Where it is dialled.
    pub address: Option<SocketAddr>,
    /// Whether it may speak.
    pub state: HostState,
    /// Until when an open invitation can be used.
    pub invited_until: Option<Timestamp>,
    /// Since when it has been in.
    pub joined: Option<Timestamp>,
    /// Since when it has been shut out.
    pub revoked: Option<Timestamp>,
    /// Its newest certificate.
    pub certificate: Option<CertificateRecord>,
    /// The certificate before that one is good still: the newest was not seen yet.
    pub has_one_before: bool,
}

/// The newest certificate of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRecord {
    /// The name it was issued for.
    pub name: HostName,
    /// SHA-256 of it (DER).
    pub sha256: KeyHash,
    /// Since when it is good.
    pub issued: Timestamp,
    /// From then on it is good for nothing.
    pub not_after: Timestamp,
}

/// Whom to invite.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Its name.
    pub name: HostName,
    /// Where it stands.
    pub zone: ZoneName,
    /// What it is for.
    pub roles: HostRoles,
    /// Who dials.
    pub dial: Dial,
    /// Where it is dialled.
    pub address: Option<SocketAddr>,
    /// Hash of the token's secret.
    pub token: KeyHash,
    /// From then on the token is good for nothing.
    pub expires: Timestamp,
}

/// A host found by the certificate it showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownHost {
    /// The host.
    pub host: HostRecord,
    /// It showed the certificate before its newest.
    pub by_the_one_before: bool,
    /// From then on the certificate it showed is good for nothing.
    pub not_after: Timestamp,
}

impl Store {
    /// Invites a host, or invites one anew that is known: the newest token is the only one. False when it is in and `anew` is
    /// not set, or the other way round.
    pub async fn invite_host(
        &self,
        it: &Invitation,
        anew: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = if anew {
            "update hosts set zone = $2, roles = $3, dial = $4, address = $5, invite_sha256 = $6, invite_expires = $7
             where name = $1 and $8 >= 0"
        } else {
            "insert into hosts (name, zone, roles, dial, address, invite_sha256, invite_expires, created, state)
             values ($1, $2, $3, $4, $5, $6, $7, $8, 'invited') on conflict (name) do nothing"
        };
        let done = sqlx::query(sql)
            .bind(it.name.as_str())
            .bind(it.zone.as_str())
            .bind(roles_text(&it.roles))
            .bind(it.dial.as_str())
            .bind(it.address.map(|it| it.to_string()))
            .bind(it.token.to_hex())
            .bind(to_column(it.expires.millis()))
            .bind(to_column(now.millis()))
            .execute(&self.writer)
            .await
            .tried("invite a host")?;
        Ok(done.rows_affected() > 0)
    }

    /// Whom a token invites, while it can be used.
    pub async fn invited_host(
        &self,
        name: &HostName,
        token: KeyHash,
        now: Timestamp,
    ) -> Result<Option<HostRecord>, StoreError> {
        let row = sqlx::query(
            "select * from hosts where name = $1 and invite_sha256 = $2 and invite_expires > $3",
        )
        .bind(name.as_str())
        .bind(token.to_hex())
        .bind(to_column(now.millis()))
        .fetch_optional(&self.readers)
        .await
        .tried("look for an invitation")?;
        row.map(|row| record(&row)).transpose()
    }

    /// Uses up the token and lets the host in by its first certificate. False when the token was used or withdrawn meanwhile.
    pub async fn host_joined(
        &self,
        token: KeyHash,
        certificate: &CertificateRecord,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "update hosts set state = 'joined', invite_sha256 = null, invite_expires = null, joined = $4, revoked = null,
               cert_name = $1, cert_sha256 = $3, cert_issued = $4, cert_not_after = $5,
               before_sha256 = null, before_not_after = null
             where name = $1 and invite_sha256 = $2 and invite_expires > $4",
        )
        .bind(certificate.name.as_str())
        .bind(token.to_hex())
        .bind(certificate.sha256.to_hex())
        .bind(to_column(certificate.issued.millis()))
        .bind(to_column(certificate.not_after.millis()))
        .execute(&self.writer)
        .await
        .tried("let a host in")?;
        Ok(done.rows_affected() > 0)
    }

    /// The host that a certificate belongs to, also when it is shut out.
    pub async fn host_by_certificate(
        &self,
        certificate: KeyHash,
    ) -> Result<Option<KnownHost>, StoreError> {
        let row = sqlx::query("select * from hosts where cert_sha256 = $1 or before_sha256 = $1")
            .bind(certificate.to_hex())
            .fetch_optional(&self.readers)
            .await
            .tried("look for a host")?;
        let Some(row) = row else { return Ok(None) };
        let host = record(&row)?;
        let newest = host.certificate.as_ref();
        let newest = newest.filter(|it| it.sha256 == certificate);
        let before: Option<i64> = row.try_get("before_not_after").tried("look for a host")?;
        Ok(Some(KnownHost {
            by_the_one_before: newest.is_none(),
            not_after: newest.map_or(to_time(before.unwrap_or(0)), |it| it.not_after),
            host,
        }))
    }

    /// Notes that a host was given its next certificate on the strength of `shown`, which stays good until the next was seen.
    /// False when the host is not in by `shown` any more.
    pub async fn host_renewed(
        &self,
        name: &HostName,
        shown: KeyHash,
        next: &CertificateRecord,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "update hosts set
               before_not_after = case when cert_sha256 = $2 then cert_not_after else before_not_after end,
               before_sha256 = $2, cert_name = $3, cert_sha256 = $4, cert_issued = $5, cert_not_after = $6
             where name = $1 and state = 'joined' and (cert_sha256 = $2 or before_sha256 = $2)",
        )
        .bind(name.as_str())
        .bind(shown.to_hex())
        .bind(next.name.as_str())
        .bind(next.sha256.to_hex())
        .bind(to_column(next.issued.millis()))
        .bind(to_column(next.not_after.millis()))
        .execute(&self.writer)
        .await
        .tried("renew a certificate")?;
        Ok(done.rows_affected() > 0)
    }

    /// The newest certificate was seen: the one before is good for nothing from now on.
    pub async fn host_certificate_seen(&self, certificate: KeyHash) -> Result<(), StoreError> {
        sqlx::query(
            "update hosts set before_sha256 = null, before_not_after = null
             where cert_sha256 = $1 and before_sha256 is not null",
        )
        .bind(certificate.to_hex())
        .execute(&self.writer)
        .await
        .tried("retire a certificate")?;
        Ok(())
    }

    /// Shuts a host out; an open invitation is withdrawn too. False when there is none of this name.
    pub async fn revoke_host(&self, name: &HostName, now: Timestamp) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "update hosts set state = 'revoked', revoked = $2, invite_sha256 = null, invite_expires = null
             where name = $1",
        )
        .bind(name.as_str())
        .bind(to_column(now.millis()))
        .execute(&self.writer)
        .await
        .tried("shut a host out")?;
        Ok(done.rows_affected() > 0)
    }

    /// Gives a host another name. False when there is none of the old name, or one of the new.
    pub async fn rename_host(&self, old: &HostName, new: &HostName) -> Result<bool, StoreError> {
        let begun = self.writer.begin_with("begin immediate").await;
        let mut tx = begun.tried("begin to rename a host")?;
        let done = sqlx::query(
            "update hosts set name = $2 where name = $1
             and not exists (select 1 from hosts where name = $2)",
        )
        .bind(old.as_str())
        .bind(new.as_str())
        .execute(&mut *tx)
        .await
        .tried("rename a host")?;
        let renamed = done.rows_affected() > 0;
        if renamed {
            crate::host_reports::rename(&mut tx, old, new).await?;
        }
        tx.commit().await.tried("rename a host")?;
        Ok(renamed)
    }

    /// Every host, by name.
    pub async fn hosts(&self) -> Result<Vec<HostRecord>, StoreError> {
        let rows = sqlx::query("select * from hosts order by name")
            .fetch_all(&self.readers)
            .await
            .tried("read the hosts")?;
        rows.iter().map(record).collect()
    }

    /// One host.
    pub async fn host(&self, name: &HostName) -> Result<Option<HostRecord>, StoreError> {
        let row = sqlx::query("select * from hosts where name = $1")
            .bind(name.as_str())
            .fetch_optional(&self.readers)
            .await
            .tried("look for a host")?;
        row.map(|row| record(&row)).transpose()
    }
}

fn roles_text(roles: &HostRoles) -> String {
    let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    words.join(",")
}

fn record(row: &SqliteRow) -> Result<HostRecord, StoreError> {
    let text = |column| {
        row.try_get::<Option<String>, _>(column)
            .tried("read a host")
    };
    let time = |column| {
        let at = row.try_get::<Option<i64>, _>(column).tried("read a host");
        at.map(|at| at.map(to_time))
    };
    let wrong = StoreError::Row;
    let name = |column, what| -> Result<Option<HostName>, StoreError> {
        let name = text(column)?.map(|it| it.parse()).transpose();
        name.map_err(|_| wrong(what))
    };
    let roles: Result<HostRoles, _> = text("roles")?
        .unwrap_or_default()
        .split(',')
        .filter(|word| !word.is_empty())
        .map(str::parse::<HostRole>)
        .collect();
    let (dial, state) = (text("dial")?, text("state")?);
    let state = HostState::ALL
        .into_iter()
        .find(|it| Some(it.as_str()) == state.as_deref());
    let dial = [Dial::Out, Dial::In]
        .into_iter()
        .find(|it| Some(it.as_str()) == dial.as_deref());
    let address = text("address")?.map(|it| it.parse()).transpose();
    let sha256 = text("cert_sha256")?.as_deref().and_then(KeyHash::from_hex);
    let parts = (
        name("cert_name", "host's certificate")?,
        sha256,
        time("cert_issued")?,
        time("cert_not_after")?,
    );
    let certificate = match parts {
        (Some(name), Some(sha256), Some(issued), Some(not_after)) => Some(CertificateRecord {
            name,
            sha256,
            issued,
            not_after,
        }),
        _ => None,
    };
    let zone = text("zone")?.and_then(|it| it.parse().ok());
    Ok(HostRecord {
        name: name("name", "host name")?.ok_or(wrong("host name"))?,
        zone: zone.ok_or(wrong("zone name"))?,
        roles: roles.map_err(|_| wrong("host's role"))?,
        dial: dial.ok_or(wrong("host's way of being reached"))?,
        address: address.map_err(|_| wrong("host's address"))?,
        state: state.ok_or(wrong("host's state"))?,
        invited_until: time("invite_expires")?,
        joined: time("joined")?,
        revoked: time("revoked")?,
        certificate,
        has_one_before: text("before_sha256")?.is_some(),
    })
}
