//! `portcullis mesh`: who is on the mesh network, whose each node is, what is wrong with it; and what only a person may do there.

use crate::config::{self, MeshSection};
use crate::out::{Out, Paint};
use crate::paths::Home;
use crate::{clock, http};
use anyhow::{Context as _, bail, ensure};
use clap::Subcommand;
use mesh::{Control, KeptPolicy, KnownHost, LocalApi};
use net_model::{HostName, MeshFinding, MeshNodeView, MeshView, Tier, Zone};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use store::{Store, StoreError};

/// Most hosts that are looked for on the mesh.
const MOST: u32 = 4096;

pub(crate) const EXAMPLES: &str = "\
Examples:
  portcullis mesh
  portcullis mesh --json | jq '.nodes[] | select(.host == null) | .name'
  portcullis mesh release
  portcullis mesh delete nCLAW1CNTRL
  portcullis --url https://house.lan --token-file look.token mesh

A cut ends the keys of the nodes it closes and puts the policy of the configuration in force. A restore takes neither
back: `release` does with the policy, and a node signs in again.";

#[derive(Debug, Subcommand)]
pub(crate) enum MeshCommand {
    /// Every node: whose it is, and what is wrong with it (the default)
    #[command(after_long_help = EXAMPLES)]
    List,
    /// Put the policy back that was in force before the cut
    #[command(after_long_help = EXAMPLES)]
    Release,
    /// Take a node off the mesh for good
    #[command(after_long_help = EXAMPLES)]
    Delete {
        /// Its id, as the list shows it
        id: String,
    },
}

/// Where the policy of before is kept.
pub(crate) fn kept_policy(home: &Home) -> KeptPolicy {
    KeptPolicy::at(home.mesh_policy())
}

/// The house's hosts with the addresses that were seen of them and the nodes that the configuration binds them to.
pub(crate) async fn known_hosts(
    store: &Store,
    zones: &[Zone],
    nodes: &BTreeMap<HostName, String>,
) -> Result<Vec<KnownHost>, StoreError> {
    let lines = store
        .host_lines(&store::HostQuery::default(), 0, MOST)
        .await?;
    let known = lines.into_iter().map(|line| {
        let tier = zones.iter().find(|zone| zone.name == line.zone);
        KnownHost {
            stable_id: nodes.get(&line.name).cloned(),
            // Where nothing is known of a zone, its hosts are trusted least.
            tier: tier.map_or(Tier::Contained, |zone| zone.tier),
            addresses: line.latest.map(|it| it.seen.address).into_iter().collect(),
            name: line.name,
            zone: line.zone,
        }
    });
    Ok(known.collect())
}

/// Runs one of the commands.
pub(crate) fn run(
    home: &Home,
    file: Option<&Path>,
    command: Option<&MeshCommand>,
    json: bool,
) -> anyhow::Result<()> {
    let config = config::read(file)?;
    let Some(section) = &config.mesh else {
        bail!("the configuration has no [mesh]; see docs/mesh.md");
    };
    http::block_on(async {
        match command {
            None | Some(MeshCommand::List) => list(home, &config.zones, section, json).await,
            Some(MeshCommand::Release) => release(home, section, json).await,
            Some(MeshCommand::Delete { id }) => {
                control(section)?.delete(id).await?;
                say(
                    json,
                    &json!({ "deleted": id }),
                    &format!("Node {id} is off the mesh."),
                )
            }
        }
    })
}

async fn list(
    home: &Home,
    zones: &[Zone],
    section: &MeshSection,
    json: bool,
) -> anyhow::Result<()> {
    let hosts = if home.database().exists() {
        let store = Store::open(&home.database()).await?;
        let hosts = known_hosts(&store, zones, &section.nodes).await;
        store.close().await;
        hosts?
    } else {
        Vec::new()
    };
    let local = section.socket.clone().map(LocalApi::at);
    let control = section.control.clone().map(Control::new).transpose()?;
    let view = mesh::look(local.as_ref(), control.as_ref(), &hosts, clock::now()).await;
    let kept = kept_policy(home).read()?.is_some();
    show(&view, kept, json)
}

/// The mesh as it was looked at, and whether the policy of before a cut is kept.
pub(crate) fn show(view: &MeshView, policy_kept: bool, json: bool) -> anyhow::Result<()> {
    let mut out = Out::stdout();
    if json {
        out.json(view)?;
    } else {
        print(&mut out, view)?;
        if policy_kept {
            let text = "The policy of a cut is in force; `portcullis mesh release` puts the one of before back.";
            out.line(out.paint(Paint::Yellow, text))?;
        }
    }
    ensure!(
        !view.nodes.is_empty() || view.problems.is_empty(),
        "nothing of the mesh can be read"
    );
    Ok(())
}

fn print(out: &mut Out, view: &MeshView) -> anyhow::Result<()> {
    for node in &view.nodes {
        row(out, node)?;
    }
    if view.unreadable > 0 {
        let text = format!("{} nodes could not be read", view.unreadable);
        out.line(out.paint(Paint::Yellow, &text))?;
    }
    for problem in &view.problems {
        let mark = out.paint(Paint::Red, "problem");
        out.line(format_args!("{mark}  {problem}"))?;
    }
    Ok(())
}

fn row(out: &mut Out, view: &MeshNodeView) -> anyhow::Result<()> {
    let node = &view.node;
    let address = node.addresses.first().map(ToString::to_string);
    let host = match (&view.host, &view.zone) {
        (Some(host), Some(zone)) => format!("{host} in {zone}"),
        _ => "–".to_owned(),
    };
    out.line(format_args!(
        "{:<24} {:<16} {:<20} {}",
        node.name,
        address.unwrap_or_default(),
        node.id,
        host
    ))?;
    for finding in &view.findings {
        let paint = if finding.is_wrong() {
            Paint::Red
        } else {
            Paint::Dim
        };
        let text = out.paint(paint, MeshFinding::text(*finding));
        out.line(format_args!("    {text}"))?;
    }
    Ok(())
}

/// Put back first, forgotten after: what failed in between can be tried again.
async fn release(home: &Home, section: &MeshSection, json: bool) -> anyhow::Result<()> {
    let kept = kept_policy(home);
    let before = kept.read().context("the kept policy cannot be read")?;
    let before = before.context("no policy is kept: no cut has replaced one")?;
    let control = control(section)?;
    control.check_policy(&before).await?;
    let now = control.policy().await?;
    control.set_policy(&before, now.version.as_deref()).await?;
    kept.forget()
        .context("the policy is back; its kept copy cannot be removed")?;
    let text = "The policy of before is in force again. Nodes whose keys were ended sign in again by themselves or by hand.";
    say(json, &json!({ "released": true }), text)
}

fn control(section: &MeshSection) -> anyhow::Result<Control> {
    let settings = section.control.clone();
    let settings = settings.context("the configuration has no [mesh.control]")?;
    Ok(Control::new(settings)?)
}

fn say(json: bool, value: &serde_json::Value, text: &str) -> anyhow::Result<()> {
    let mut out = Out::stdout();
    if json {
        return Ok(out.json(value)?);
    }
    Ok(out.line(text)?)
}
