//! Devices and keys as `/api/v2` has them: Tailscale's service, and Headscale's newer form.

use super::Listed;
use crate::read::{self, NotUnderstood, nullable};
use net_model::{KeyEnd, MeshNode};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Answer {
    #[serde(default, deserialize_with = "nullable")]
    devices: Vec<Value>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Device {
    #[serde(deserialize_with = "nullable")]
    id: String,
    #[serde(deserialize_with = "nullable")]
    node_id: String,
    #[serde(deserialize_with = "nullable")]
    name: String,
    #[serde(deserialize_with = "nullable")]
    hostname: String,
    #[serde(deserialize_with = "nullable")]
    addresses: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    user: String,
    #[serde(deserialize_with = "nullable")]
    tags: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    os: String,
    last_seen: Option<String>,
    expires: Option<String>,
    #[serde(deserialize_with = "nullable")]
    key_expiry_disabled: bool,
    #[serde(deserialize_with = "nullable")]
    enabled_routes: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    ssh_enabled: bool,
    connected_to_control: Option<bool>,
}

pub(crate) fn read(bytes: &[u8]) -> Result<Listed, NotUnderstood> {
    let answer: Answer = read::json(bytes)?;
    let (mut nodes, mut unreadable) = (Vec::new(), 0);
    for device in answer.devices {
        match serde_json::from_value::<Device>(device) {
            Ok(device) if read::id(device.id()).is_some() => nodes.push(device.into_node()),
            Ok(_) | Err(_) => unreadable += 1,
        }
    }
    Ok((nodes, unreadable))
}

impl Device {
    /// `nodeId` is the one that stays; `id` is the older one.
    fn id(&self) -> &str {
        if self.node_id.is_empty() {
            &self.id
        } else {
            &self.node_id
        }
    }

    fn into_node(self) -> MeshNode {
        let addresses = read::addresses(&self.addresses);
        let routes = read::beyond(&self.enabled_routes, &addresses);
        let first = self.name.split('.').next().filter(|it| !it.is_empty());
        let login = if self.tags.is_empty() {
            self.user.as_str()
        } else {
            ""
        };
        MeshNode {
            id: self.id().to_owned(),
            name: read::clean(first.unwrap_or(&self.hostname)),
            login: read::clean(login),
            tags: read::clean_all(&self.tags),
            online: self.connected_to_control,
            last_seen: read::instant(self.last_seen.as_deref()),
            key: match self.key_expiry_disabled {
                true => KeyEnd::Never,
                false => read::key_end(self.expires.as_deref()),
            },
            exit_node: read::is_exit(&routes),
            routes,
            ssh: self.ssh_enabled,
            os: read::clean(&self.os),
            addresses,
            ..MeshNode::default()
        }
    }
}

#[derive(Deserialize)]
struct Keys {
    #[serde(default, deserialize_with = "nullable")]
    keys: Vec<KeyId>,
}

#[derive(Deserialize)]
struct KeyId {
    id: String,
}

/// The ids of all keys. One that could not stand in a path is an error: it would be passed over in silence.
pub(crate) fn key_ids(bytes: &[u8]) -> Result<Vec<String>, NotUnderstood> {
    let keys: Keys = read::json(bytes)?;
    let checked = |key: KeyId| match read::id(&key.id) {
        Some(_) => Ok(key.id),
        None => Err(NotUnderstood("a key has no usable id".to_owned())),
    };
    keys.keys.into_iter().map(checked).collect()
}

/// Whether a key lets a node in with one of these tags. What is no key for nodes does not.
pub(crate) fn lets_in(bytes: &[u8], tags: &[String]) -> Result<bool, NotUnderstood> {
    let key: Value = read::json(bytes)?;
    let given = key.pointer("/capabilities/devices/create/tags");
    let given = given.and_then(Value::as_array).into_iter().flatten();
    let dead = ["invalid", "revoked"]
        .iter()
        .any(|word| match key.get(word) {
            Some(Value::Bool(it)) => *it,
            Some(Value::String(at)) => read::instant(Some(at)).is_some(),
            _ => false,
        });
    let ours = |tag: &Value| {
        tag.as_str()
            .is_some_and(|tag| tags.iter().any(|it| it == tag))
    };
    Ok(!dead && given.into_iter().any(ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_and_those_without_an_id_are_counted() {
        let (nodes, unreadable) = read(
            br#"{"devices":[
          {"id":"1234","nodeId":"nABC1CNTRL","name":"claw1.tail.ts.net","hostname":"claw1","addresses":["100.64.0.7","fd7a:115c:a1e0::7"],
           "user":"tagged-devices","tags":["tag:agent"],"os":"linux","clientVersion":"1.98.0","created":"2026-01-01T00:00:00Z","lastSeen":"2026-11-21T09:00:00Z",
           "expires":"2026-12-24T00:00:00Z","keyExpiryDisabled":true,"authorized":true,"enabledRoutes":["0.0.0.0/0","::/0"],"advertisedRoutes":[],"sshEnabled":true,"connectedToControl":true},
          {"hostname":"nobody"},
          {"id":"8","addresses":{"no":"list"}}]}"#,
        )
        .unwrap();
        assert_eq!(unreadable, 2);
        let [claw] = nodes.as_slice() else {
            panic!("{nodes:?}")
        };
        assert_eq!(
            (claw.id.as_str(), claw.name.as_str(), claw.login.as_str()),
            ("nABC1CNTRL", "claw1", "")
        );
        assert!(claw.exit_node && claw.ssh);
        assert_eq!(claw.key, KeyEnd::Never);
    }

    #[test]
    fn a_key_counts_by_what_it_lets_in() {
        let tags = ["tag:agent".to_owned()];
        let of = |text: &str| lets_in(text.as_bytes(), &tags).unwrap();
        assert!(of(
            r#"{"id":"k1","capabilities":{"devices":{"create":{"reusable":true,"tags":["tag:agent"]}}}}"#
        ));
        assert!(!of(
            r#"{"id":"k2","capabilities":{"devices":{"create":{"tags":null}}}}"#
        ));
        assert!(!of(
            r#"{"id":"k3","invalid":true,"capabilities":{"devices":{"create":{"tags":["tag:agent"]}}}}"#
        ));
        assert!(!of(r#"{"id":"k4","keyType":"client","scopes":["all"]}"#));
        assert!(key_ids(br#"{"keys":[{"id":"../acl"}]}"#).is_err());
    }
}
