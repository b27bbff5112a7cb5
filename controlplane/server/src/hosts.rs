//! `portcullis hosts`: who may join and report, and who may not any more.
//!
//! Works on the control plane's own database, so only whoever may read the data folder gets anywhere. A running control plane asks
//! it at each question: nothing has to be told to it. With `--url` the API does the same for an admin's token.

pub(crate) mod canary;
mod examples;
mod list;

use crate::out::{Out, Paint};
use crate::paths::Home;
use crate::{clock, config, house, http};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use hosts::{Guest, Invited};
use kill_config::listed;
use net_model::{Dial, HostName, HostRole, Zone, ZoneName};
use serde_json::json;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use store::Store;

pub(crate) use examples::HOSTS;

#[derive(Debug, Subcommand)]
pub(crate) enum HostsCommand {
    /// Print a token by which one host may join, once, within 15 minutes
    #[command(after_long_help = examples::INVITE)]
    Invite(InviteArgs),
    /// Every host: zone, role, whether it is in, how long its certificate is good
    #[command(after_long_help = examples::LIST)]
    List,
    /// One host: what it says of itself, beside what was seen of it
    #[command(after_long_help = examples::SHOW)]
    Show {
        /// The host
        name: HostName,
    },
    /// Print what a host's agent should try to reach, and what not, as its zone has it
    #[command(after_long_help = examples::CANARY)]
    Canary {
        /// The host
        name: HostName,
    },
    /// Print a new token for a host that is known, after a reinstallation or a revocation
    #[command(after_long_help = examples::REINVITE)]
    Reinvite {
        /// The host
        name: HostName,
    },
    /// Shut a host out now; nothing it says counts any more
    #[command(after_long_help = examples::REVOKE)]
    Revoke {
        /// The host
        name: HostName,
    },
    /// Give a host another name; its history goes along, its next certificate bears it
    #[command(after_long_help = examples::RENAME)]
    Rename {
        /// What it is called
        old: HostName,
        /// What it shall be called
        new: HostName,
    },
    /// The agent's binaries, which hosts are given with the seal of this house
    #[command(subcommand, after_long_help = examples::BINARY)]
    AgentBinary(BinaryCommand),
}

/// Whom to invite.
#[derive(Debug, Args)]
pub(crate) struct InviteArgs {
    /// What it is called; 1 to 24 of a-z, 0-9, `.`, `_`, `-`
    name: HostName,
    /// The zone it stands in; one of `[zones]`, when the configuration has any
    #[arg(long)]
    zone: ZoneName,
    /// What it is for: management, gateway, inference, red-zone, router, other; may be given several times
    #[arg(long = "role", required = true)]
    roles: Vec<HostRole>,
    /// Who opens the connection: the host (out), or the control plane, for a zone that may not reach it (in)
    #[arg(long, value_enum, default_value = "out")]
    dial: DialArg,
    /// Where the control plane calls it, with --dial in
    #[arg(long, value_name = "ADDRESS:PORT", required_if_eq("dial", "in"))]
    at: Option<SocketAddr>,
}

