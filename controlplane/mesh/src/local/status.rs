//! What `status` and `prefs` answer. Whatever is not listed here is passed over, so that a newer service stays readable.

use crate::read::{self, NotUnderstood, nullable};
use net_model::{KeyEnd, MeshNode};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// This machine and its peers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// State of the service as it says it: `Running`, `NeedsLogin`, `InUseOtherUser`, or one that is newer than this.
    pub state: String,
    /// Name of the network.
    pub network: String,
    /// Addresses of this machine on the mesh: where a listener for the mesh is bound to.
    pub addresses: Vec<IpAddr>,
    /// What the service says is wrong.
    pub health: Vec<String>,
    /// This machine, if it takes part, and then everybody else.
    pub nodes: Vec<MeshNode>,
    /// Peers that could not be read.
    pub unreadable: u32,
}

/// What this machine takes part in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Prefs {
    /// It takes the networks that others offer.
    #[serde(deserialize_with = "nullable")]
    pub route_all: bool,
    /// The mesh may sign in to its shell.
    #[serde(rename = "RunSSH", deserialize_with = "nullable")]
    pub run_ssh: bool,
    /// It lets nothing in.
    #[serde(deserialize_with = "nullable")]
    pub shields_up: bool,
    /// Networks that it offers.
    #[serde(deserialize_with = "nullable")]
    pub advertise_routes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Answer<'a> {
    #[serde(deserialize_with = "nullable")]
    backend_state: String,
    #[serde(rename = "TailscaleIPs", deserialize_with = "nullable")]
    tailscale_ips: Vec<String>,
    #[serde(rename = "Self", borrow)]
    own: Option<&'a RawValue>,
    #[serde(deserialize_with = "nullable")]
    health: Vec<String>,
    current_tailnet: Option<Tailnet>,
    #[serde(borrow)]
    peer: Option<BTreeMap<String, &'a RawValue>>,
    user: Option<BTreeMap<String, User>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Tailnet {
    #[serde(deserialize_with = "nullable")]
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct User {
    #[serde(deserialize_with = "nullable")]
    login_name: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Peer {
    #[serde(rename = "ID", deserialize_with = "nullable")]
    id: String,
    #[serde(rename = "HostName", deserialize_with = "nullable")]
    host_name: String,
    #[serde(rename = "DNSName", deserialize_with = "nullable")]
    dns_name: String,
    #[serde(rename = "OS", deserialize_with = "nullable")]
    os: String,
    #[serde(rename = "UserID", deserialize_with = "nullable")]
    user_id: i64,
    #[serde(rename = "TailscaleIPs", deserialize_with = "nullable")]
    tailscale_ips: Vec<String>,
    #[serde(rename = "AllowedIPs", deserialize_with = "nullable")]
    allowed_ips: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    primary_routes: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    tags: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    cur_addr: String,
    #[serde(deserialize_with = "nullable")]
    relay: String,
    online: Option<bool>,
    last_seen: Option<String>,
    key_expiry: Option<String>,
    #[serde(deserialize_with = "nullable")]
    expired: bool,
    #[serde(deserialize_with = "nullable")]
    exit_node_option: bool,
    #[serde(rename = "sshHostKeys", deserialize_with = "nullable")]
    ssh_host_keys: Vec<String>,
}

impl Status {
    /// Reads an answer. One peer that cannot be read hides none of the others: it is counted.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, NotUnderstood> {
        let answer: Answer<'_> = read::json(bytes)?;
        let users = answer.user.unwrap_or_default();
        let mut status = Self {
            state: read::clean(&answer.backend_state),
            network: read::clean(&answer.current_tailnet.unwrap_or_default().name),
            addresses: read::addresses(&answer.tailscale_ips),
            health: read::clean_all(&answer.health),
            ..Self::default()
        };
        let own = answer.own.map(|it| (it, true));
        let peers = answer.peer.unwrap_or_default();
        let peers = peers.into_values().map(|it| (it, false));
        for (raw, own) in own.into_iter().chain(peers) {
            match serde_json::from_str::<Option<Peer>>(raw.get()) {
                Ok(Some(peer)) => status.nodes.push(peer.node(&users, own)),
                Ok(None) => {}
                Err(_) => status.unreadable += 1,
            }
        }
        Ok(status)
    }
}

impl Peer {
    fn node(self, users: &BTreeMap<String, User>, own: bool) -> MeshNode {
        let addresses = read::addresses(&self.tailscale_ips);
        let mut routes = read::beyond(&self.allowed_ips, &addresses);
        routes.extend(read::beyond(&self.primary_routes, &addresses));
        routes.sort();
        routes.dedup();
        let user = users.get(&self.user_id.to_string());
        let login = user.filter(|_| self.tags.is_empty());
        let key = match self.expired {
            true => KeyEnd::Ended,
            false => read::key_end(self.key_expiry.as_deref()),
        };
        let name = self.dns_name.split('.').next().filter(|it| !it.is_empty());
        MeshNode {
            name: read::clean(name.unwrap_or(&self.host_name)),
            id: read::clean(&self.id),
            login: login.map_or_else(String::new, |it| read::clean(&it.login_name)),
            tags: read::clean_all(&self.tags),
            online: self.online,
            last_seen: read::instant(self.last_seen.as_deref()),
            key,
            exit_node: self.exit_node_option || read::is_exit(&routes),
            routes,
            ssh: !self.ssh_host_keys.is_empty(),
            accepts_routes: None,
            os: read::clean(&self.os),
            relayed: (!own).then_some(self.cur_addr.is_empty() && !self.relay.is_empty()),
            own,
            addresses,
        }
    }
}
