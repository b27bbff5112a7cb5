//! Nodes and pre-auth keys as Headscale's `/api/v1` has them.

use super::Listed;
use crate::read::{self, NotUnderstood, nullable};
use net_model::MeshNode;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Answer {
    #[serde(default, deserialize_with = "nullable")]
    nodes: Vec<Value>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Node {
    #[serde(deserialize_with = "number_or_text")]
    id: String,
    #[serde(deserialize_with = "nullable")]
    ip_addresses: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    name: String,
    #[serde(deserialize_with = "nullable")]
    given_name: String,
    user: Option<User>,
    last_seen: Option<String>,
    expiry: Option<String>,
    #[serde(deserialize_with = "nullable")]
    forced_tags: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    valid_tags: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    tags: Vec<String>,
    online: Option<bool>,
    #[serde(deserialize_with = "nullable")]
    approved_routes: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    subnet_routes: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct User {
    #[serde(deserialize_with = "nullable")]
    name: String,
    #[serde(deserialize_with = "number_or_text")]
    id: String,
}

/// gRPC's gateway writes 64-bit numbers as texts; the newer server writes numbers.
fn number_or_text<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    match Option::<Value>::deserialize(from)? {
        None => Ok(String::new()),
        Some(Value::String(text)) => Ok(text),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(_) => Err(serde::de::Error::custom("an id is a number or a text")),
    }
}

pub(crate) fn read(bytes: &[u8]) -> Result<Listed, NotUnderstood> {
    let answer: Answer = read::json(bytes)?;
    let (mut nodes, mut unreadable) = (Vec::new(), 0);
    for node in answer.nodes {
        match serde_json::from_value::<Node>(node) {
            Ok(node) if read::id(&node.id).is_some() => nodes.push(node.into_node()),
            Ok(_) | Err(_) => unreadable += 1,
        }
    }
    Ok((nodes, unreadable))
}

impl Node {
    fn into_node(self) -> MeshNode {
        let addresses = read::addresses(&self.ip_addresses);
        let mut routes = read::beyond(&self.approved_routes, &addresses);
        routes.extend(read::beyond(&self.subnet_routes, &addresses));
        routes.sort();
        routes.dedup();
        let mut tags = [self.forced_tags, self.valid_tags, self.tags].concat();
        tags.sort();
        tags.dedup();
        let name = if self.given_name.is_empty() {
            &self.name
        } else {
            &self.given_name
        };
        let login = self.user.filter(|_| tags.is_empty()).unwrap_or_default();
        MeshNode {
            id: self.id,
            name: read::clean(name),
            login: read::clean(&login.name),
            tags: read::clean_all(&tags),
            online: self.online,
            last_seen: read::instant(self.last_seen.as_deref()),
            key: read::key_end(self.expiry.as_deref()),
            exit_node: read::is_exit(&routes),
            routes,
            addresses,
            ..MeshNode::default()
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Keys {
    #[serde(default, deserialize_with = "nullable")]
    pre_auth_keys: Vec<JoinKey>,
}

/// A key that lets a node join.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct JoinKey {
    #[serde(deserialize_with = "number_or_text")]
    id: String,
    #[serde(deserialize_with = "nullable")]
    key: String,
    user: Option<User>,
    #[serde(deserialize_with = "nullable")]
    used: bool,
    #[serde(deserialize_with = "nullable")]
    reusable: bool,
    #[serde(deserialize_with = "nullable")]
    acl_tags: Vec<String>,
}

impl JoinKey {
    pub(crate) fn lets_in(&self, tags: &[String]) -> bool {
        let spent = self.used && !self.reusable;
        !spent && self.acl_tags.iter().any(|tag| tags.contains(tag))
    }

    /// By id, and as older servers want it: by user and key.
    pub(crate) fn to_expire(&self) -> Value {
        let user = self.user.as_ref().map(|user| user.id.as_str());
        json!({ "id": self.id, "user": user, "key": self.key })
    }
}

pub(crate) fn join_keys(bytes: &[u8]) -> Result<Vec<JoinKey>, NotUnderstood> {
    Ok(read::json::<Keys>(bytes)?.pre_auth_keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use net_model::KeyEnd;

    const NODES: &[u8] = br#"{"nodes":[
      {"id":"7","machineKey":"mkey:1","nodeKey":"nodekey:1","discoKey":"discokey:1","ipAddresses":["100.64.0.7","fd7a:115c:a1e0::7"],
       "name":"claw1","user":{"id":"2","name":"agents","createdAt":"2026-01-01T00:00:00Z"},"lastSeen":"2026-11-21T09:00:00Z","expiry":null,
       "preAuthKey":null,"createdAt":"2026-01-01T00:00:00Z","registerMethod":"REGISTER_METHOD_AUTH_KEY","forcedTags":["tag:agent"],
       "invalidTags":[],"validTags":[],"givenName":"claw1","online":true,"approvedRoutes":["10.0.0.0/8"],"availableRoutes":["10.0.0.0/8"],"subnetRoutes":["10.0.0.0/8"]},
      {"id":8,"ipAddresses":["100.64.0.8"],"name":"laptop","user":{"id":1,"name":"ada"},"expiry":"2026-12-24T00:00:00Z","tags":null,"online":false},
      {"id":"../9","ipAddresses":["100.64.0.9"]},
      {"id":10,"ipAddresses":"100.64.0.10"}]}"#;

    #[test]
    fn nodes_are_read_from_the_older_and_the_newer_server() {
        let (nodes, unreadable) = read(NODES).unwrap();
        assert_eq!(unreadable, 2);
        let [claw, laptop] = nodes.as_slice() else {
            panic!("{nodes:?}")
        };
        assert_eq!((claw.id.as_str(), claw.login.as_str()), ("7", ""));
        assert_eq!(claw.tags, ["tag:agent"]);
        assert_eq!(claw.key, KeyEnd::Never);
        assert_eq!(claw.routes.len(), 1);
        assert_eq!((laptop.id.as_str(), laptop.login.as_str()), ("8", "ada"));
        assert!(matches!(laptop.key, KeyEnd::At(_)));
    }

    #[test]
    fn only_keys_that_still_let_such_a_node_in_are_ended() {
        let keys = br#"{"preAuthKeys":[
          {"id":"1","key":"k1","user":{"id":"2"},"reusable":true,"used":true,"aclTags":["tag:agent"]},
          {"id":"2","key":"k2","user":{"id":"2"},"used":true,"aclTags":["tag:agent"]},
          {"id":"3","key":"k3","user":{"id":"2"},"aclTags":["tag:other"]},
          {"id":"4","key":"k4","aclTags":null}]}"#;
        let keys = join_keys(keys).unwrap();
        let tags = ["tag:agent".to_owned()];
        let ended: Vec<&str> = keys
            .iter()
            .filter(|key| key.lets_in(&tags))
            .map(|key| key.id.as_str())
            .collect();
        assert_eq!(ended, ["1"]);
    }
}
