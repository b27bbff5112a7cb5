//! What every exchange with a host needs.

use crate::house::House;
use crate::pace::Pace;
use crate::{Intake, Settings};
use kill_wire::Timestamp;
use net_link::{Clock, Trust};
use pki::Life;
use rustls::{ClientConfig, ServerConfig};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use store::Store;
use tokio::sync::Semaphore;

/// The control plane shows a new certificate after this long: a month.
const OWN_MS: u64 = 30 * 86_400_000;

#[derive(Debug)]
pub(crate) struct Desk<I> {
    pub(crate) store: Store,
    pub(crate) house: House,
    pub(crate) intake: I,
    pub(crate) life: Life,
    pub(crate) binaries: PathBuf,
    pub(crate) downloads: Semaphore,
    pub(crate) pace: Pace,
    clock: Clock,
    own: Mutex<Own>,
}

/// What the control plane shows, to callers, to its hosts, and to a host that does not know it yet.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    since: Timestamp,
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) client: Arc<ClientConfig>,
    pub(crate) towards_strangers: Arc<ClientConfig>,
}

impl Own {
    fn new(house: &House, trust: &Trust, now: Timestamp) -> anyhow::Result<Self> {
        let own = house.control(now)?;
        Ok(Self {
            since: now,
            server: trust.server(&own, true)?,
            client: trust.client(Some(&own))?,
            towards_strangers: net_link::stranger_client(Some(&own))?,
        })
    }
}

impl<I: Intake> Desk<I> {
    pub(crate) fn open(settings: Settings<I>) -> anyhow::Result<Self> {
        let now = (settings.clock)();
        let own = Own::new(&settings.house, &settings.house.trust, now)?;
        Ok(Self {
            store: settings.store,
            house: settings.house,
            intake: settings.intake,
            life: settings.life,
            binaries: settings.binaries,
            downloads: Semaphore::new(4),
            pace: Pace::default(),
            clock: settings.clock,
            own: Mutex::new(own),
        })
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// What to show, made anew each month.
    pub(crate) fn own(&self) -> Own {
        let now = self.now();
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if now.since(own.since) >= OWN_MS {
            match Own::new(&self.house, &self.house.trust, now) {
                Ok(new) => *own = new,
                Err(why) => tracing::error!("The own certificate was not renewed. {why:#}"),
            }
        }
        own.clone()
    }
}
