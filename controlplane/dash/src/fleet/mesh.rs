//! The mesh network: its nodes, whose each is, and what is wrong with it.

use crate::frame::Frame;
use crate::view::When;
use askama::Template;
use net_model::{KeyEnd, MeshFinding, MeshNodeView, MeshStep, MeshView};

#[derive(Debug, Template)]
#[template(path = "fleet/mesh.html")]
pub(crate) struct Mesh {
    frame: Frame,
    heading: String,
    /// None where the house has no mesh.
    at: Option<When>,
    network: String,
    problems: Vec<String>,
    rows: Vec<Row>,
    cut: Option<Cut>,
}

#[derive(Debug)]
struct Row {
    name: String,
    host: String,
    addresses: String,
    id: String,
    who: String,
    key: &'static str,
    key_at: Option<When>,
    findings: Vec<Finding>,
}

#[derive(Debug)]
struct Finding {
    tone: &'static str,
    text: &'static str,
}

#[derive(Debug)]
struct Cut {
    incident: String,
    at: When,
    steps: Vec<MeshStep>,
    policy_kept: bool,
}

pub(super) fn page(frame: Frame, view: Option<&MeshView>) -> Mesh {
    let view = view.filter(|view| view.at.millis() > 0);
    let problems = view.map(|view| {
        let unreadable = view.unreadable;
        let more = (unreadable > 0).then(|| format!("{unreadable} nodes could not be read"));
        view.problems.iter().cloned().chain(more).collect()
    });
    let cut = view.and_then(|view| view.cut.as_ref()).map(|cut| Cut {
        incident: cut.incident.to_string(),
        at: When::day(cut.at),
        steps: cut.steps.clone(),
        policy_kept: cut.policy_kept,
    });
    Mesh {
        frame,
        heading: "Mesh".to_owned(),
        at: view.map(|view| When::day(view.at)),
        network: view.map(|view| view.network.clone()).unwrap_or_default(),
        problems: problems.unwrap_or_default(),
        rows: view.map_or_else(Vec::new, |view| view.nodes.iter().map(row).collect()),
        cut,
    }
}

fn row(view: &MeshNodeView) -> Row {
    let node = &view.node;
    let host = match (&view.host, &view.zone) {
        (Some(host), Some(zone)) => format!("{host} in {zone}"),
        _ => "–".to_owned(),
    };
    let addresses: Vec<String> = node.addresses.iter().map(ToString::to_string).collect();
    let who = if node.tags.is_empty() {
        node.login.clone()
    } else {
        node.tags.join(" ")
    };
    let (key, key_at) = match node.key {
        KeyEnd::Unknown => ("not told", None),
        KeyEnd::Never => ("never ends", None),
        KeyEnd::Ended => ("has ended", None),
        KeyEnd::At(at) => ("", Some(When::day(at))),
    };
    Row {
        name: node.name.clone(),
        host,
        addresses: addresses.join(" "),
        id: node.id.clone(),
        who,
        key,
        key_at,
        findings: view.findings.iter().copied().map(finding).collect(),
    }
}

const fn finding(finding: MeshFinding) -> Finding {
    let tone = if finding.is_wrong() { "bad" } else { "warn" };
    let text = finding.text();
    Finding { tone, text }
}
