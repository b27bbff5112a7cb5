//! Carries a cut on to the mesh: first the policy (one write, and everything stays as evidence), then routes and keys of the
//! nodes, then the keys by which they could join again. Each step is tried whatever came of the others, and doing all of
//! it twice changes nothing more.
//!
//! Runs after a latch. **What the mesh says of itself is no proof**: an ended node may be shown as online; a canary tells.

use crate::control::Control;
use crate::kept::KeptPolicy;
use crate::look::told;
use crate::matching::{KnownHost, could_be};
use kill_wire::{Incident, Latch, LatchSet, Scope};
use net_model::{HostName, MeshNode, MeshStep, Tier};

/// What a cut does on the mesh.
#[derive(Clone, Debug, Default)]
pub struct CutSettings {
    /// The policy that holds as long as a cut does; none: the policy is left as it is.
    pub quarantine: Option<String>,
    /// Nodes with one of these tags are cut with the agents, whoever they are, and so are keys that let such nodes join.
    pub tags: Vec<String>,
}

/// The newest latch that closes agents, a host's zone or a host: the ones that a mesh has anything to do with.
#[must_use]
pub(crate) fn about_hosts(latches: &LatchSet, hosts: &[KnownHost]) -> Option<Incident> {
    let about = |latch: &&Latch| hosts.iter().any(|host| closes(latch, host)) || of_agents(latch);
    let newest = latches.as_slice().iter().rfind(about);
    newest.map(|latch| latch.incident)
}

/// The nodes that what is cut closes: those of contained zones with `ALL` and `AGENTS`, a zone's with its name, a host's with
/// its own. Whatever could be such a host is among them, by a name that it gave itself too: that cuts nobody but itself.
#[must_use]
pub fn affected<'a>(
    latches: &LatchSet,
    all: &'a [MeshNode],
    hosts: &[KnownHost],
    settings: &CutSettings,
) -> Vec<&'a MeshNode> {
    let latches = latches.as_slice();
    let agents = latches.iter().any(of_agents);
    let closed = |host: &KnownHost| latches.iter().any(|latch| closes(latch, host));
    let tagged = |node: &MeshNode| node.tags.iter().any(|tag| settings.tags.contains(tag));
    let is_affected = |node: &&MeshNode| {
        // This machine is never taken off the mesh by itself: a person may need the way to it.
        !node.own && (could_be(node, hosts).any(closed) || agents && tagged(node))
    };
    all.iter().filter(is_affected).collect()
}

const fn of_agents(latch: &Latch) -> bool {
    matches!(latch.scope, Scope::All | Scope::Agents)
}

fn closes(latch: &Latch, host: &KnownHost) -> bool {
    match &latch.scope {
        Scope::All | Scope::Agents => host.tier == Tier::Contained,
        Scope::Named(name) => name == host.zone.name() || name.as_str() == host.name.as_str(),
        Scope::Llm | Scope::Cloud | Scope::Tools => false,
    }
}

/// Does all of it for these nodes of the coordination server's list.
pub async fn carry_out(
    control: &Control,
    kept: &KeptPolicy,
    settings: &CutSettings,
    nodes: &[(&MeshNode, Option<HostName>)],
) -> Vec<MeshStep> {
    let mut steps = Vec::new();
    if let Some(text) = &settings.quarantine {
        let done = quarantine(control, kept, text).await;
        steps.push(step("put the policy for a cut in force".to_owned(), done));
    }
    for (node, host) in nodes {
        let who = match host {
            Some(host) => format!("{host} (node {})", node.id),
            None => format!("node {} `{}`", node.id, node.name),
        };
        // A refusal to end a key that has ended already is none.
        let done = control.expire(&node.id).await.map_err(|why| told(&why));
        steps.push(step(format!("end the key of {who}"), done));
        if !node.routes.is_empty() {
            let done = control.clear_routes(&node.id).await;
            let done = done.map_err(|why| told(&why));
            steps.push(step(format!("route nothing to {who}"), done));
        }
    }
    if !settings.tags.is_empty() {
        let ended = control.end_join_keys(&settings.tags).await;
        let what = match ended {
            Ok(count) => format!("end the keys by which agents join: {count}"),
            Err(_) => "end the keys by which agents join".to_owned(),
        };
        steps.push(step(what, ended.map(drop).map_err(|why| told(&why))));
    }
    steps
}

