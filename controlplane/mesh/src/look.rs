//! One look at the mesh: what this machine's service and the coordination server list, together, and what is wrong with it.

use crate::control::Control;
use crate::local::{LocalApi, Status};
use crate::matching::{KnownHost, whose};
use crate::posture::findings;
use kill_wire::Timestamp;
use net_model::{MeshNode, MeshNodeView, MeshView};
use std::error::Error;

/// Asks both, as far as they are there. What one of them does not answer is a problem of the view, never an error.
pub async fn look(
    local: Option<&LocalApi>,
    control: Option<&Control>,
    hosts: &[KnownHost],
    now: Timestamp,
) -> MeshView {
    let mut view = MeshView {
        at: now,
        ..MeshView::default()
    };
    let mut nodes = Vec::new();
    if let Some(control) = control {
        match control.nodes().await {
            Ok((listed, unreadable)) => {
                nodes = listed;
                view.unreadable += unreadable;
            }
            Err(why) => view.problems.push(told(&why)),
        }
    }
    if let Some(local) = local {
        match local.status().await {
            Ok(status) => own(&mut view, &mut nodes, status, local).await,
            Err(why) => view.problems.push(told(&why)),
        }
    }
    nodes.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    view.nodes = nodes
        .iter()
        .map(|node| seen(node, &nodes, hosts, now))
        .collect();
    view
}

async fn own(view: &mut MeshView, nodes: &mut Vec<MeshNode>, mut status: Status, local: &LocalApi) {
    if let Some(own) = status.nodes.iter_mut().find(|node| node.own) {
        match local.prefs().await {
            Ok(prefs) => {
                own.accepts_routes = Some(prefs.route_all);
                own.ssh |= prefs.run_ssh;
            }
            Err(why) => view.problems.push(told(&why)),
        }
    }
    if status.state != "Running" {
        let state = &status.state;
        view.problems.push(format!(
            "the mesh service of this machine is in state `{state}`"
        ));
    }
    view.problems.append(&mut status.health);
    view.state = status.state;
    view.network = status.network;
    view.unreadable += status.unreadable;
    for node in status.nodes {
        merge(nodes, node);
    }
}

/// What both list is one node: the server's id and word on keys and routes, besides what only a neighbour sees.
fn merge(nodes: &mut Vec<MeshNode>, near: MeshNode) {
    let same = |node: &&mut MeshNode| {
        let mut addresses = node.addresses.iter();
        addresses.any(|it| near.addresses.contains(it))
    };
    let Some(node) = nodes.iter_mut().find(same) else {
        nodes.push(near);
        return;
    };
    node.own = near.own;
    node.relayed = near.relayed;
    node.accepts_routes = near.accepts_routes;
    node.ssh |= near.ssh;
    node.exit_node |= near.exit_node;
    if node.os.is_empty() {
        node.os = near.os;
    }
    for route in near.routes {
        if !node.routes.contains(&route) {
            node.routes.push(route);
        }
    }
}

fn seen(node: &MeshNode, all: &[MeshNode], hosts: &[KnownHost], now: Timestamp) -> MeshNodeView {
    let whose = whose(node, all, hosts);
    MeshNodeView {
        node: node.clone(),
        host: whose.host().map(|host| host.name.clone()),
        zone: whose.host().map(|host| host.zone.clone()),
        findings: findings(node, whose, now),
    }
}

/// An error and its causes in one line.
pub(crate) fn told(why: &dyn Error) -> String {
    let mut text = why.to_string();
    let mut cause = why.source();
    while let Some(why) = cause {
        text.push_str(": ");
        text.push_str(&why.to_string());
        cause = why.source();
    }
    text
}
