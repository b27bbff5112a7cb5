//! Every listener of a start, bound before any part starts.

use crate::config::Config;
use crate::paths::Part;
use std::net::{SocketAddr, TcpListener};

/// Bound listeners, by part.
#[derive(Debug)]
pub(super) struct Ports(Vec<(Part, TcpListener)>);

impl Ports {
    /// Binds all of them, or reports every one that is taken.
    pub(super) fn bind(config: &Config, parts: &[Part]) -> anyhow::Result<Self> {
        let mut bound = Vec::new();
        let mut failed = Vec::new();
        for part in parts {
            let address = configured(config, *part);
            match TcpListener::bind(address) {
                Ok(listener) => bound.push((*part, listener)),
                Err(why) => failed.push(format!(
                    "\n  {address} for the {name}: {why}; stop what listens there, or set another in the configuration: [{name}] listen = \"127.0.0.1:PORT\"",
                    name = part.name()
                )),
            }
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
