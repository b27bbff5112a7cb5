//! Every listener of a start, bound before any part starts, or held open for it by systemd (`LISTEN_FDS`,
//! systemd.socket(5)): then the port never closes, and who connects during a restart waits instead of being refused.

use crate::config::Config;
use crate::paths::Part;
use listenfd::ListenFd;
use std::net::{SocketAddr, TcpListener};

/// Bound listeners, by part.
#[derive(Debug)]
pub(super) struct Ports(Vec<(Part, TcpListener)>);

impl Ports {
    /// Binds all of them, or reports every one that is taken.
    pub(super) fn bind(config: &Config, parts: &[Part]) -> anyhow::Result<Self> {
        let mut inherited = inherited();
        let mut bound = Vec::new();
        let mut failed = Vec::new();
        for part in parts {
            let address = configured(config, *part);
            let there = inherited.iter().position(|(at, _)| *at == address);
            let listener = match there {
                Some(at) => Ok(inherited.swap_remove(at).1),
                None => TcpListener::bind(address),
            };
            match listener {
                Ok(listener) => bound.push((*part, listener)),
                Err(why) => failed.push(format!(
                    "\n  {address} for the {name}: {why}; stop what listens there, or set another in the configuration: [{name}] listen = \"127.0.0.1:PORT\"",
                    name = part.name()
                )),
            }
        }
        for (address, _) in inherited {
            tracing::warn!(%address, "A socket was handed over that no part listens at.");
        }
        if failed.is_empty() {
            Ok(Self(bound))
        } else {
            anyhow::bail!("cannot listen:{}", failed.concat())
        }
    }

    /// Where each listens; with port 0 in the configuration, the port that was found.
    pub(super) fn addresses(&self) -> anyhow::Result<Vec<(Part, SocketAddr)>> {
        let addresses = self
            .0
            .iter()
            .map(|(part, listener)| Ok((*part, listener.local_addr()?)));
        addresses.collect()
    }

    /// Hands over the listener of one part.
    pub(super) fn take(&mut self, part: Part) -> Option<TcpListener> {
        let at = self.0.iter().position(|(other, _)| *other == part)?;
        Some(self.0.remove(at).1)
    }
}

/// What was handed over to this process, with its addresses.
fn inherited() -> Vec<(SocketAddr, TcpListener)> {
    let mut handed = ListenFd::from_env();
    let listeners = (0..handed.len()).filter_map(|at| match handed.take_tcp_listener(at) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!(%error, "A socket was handed over that is no TCP listener.");
            None
        }
    });
    listeners
        .filter_map(|listener| Some((listener.local_addr().ok()?, listener)))
        .collect()
}

/// Where a part listens by the configuration.
pub(super) const fn configured(config: &Config, part: Part) -> SocketAddr {
    match part {
        Part::Killswitch => config.killswitch.listen,
        Part::Agent => config.agent.listen,
        Part::Gateway => config.gateway.listen,
        Part::Controlplane => config.controlplane,
    }
}

/// Where a part of this process listens, or where the configuration says it does.
pub(super) fn address(config: &Config, listening: &[(Part, SocketAddr)], part: Part) -> SocketAddr {
    listening
        .iter()
        .find(|(other, _)| *other == part)
        .map_or_else(|| configured(config, part), |(_, address)| *address)
}
