//! What `whois` answers: a node, the person who signed it in, and what the policy grants it here.

use crate::read::{self, NotUnderstood, nullable};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Who is behind an address.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WhoIs {
    /// The node's id that stays.
    pub stable_id: String,
    /// Its name.
    pub node: String,
    /// Its key has ended.
    pub expired: bool,
    /// Its tags: a node with tags belongs to nobody.
    pub tags: Vec<String>,
    /// It carries networks: who comes from it may be anybody behind it.
    pub routes_others: bool,
    /// The person.
    pub login: String,
    /// The person's name for people.
    pub display: String,
    /// What the policy grants, by capability.
    pub grants: BTreeMap<String, Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    node: Option<Node>,
    user_profile: Option<Profile>,
    #[serde(default, deserialize_with = "nullable")]
    cap_map: BTreeMap<String, Option<Vec<Value>>>,
}

/// What decides over a person's rights must be there: only what may be left out by the service has a default.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Node {
    #[serde(rename = "StableID")]
    stable_id: String,
    #[serde(default, deserialize_with = "nullable")]
    name: String,
    #[serde(default, deserialize_with = "nullable")]
    tags: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    primary_routes: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    addresses: Vec<String>,
    #[serde(rename = "AllowedIPs", default, deserialize_with = "nullable")]
    allowed_ips: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    expired: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Profile {
    login_name: String,
    #[serde(default, deserialize_with = "nullable")]
    display_name: String,
}

impl WhoIs {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, NotUnderstood> {
        let answer: Answer = read::json(bytes)?;
        let missing = |what: &str| NotUnderstood(format!("no {what} in it"));
        let node = answer.node.ok_or_else(|| missing("node"))?;
        let user = answer.user_profile.ok_or_else(|| missing("user"))?;
        let stable_id = read::clean(&node.stable_id);
        if stable_id.is_empty() {
            return Err(missing("id of the node"));
        }
        let own: Vec<&String> = node.addresses.iter().collect();
        let foreign = node.allowed_ips.iter().any(|net| !own.contains(&net));
        let grants = answer.cap_map.into_iter();
        Ok(Self {
            stable_id,
            node: read::clean(node.name.trim_end_matches('.')),
            expired: node.expired,
            routes_others: foreign || !node.primary_routes.is_empty(),
            tags: node.tags,
            login: read::clean(&user.login_name),
            display: read::clean(&user.display_name),
            grants: grants
                .map(|(name, values)| (name, values.unwrap_or_default()))
                .collect(),
        })
    }
}
