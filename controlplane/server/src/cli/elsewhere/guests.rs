//! Hosts of a house that runs elsewhere: who is there, who may join, who may not any more.

use super::Page;
use super::house;
use crate::hosts::{self as own, HostsCommand, canary};
use crate::remote::{Remote, escaped};
use anyhow::{Context as _, bail};
use hosts::{Guest, Invited};
use kill_wire::Timestamp;
use net_model::{Dial, HostName, HostRoles, ProbeTarget, ZoneName};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::SocketAddr;
use zeroize::Zeroizing;

/// A token for a host, as the API says it. No `Debug`: the token is a secret.
#[derive(Deserialize)]
struct Ticket {
    name: HostName,
    zone: ZoneName,
    roles: HostRoles,
    dial: Dial,
    address: Option<SocketAddr>,
    expires: Timestamp,
    token: String,
}

impl Ticket {
    fn show(self, json: bool) -> anyhow::Result<()> {
        let guest = Guest {
            name: self.name,
            zone: self.zone,
            roles: self.roles,
            dial: self.dial,
            address: self.address,
        };
        let invited = Invited {
            token: Zeroizing::new(self.token),
            expires: self.expires,
        };
        own::show(&guest, &invited, json)
    }
}

pub(super) fn run(remote: &Remote, command: &HostsCommand, json: bool) -> anyhow::Result<()> {
    let at = |name: &HostName, what: &str| {
        let name = escaped(name.as_str());
        format!("/api/v1/hosts/{name}/{what}")
    };
    match command {
        HostsCommand::List => house::hosts(remote, json),
        HostsCommand::Show { name } => house::host(remote, name, json),
        HostsCommand::Canary { name } => of_zone(remote, name, json),
        HostsCommand::Invite(args) => {
            let guest = args.guest();
            let body = json!({
                "name": guest.name, "zone": guest.zone, "roles": guest.roles, "dial": guest.dial,
                "address": guest.address,
            });
            let (_, ticket): (_, Ticket) = remote.post("/api/v1/hosts", &body)?;
            ticket.show(json)
        }
        HostsCommand::Reinvite { name } => {
            let (_, ticket): (_, Ticket) = remote.post(&at(name, "reinvite"), &json!({}))?;
            ticket.show(json)
        }
        HostsCommand::Revoke { name } => {
            let (_, _): (_, Value) = remote.post(&at(name, "revoke"), &json!({}))?;
            own::show_revoked(name, json)
        }
        HostsCommand::Rename { old, new } => {
            let (_, _): (_, Value) = remote.post(&at(old, "rename"), &json!({ "to": new }))?;
            own::show_renamed(old, new, json)
        }
        HostsCommand::AgentBinary(_) => bail!(
            "this needs the machine of the house: the key that seals binaries for hosts never leaves it"
        ),
    }
}

/// What a host should reach and what not, as its zone has it.
fn of_zone(remote: &Remote, name: &HostName, json: bool) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Host {
        zone: ZoneName,
    }
    #[derive(Deserialize)]
    struct Zone {
        name: ZoneName,
        must: Vec<ProbeTarget>,
        must_not: Vec<ProbeTarget>,
    }
    let name = escaped(name.as_str());
    let Host { zone } = remote.get(&format!("/api/v1/hosts/{name}"))?;
    let zones: Page<Zone> = remote.get("/api/v1/zones")?;
    let found = zones.items.iter().find(|it| it.name == zone);
    let found =
        found.with_context(|| format!("that house's configuration has no [zones.{zone}]"))?;
    canary::show(&found.must, &found.must_not, json)
}
