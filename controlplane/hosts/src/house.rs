//! The authority's folder: `authority.pem`, `authority.key`, `agent.key`. Made once; what is lost is never made anew beside hosts
//! that know the old one.

use anyhow::{Context as _, bail};
use kill_wire::{Name, Timestamp, VerifyingKey};
use net_link::{Clock, Credentials, Trust};
use net_model::HouseCard;
use pki::{AgentKey, Authority, Serial};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use zeroize::Zeroizing;

const CERTIFICATE: &str = "authority.pem";
const KEY: &str = "authority.key";
const AGENT_KEY: &str = "agent.key";

/// The house: its authority, and the card that hosts are shown.
#[derive(Debug)]
pub struct House {
    pub(crate) authority: Authority,
    pub(crate) agent_key: AgentKey,
    pub(crate) card: Vec<u8>,
    pub(crate) trust: Trust,
}

/// Whether there is an authority in this folder.
#[must_use]
pub fn exists(dir: &Path) -> bool {
    dir.join(CERTIFICATE).exists()
}

/// Makes the authority of a house in a folder that is not there yet; a crash leaves nothing or everything.
///
/// # Errors
/// When there is one already, or disk or randomness refuse.
pub fn make(dir: &Path, site: &Name, now: Timestamp) -> anyhow::Result<()> {
    if dir.exists() {
        bail!("{} is there already", dir.display());
    }
    // A place of its own: of two processes that make one in the same moment, the first that is done wins.
    let building = dir.with_extension(format!("new-{}", std::process::id()));
    if building.exists() {
        // Of a process that was interrupted: nothing of it was ever used.
        std::fs::remove_dir_all(&building)?;
    }
    let made = build(&building, site, now).and_then(|()| Ok(std::fs::rename(&building, dir)?));
    if made.is_err() {
        // Best effort: what is left was never used.
        drop(std::fs::remove_dir_all(&building));
        return made;
    }
    let parent = dir.parent().unwrap_or_else(|| Path::new("/"));
    Ok(std::fs::File::open(parent)?.sync_all()?)
}

fn build(building: &Path, site: &Name, now: Timestamp) -> anyhow::Result<()> {
    std::fs::DirBuilder::new().mode(0o700).create(building)?;
    let (_, own) = Authority::make(site, now, random()?)?;
    let agent_key = AgentKey::new(&Zeroizing::new(random::<32>()?));
    let write = |name: &str, text: &str| {
        kill_files::write_atomic(&building.join(name), text.as_bytes(), 0o600)
    };
    write(KEY, &own.key)?;
    write(AGENT_KEY, &agent_key.expose())?;
    Ok(write(CERTIFICATE, &own.certificate)?)
}

impl House {
    /// Opens the folder; the card names these kill switches and addresses.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn open(
        dir: &Path,
        order_keys: Vec<VerifyingKey>,
        addresses: Vec<SocketAddr>,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let read = |name: &str| {
            let path = dir.join(name);
            std::fs::read_to_string(&path)
                .map(Zeroizing::new)
                .with_context(|| format!("cannot read {}", path.display()))
        };
        let authority = Authority::read(&read(CERTIFICATE)?, &read(KEY)?)
            .with_context(|| dir.display().to_string())?;
        let agent_key = AgentKey::read(&read(AGENT_KEY)?)
            .with_context(|| format!("{} holds no key", dir.join(AGENT_KEY).display()))?;
        let card = HouseCard {
            site: authority.site().clone(),
            made: authority.made(),
            authority: authority.der().to_vec(),
            order_keys,
            agent_key: agent_key.public(),
            addresses,
        };
        let trust = Trust::new(authority.der(), clock, authority.made())?;
        Ok(Self {
            authority,
            agent_key,
            card: card.to_bytes(),
            trust,
        })
    }

    /// The house's name.
    #[must_use]
    pub const fn site(&self) -> &Name {
        self.authority.site()
    }

    pub(crate) fn control(&self, now: Timestamp) -> anyhow::Result<Credentials> {
        let own = self.authority.control(now, random()?)?;
        Ok(Credentials::from_pem(&own.certificate, &own.key)?)
    }
}

/// Chance of the system.
pub(crate) fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut raw = [0; N];
    getrandom::fill(&mut raw).context("the system gave no random bytes")?;
    Ok(raw)
}

/// The number of a new certificate.
pub(crate) fn serial() -> anyhow::Result<Serial> {
    random()
}