impl InviteArgs {
    /// Whom they describe.
    pub(crate) fn guest(&self) -> Guest {
        Guest {
            name: self.name.clone(),
            zone: self.zone.clone(),
            roles: self.roles.iter().copied().collect(),
            dial: match self.dial {
                DialArg::Out => Dial::Out,
                DialArg::In => Dial::In,
            },
            address: self.at.filter(|_| self.dial == DialArg::In),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DialArg {
    Out,
    In,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BinaryCommand {
    /// Seal a binary and give it to hosts from now on
    #[command(after_long_help = examples::BINARY)]
    Add {
        /// The program `node-agent`
        file: PathBuf,
        /// For which machines [default: such as this one]
        #[arg(long)]
        target: Option<String>,
        /// Its version [default: that of this program]
        #[arg(long = "agent-version", default_value = env!("CARGO_PKG_VERSION"))]
        version: String,
    },
}

/// Runs one of the commands.
pub(crate) fn run(
    home: &Home,
    file: Option<&Path>,
    command: &HostsCommand,
    json: bool,
) -> anyhow::Result<()> {
    if !home.database().exists() {
        bail!(
            "there is no control plane in {}; start it once with `portcullis up` or `portcullis serve --init`",
            home.root().display()
        );
    }
    http::block_on(async {
        let store = Store::open(&home.database()).await?;
        let done = act(home, file, command, &store, json).await;
        store.close().await;
        done
    })
}

async fn act(
    home: &Home,
    file: Option<&Path>,
    command: &HostsCommand,
    store: &Store,
    json: bool,
) -> anyhow::Result<()> {
    match command {
        HostsCommand::List => list::print(store, json).await,
        HostsCommand::Show { name } => {
            let zones = config::read(file)?.zones;
            crate::fleet::show(store, name, &zones, json).await
        }
        HostsCommand::Canary { name } => {
            let zones = config::read(file)?.zones;
            canary::print(store, name, &zones, json).await
        }
        HostsCommand::Invite(args) => invite(home, file, store, args, json).await,
        HostsCommand::Reinvite { name } => reinvite(home, file, store, name, json).await,
        HostsCommand::Revoke { name } => {
            let done = store.revoke_host(name, clock::now()).await?;
            anyhow::ensure!(done, "there is no host {name}");
            show_revoked(name, json)
        }
        HostsCommand::Rename { old, new } => {
            let done = store.rename_host(old, new).await?;
            anyhow::ensure!(done, "there is no host {old}, or there is a {new} already");
            show_renamed(old, new, json)
        }
        HostsCommand::AgentBinary(BinaryCommand::Add {
            file: binary,
            target,
            version,
        }) => {
            let house = house::open(home, &config::read(file)?, store).await?;
            let own = net_model::own_target();
            let target = target.as_deref().unwrap_or(&own);
            let seal =
                hosts::add_agent_binary(&house, &home.agent_binaries(), binary, target, version)?;
            say(
                json,
                &seal,
                &format!("{target} {version}, SHA-256 {}", seal.sha256),
            )
        }
    }
}

/// Shut out, wherever that was asked for.
pub(crate) fn show_revoked(name: &HostName, json: bool) -> anyhow::Result<()> {
    let text = format!(
        "{name} is shut out. It may come in again by a new token: portcullis hosts reinvite {name}"
    );
    say(json, &json!({ "revoked": name }), &text)
}

/// Called otherwise, wherever that was asked for.
pub(crate) fn show_renamed(old: &HostName, new: &HostName, json: bool) -> anyhow::Result<()> {
    let text = format!("{old} is called {new} now; its next certificate says so, within a minute.");
    say(json, &json!({ "renamed": old, "to": new }), &text)
}

fn say(json: bool, value: &impl serde::Serialize, text: &str) -> anyhow::Result<()> {
    let mut out = Out::stdout();
    if json {
        out.json(value)?;
    } else {
        out.line(text)?;
    }
    Ok(())
}

async fn invite(
    home: &Home,
    file: Option<&Path>,
    store: &Store,
    args: &InviteArgs,
    json: bool,
) -> anyhow::Result<()> {
    let guest = args.guest();
    let config = config::read(file)?;
    known(&guest.zone, &config.zones)?;
    let house = house::open(home, &config, store).await?;
    let invited = hosts::invite(store, &house, guest.clone(), false, clock::now()).await?;
    let invited = invited.with_context(|| {
        let name = &guest.name;
        format!("{name} is known already: portcullis hosts reinvite {name}")
    })?;
    show(&guest, &invited, json)
}

/// A zone that the configuration has, if it has any: the certificate of a host in a misspelled one would have to be made anew.
pub(crate) fn known(zone: &ZoneName, zones: &[Zone]) -> anyhow::Result<()> {
    let names: Vec<&str> = zones.iter().map(|it| it.name.as_str()).collect();
    anyhow::ensure!(
        names.is_empty() || names.contains(&zone.as_str()),
        "there is no zone `{zone}`; the configuration has {}",
        listed(&names)
    );
    Ok(())
}

async fn reinvite(
    home: &Home,
    file: Option<&Path>,
    store: &Store,
    name: &HostName,
    json: bool,
) -> anyhow::Result<()> {
    let known = store.host(name).await?;
    let known = known.with_context(|| format!("there is no host {name}"))?;
    let guest = Guest {
        name: known.name,
        zone: known.zone,
        roles: known.roles,
        dial: known.dial,
        address: known.address,
    };
    let house = house::open(home, &config::read(file)?, store).await?;
    let invited = hosts::invite(store, &house, guest.clone(), true, clock::now()).await?;
    let invited = invited.with_context(|| format!("there is no host {name}"))?;
    show(&guest, &invited, json)
}

/// The token, once.
pub(crate) fn show(guest: &Guest, invited: &Invited, json: bool) -> anyhow::Result<()> {
    let (name, token) = (&guest.name, &*invited.token);
    let mut out = Out::stdout();
    if json {
        return Ok(out.json(&json!({
            "host": name,
            "zone": guest.zone,
            "roles": guest.roles,
            "dial": guest.dial,
            "expires": invited.expires.to_string(),
            "token": token,
        }))?);
    }
    let until = invited.expires.clock();
    out.line(format_args!(
        "{name} may join until {until}, once, by this token. It is a secret:"
    ))?;
    out.gap()?;
    out.line(out.paint(Paint::Bold, token))?;
    out.gap()?;
    out.line("On the host, then paste it:  node-agent join -")?;
    if guest.dial == Dial::In {
        out.line("The host waits there until this control plane has called it.")?;
    }
    Ok(())
}
