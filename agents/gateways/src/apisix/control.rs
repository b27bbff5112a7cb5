//! What the control API says of the health of our upstreams.

use super::Apisix;
use super::names::PREFIX;
use crate::GatewayError;
use crate::http::{Ask, once};
use http::Method;
use kill_wire::Name;
use serde_json::Value;
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(2);
const PATH: &str = "/v1/healthcheck";

impl Apisix {
    /// Whether each target of ours that is watched is well; none where no control API is set.
    ///
    /// A target is watched from the first request that it gets.
    ///
    /// # Errors
    /// Where the control API cannot be reached, or answers something else.
    pub async fn health(&self) -> Result<Vec<(Name, bool)>, GatewayError> {
        let Some(at) = self.settings.control else {
            return Ok(Vec::new());
        };
        let answer = once(at, &Ask::new(Method::GET, PATH), WAIT).await?;
        if !answer.status.is_success() {
            let said = format!("{PATH} answered {}", answer.status.as_u16());
            return Err(GatewayError::Refused(said));
        }
        Ok(read(&answer.json()?))
    }
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