/// Written down first what there was, then checked, then put: a policy that the server would refuse changes nothing.
async fn quarantine(control: &Control, kept: &KeptPolicy, text: &str) -> Result<(), String> {
    let before = control.policy().await.map_err(|why| told(&why))?;
    if before.text == text {
        return Ok(());
    }
    let keep = kept.keep_apart(&before.text).await;
    keep.map_err(|why| format!("what holds now cannot be kept: {why}"))?;
    control.check_policy(text).await.map_err(|why| told(&why))?;
    let version = before.version.as_deref();
    let put = control.set_policy(text, version).await;
    put.map_err(|why| told(&why))
}

fn step(what: String, done: Result<(), String>) -> MeshStep {
    MeshStep {
        what,
        problem: done.err(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kill_wire::Timestamp;

    fn latches(scope: &str) -> LatchSet {
        let scope = scope.parse().unwrap();
        let since = Timestamp::default();
        let latch = Latch {
            incident: Incident::FIRST,
            scope,
            since,
        };
        LatchSet::try_from(vec![latch]).unwrap()
    }

    fn host(name: &str, zone: &str, tier: Tier, address: &str) -> KnownHost {
        KnownHost {
            name: name.parse().unwrap(),
            zone: zone.parse().unwrap(),
            tier,
            addresses: vec![address.parse().unwrap()],
            stable_id: None,
        }
    }

    fn node(name: &str, address: &str, tag: &str) -> MeshNode {
        MeshNode {
            id: name.to_owned(),
            name: name.to_owned(),
            addresses: vec![address.parse().unwrap()],
            tags: vec![tag.to_owned()],
            ..MeshNode::default()
        }
    }

    fn cut_by(scope: &str, nodes: &[MeshNode]) -> Vec<String> {
        let hosts = [
            host("claw1", "red", Tier::Contained, "100.64.0.7"),
            host("nas", "lan", Tier::Trusted, "100.64.0.9"),
        ];
        let settings = CutSettings {
            quarantine: None,
            tags: vec!["tag:agent".to_owned()],
        };
        let latches = latches(scope);
        let cut = affected(&latches, nodes, &hosts, &settings);
        cut.into_iter().map(|node| node.id.clone()).collect()
    }

    #[test]
    fn a_scope_reaches_the_nodes_of_its_hosts_and_no_others() {
        let nodes = [
            node("claw1", "100.64.0.7", "tag:x"),
            node("nas", "100.64.0.9", "tag:x"),
            node("stray", "100.64.0.8", "tag:agent"),
            node("phone", "100.64.0.6", "tag:x"),
        ];
        for everything in ["ALL", "AGENTS"] {
            assert_eq!(cut_by(everything, &nodes), ["claw1", "stray"]);
        }
        for claw in ["red", "claw1"] {
            assert_eq!(cut_by(claw, &nodes), ["claw1"]);
        }
        assert_eq!(cut_by("lan", &nodes), ["nas"]);
        for other in ["LLM", "CLOUD", "TOOLS", "rag"] {
            assert!(cut_by(other, &nodes).is_empty(), "{other}");
        }
    }

    #[test]
    fn a_contained_host_cannot_leave_a_cut_by_another_name() {
        assert_eq!(
            cut_by("red", &[node("nas", "100.64.0.7", "tag:x")]),
            ["nas"]
        );
        // Nor does it come off by taking another address, as long as it keeps its name.
        assert_eq!(
            cut_by("red", &[node("claw1", "100.64.0.66", "tag:x")]),
            ["claw1"]
        );
    }

    #[test]
    fn this_machine_is_never_taken_off_the_mesh() {
        let mut own = node("claw1", "100.64.0.7", "tag:agent");
        own.own = true;
        assert!(cut_by("ALL", &[own]).is_empty());
    }
}
