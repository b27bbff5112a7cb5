//! Asks the control API how our upstreams fare: besides everything else, so that no look and no cut waits for it.

use super::Apisix;
use super::names::PREFIX;
use crate::GatewayError;
use crate::http::{Ask, once};
use http::Method;
use kill_wire::{Name, Timestamp};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(2);
const PATH: &str = "/v1/healthcheck";

impl Apisix {
    /// Asks how each target of ours fares by the gateway's own checks, where a control API is set; looks tell it from then
    /// on, with the reason where it could not be heard. `now` is the wall clock.
    ///
    /// A target is watched where it has a `health_every`, and from the first request that it gets.
    pub async fn ask_health(&self, now: Timestamp) {
        if let Some(at) = self.settings.control {
            let said = health(at).await;
            self.state().health.hear(said, now);
        }
    }
}

async fn health(at: SocketAddr) -> Result<Vec<(Name, bool)>, GatewayError> {
    let answer = once(at, &Ask::new(Method::GET, PATH), WAIT).await?;
    if !answer.status.is_success() {
        let said = format!("{PATH} answered {}", answer.status.as_u16());
        return Err(GatewayError::Refused(said));
    }
    Ok(read(&answer.json()?))
}

/// A list of upstreams with their nodes; an empty list is written as an object.
fn read(list: &Value) -> Vec<(Name, bool)> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let one = |one: &Value| {
        let id = one.get("name")?.as_str()?.rsplit('/').next()?;
        let name: Name = id.strip_prefix(PREFIX)?.parse().ok()?;
        let nodes = one.get("nodes")?.as_array()?;
        let well = |node: &Value| {
            let status = node.get("status").and_then(Value::as_str);
            matches!(status, Some("healthy" | "mostly_healthy"))
        };
        Some((name, nodes.iter().any(well)))
    };
    list.iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_upstreams_of_ours_are_told() {
        let list = serde_json::json!([
            { "name": "/apisix/upstreams/portcullis-ollama", "nodes": [{ "status": "healthy" }] },
            { "name": "/apisix/upstreams/portcullis-sky", "nodes": [{ "status": "unhealthy" }] },
            { "name": "/apisix/upstreams/theirs", "nodes": [{ "status": "healthy" }] },
            { "name": "/apisix/routes/portcullis-x", "nodes": {} },
        ]);
        let told = read(&list);
        let told: Vec<(&str, bool)> = told
            .iter()
            .map(|(name, well)| (name.as_str(), *well))
            .collect();
        assert_eq!(told, [("ollama", true), ("sky", false)]);
        assert!(read(&serde_json::json!({})).is_empty());
    }
}
