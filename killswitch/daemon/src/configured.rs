//! From the configuration file to settings.

use crate::direct::Direct;
use crate::peers::Peer;
use crate::settings::Settings;
use crate::state;
use crate::vantage::{Point, Vantage};
use crate::watchdog::Watchdog;
use anyhow::Context as _;
use http::{HeaderName, HeaderValue, Method};
use kill_config::{
    ChannelWish, DirectWish, KillSwitchSection, PeerWish, PointWish, Problem, SafeMethod, Secret,
    VantageWish, local,
};
use kill_core::Rules;
use kill_inbound::Channel;
use kill_wire::GuessBound;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// What runs beside the kill switch on its own machine: it stands in where the file names no agents or vantages.
#[derive(Clone, Debug)]
pub struct Beside {
    /// The node agent.
    pub agent: SocketAddr,
    /// The gateway.
    pub gateway: SocketAddr,
    /// The gateway's probe key; without the file there is no gateway to probe.
    pub probe_key: PathBuf,
}

impl Settings {
    /// What the file wants, with the state in `state_dir`.
    pub fn configured(
        section: KillSwitchSection,
        state_dir: PathBuf,
        beside: &Beside,
    ) -> anyhow::Result<Self> {
        let mut agents = section.agents;
        if agents.is_empty() {
            agents.push(beside.agent);
        }
        let mut vantages = vantages(&section.vantages)?;
        if vantages.is_empty() && beside.probe_key.exists() {
            let key = secret(&beside.probe_key)?.expose().to_owned();
            vantages.push(Vantage::own(beside.gateway, key));
        }
        Ok(Self {
            channels: channels(&state_dir, section.channels)?,
            state_dir,
            agents,
            vantages,
            peers: section.peers.into_iter().map(peer).collect(),
            instance: section.instance,
            rules: section.rules,
            drill_every: section.drill_every_ms.map(Duration::from_millis),
            silent_after: section.silent_after_ms.map(Duration::from_millis),
            direct: section.direct.into_iter().map(direct).collect(),
            certificates: section.certificates,
            scopes: section.scopes,
            watchdog: Watchdog::from_environment(),
            lever_socket: section.sockets.lever,
            lever_group: section.sockets.lever_group,
            courier_socket: section.sockets.courier,
            courier_group: section.sockets.courier_group,
            ..Self::default()
        })
    }
}

fn vantages(wishes: &[VantageWish]) -> anyhow::Result<Vec<Vantage>> {
    let mut all = Vec::new();
    for wish in wishes {
        if let Some(key) = &wish.key {
            all.push(Vantage::own(wish.gateway, key.expose().to_owned()));
        } else if !wish.points.is_empty() {
            let points = wish
                .points
                .iter()
                .map(point)
                .collect::<anyhow::Result<_>>()?;
            all.push(Vantage::http(wish.gateway, points));
        }
    }
    Ok(all)
}

fn point(wish: &PointWish) -> anyhow::Result<Point> {
    let key = wish.key.as_ref().map(|key| -> anyhow::Result<_> {
        let mut value = HeaderValue::from_str(key.expose())?;
        value.set_sensitive(true);
        Ok((HeaderName::from_bytes(wish.header.as_bytes())?, value))
    });
    Ok(Point {
        point: wish.point.clone(),
        method: match wish.method {
            SafeMethod::Get => Method::GET,
            SafeMethod::Head => Method::HEAD,
            SafeMethod::Options => Method::OPTIONS,
        },
        path: wish.path.clone(),
        key: key.transpose()?,
    })
}

fn peer(wish: PeerWish) -> Peer {
    Peer {
        name: wish.name,
        address: wish.address,
        key: wish.key,
    }
}

fn direct(wish: DirectWish) -> Direct {
    Direct {
        name: wish.name,
        scope: wish.scope,
        via: wish.via,
        address: wish.address,
    }
}

/// What guessing is worth with these rules and the people of this folder; none while the people cannot be read, which
/// comes up cut and not refused. The error is for whoever wrote the file.
pub fn guess_bound(rules: &Rules, state_dir: &Path) -> Result<Option<GuessBound>, Problem> {
    let Ok(people) = state::read_people(&state::people_file(state_dir)) else {
        return Ok(None);
    };
    let bound = rules.check(&people);
    bound
        .map(Some)
        .map_err(|why| Problem::new("killswitch", why.to_string()))
}

/// The configured channels, and `local`, which is always there; its secret is read anew each time.
pub fn channels(state_dir: &Path, wished: Vec<ChannelWish>) -> anyhow::Result<Vec<Channel>> {
    let path = state_dir.join("channels/local.secret");
    let made = local(&secret(&path)?);
    let made = made.map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?;
    let mut all = vec![made];
    all.extend(wished.into_iter().filter_map(|wish| wish.channel));
    Ok(all)
}

fn secret(path: &Path) -> anyhow::Result<Secret> {
    let text = std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .with_context(|| format!("cannot read {}", path.display()))?;
    Secret::new(&text).with_context(|| format!("{}: there is nothing in it", path.display()))
}
