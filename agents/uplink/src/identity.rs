//! Who this host is: one file, `identity.json`, replaced whole, so that certificate and key always belong together.

use crate::Settings;
use kill_wire::{Timestamp, VerifyingKey};
use net_link::{Clock, Credentials, Named, Peer, Trust};
use net_model::{Dial, HostIdentity, HostRoles, HouseCard, JoinAnswer};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

const FILE: &str = "identity.json";
/// Longest identity in bytes.
const MAX_BYTES: u64 = 64 * 1024;
/// How often a host that is nobody yet looks whether it has joined.
const LOOK: Duration = Duration::from_secs(5);

/// Who this host is in its house.
pub struct Identity {
    /// Site, zone and name, as the certificate says.
    pub name: HostIdentity,
    /// What the host is for.
    pub roles: HostRoles,
    /// Who dials.
    pub dial: Dial,
    /// Whom it trusts.
    pub card: HouseCard,
    pub(crate) credentials: Credentials,
    pub(crate) trust: Trust,
    certificate: String,
}

/// Why this host is nobody.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// It has not joined.
    #[error("this host has not joined a house: run `node-agent join`")]
    Absent,
    /// The file is there and cannot be read or written.
    #[error("{path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file, or what the control plane sent, is no identity.
    #[error("not an identity of this host: {0}")]
    Wrong(&'static str),
}

#[derive(Serialize, Deserialize)]
struct Form {
    roles: HostRoles,
    dial: Dial,
    card: String,
    certificate: String,
    key: Zeroizing<String>,
}

/// The folder it is kept in.
#[derive(Clone, Debug)]
pub struct State {
    dir: PathBuf,
    clock: Clock,
}

impl State {
    /// Kept in `dir`.
    #[must_use]
    pub fn at(dir: &Path, clock: Clock) -> Self {
        let dir = dir.to_owned();
        Self { dir, clock }
    }

    fn file(&self) -> PathBuf {
        self.dir.join(FILE)
    }

    /// Reads it.
    ///
    /// # Errors
    /// When there is none, or it cannot be used.
    pub fn read(&self) -> Result<Identity, IdentityError> {
        use std::io::Read as _;
        let path = self.file();
        let failed = |source: io::Error| {
            if source.kind() == io::ErrorKind::NotFound {
                return IdentityError::Absent;
            }
            IdentityError::File {
                path: path.clone(),
                source,
            }
        };
        let mut text = Zeroizing::new(String::new());
        std::fs::File::open(&path)
            .and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text))
            .map_err(failed)?;
        let form = serde_json::from_str(&text);
        self.built(&form.map_err(|_| IdentityError::Wrong("the file is damaged"))?)
    }

    /// Keeps what the control plane answered: who this host is from now on.
    pub(crate) fn keep_joined(
        &self,
        card: &[u8],
        answer: &JoinAnswer,
        key: &Zeroizing<String>,
    ) -> Result<Identity, IdentityError> {
        let card = String::from_utf8(card.to_vec());
        self.keep(Form {
            roles: answer.roles.clone(),
            dial: answer.dial,
            card: card.map_err(|_| IdentityError::Wrong("the house card is no text"))?,
            certificate: answer.certificate.clone(),
            key: key.clone(),
        })
    }

    /// Keeps the next certificate and its key; the house and everything else stays.
    pub(crate) fn keep_renewed(
        &self,
        of: &Identity,
        certificate: &str,
        key: &Zeroizing<String>,
    ) -> Result<Identity, IdentityError> {
        let card = String::from_utf8(of.card.to_bytes());
        let next = self.built(&Form {
            roles: of.roles.clone(),
            dial: of.dial,
            card: card.map_err(|_| IdentityError::Wrong("the house card is no text"))?,
            certificate: certificate.to_owned(),
            key: key.clone(),
        })?;
        if next.name.site != of.name.site {
            return Err(IdentityError::Wrong("it is of another house"));
        }
        self.keep(Form {
            roles: of.roles.clone(),
            dial: of.dial,
            card: String::from_utf8(of.card.to_bytes()).unwrap_or_default(),
            certificate: certificate.to_owned(),
            key: key.clone(),
        })
    }

    fn keep(&self, form: Form) -> Result<Identity, IdentityError> {
        let identity = self.built(&form)?;
        let failed = |source| IdentityError::File {
            path: self.file(),
            source,
        };
        if !self.dir.is_dir() {
            let mut dir = std::fs::DirBuilder::new();
            dir.recursive(true).mode(0o700);
            dir.create(&self.dir).map_err(failed)?;
        }
        let text = serde_json::to_vec(&form).map(Zeroizing::new);
        let text = text.map_err(|why| failed(why.into()))?;
        kill_files::write_atomic(&self.file(), &text, 0o600).map_err(failed)?;
        Ok(identity)
    }

    /// Everything must fit together before it is used or kept: card, certificate, key.
    fn built(&self, form: &Form) -> Result<Identity, IdentityError> {
        let wrong = IdentityError::Wrong;
        let card = HouseCard::read(form.card.as_bytes());
        let card = card.map_err(|_| wrong("the house card is damaged"))?;
        let trust = Trust::new(&card.authority, self.clock, card.made);
        let trust = trust.map_err(|_| wrong("the house has no authority"))?;
        let credentials = Credentials::from_pem(&form.certificate, &form.key);
        let credentials = credentials.map_err(|_| wrong("certificate or key is damaged"))?;
        // Also notices a key that is not the certificate's.
        let fits = trust.client(Some(&credentials)).is_ok();
        let peer = credentials.certificate().and_then(Peer::of);
        match peer.map(|peer| peer.named) {
            Some(Named::Host(name)) if fits && name.site == card.site => Ok(Identity {
                name,
                roles: form.roles.clone(),
                dial: form.dial,
                card,
                credentials,
                trust,
                certificate: form.certificate.clone(),
            }),
            _ => Err(wrong("the certificate is not one of this house's hosts")),
        }
    }
}

impl Identity {
    /// The kill switches whose orders count here, as they stood when this host joined.
    #[must_use]
    pub fn order_keys(&self) -> &[VerifyingKey] {
        &self.card.order_keys
    }

    /// The house is at least this old: no clock is right before.
    #[must_use]
    pub const fn not_before(&self) -> Timestamp {
        self.card.made
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        self.certificate == other.certificate
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.name)
    }
}

/// Waits until this host is somebody.
pub(crate) async fn wait(settings: &Settings) -> Option<Identity> {
    let state = State::at(&settings.state_dir, settings.clock);
    let mut said = false;
    loop {
        match state.read() {
            Ok(identity) => return Some(identity),
            Err(IdentityError::Absent) => {}
            Err(why) if !said => {
                said = true;
                tracing::error!("Nothing is reported: {why}.");
            }
            Err(_) => {}
        }
        tokio::time::sleep(LOOK).await;
    }
}
