//! `portcullis hosts canary`: the section `[canary]` of a host's own file, as its zone has it.

use crate::out::Out;
use anyhow::Context as _;
use net_model::{HostName, ProbeTarget, Zone};
use serde_json::json;
use store::Store;

pub(super) async fn print(
    store: &Store,
    name: &HostName,
    zones: &[Zone],
    json: bool,
) -> anyhow::Result<()> {
    let host = store.host(name).await?;
    let host = host.with_context(|| format!("there is no host {name}"))?;
    let zone = zones.iter().find(|zone| zone.name == host.zone);
    let zone = zone.with_context(|| format!("the configuration has no [zones.{}]", host.zone))?;
    show(&zone.must, &zone.must_not, json)
}

/// The same, wherever it is known from.
pub(crate) fn show(
    must: &[ProbeTarget],
    must_not: &[ProbeTarget],
    json: bool,
) -> anyhow::Result<()> {
    let mut out = Out::stdout();
    if json {
        let value = json!({ "must": must, "must_not": must_not });
        return Ok(out.json(&value)?);
    }
    out.line("[canary]")?;
    out.line(format_args!("must = {}", list(must)))?;
    Ok(out.line(format_args!("must_not = {}", list(must_not)))?)
}

/// No target has a character that TOML would have to escape.
fn list(targets: &[ProbeTarget]) -> String {
    let quoted: Vec<String> = targets.iter().map(|it| format!("\"{it}\"")).collect();
    format!("[{}]", quoted.join(", "))
}
