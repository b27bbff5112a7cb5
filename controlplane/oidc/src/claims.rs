//! What a verified ID token says: who it is, and what he may by his groups.

use net_model::DashRole;
use openidconnect::AdditionalClaims;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Most characters of a name.
const LONGEST_NAME: usize = 80;

/// Claims that are not of the standard.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Extra(#[serde(default)] pub(crate) BTreeMap<String, Value>);

impl AdditionalClaims for Extra {}

impl Extra {
    /// The id of the provider's session, by which it ends ours.
    pub(crate) fn sid(&self) -> Option<String> {
        self.0.get("sid")?.as_str().map(str::to_owned)
    }

    /// The groups: under the claim's whole name, or along its dots, as in `realm_access.roles`.
    fn groups(&self, claim: &str) -> Vec<&str> {
        let whole = self.0.get(claim);
        let found = whole.or_else(|| {
            let mut steps = claim.split('.');
            let first = self.0.get(steps.next()?)?;
            steps.try_fold(first, |value, step| value.get(step))
        });
        match found {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
                Vec::new()
            }
        }
    }

    /// The most that the groups give; none where no group gives anything. Keycloak writes groups with a slash before them.
    pub(crate) fn role(&self, claim: &str, roles: &BTreeMap<String, DashRole>) -> Option<DashRole> {
        let role = |group: &str| {
            let plain = group.strip_prefix('/').unwrap_or(group);
            roles.get(group).or_else(|| roles.get(plain)).copied()
        };
        self.groups(claim).into_iter().filter_map(role).max()
    }
}

/// A name that may stand in a journal.
pub(crate) fn name(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(LONGEST_NAME)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn role(claims: Value, claim: &str) -> Option<DashRole> {
        let roles = [("watch", DashRole::Viewer), ("ops", DashRole::Operator)];
        let roles = roles.map(|(group, role)| (group.to_owned(), role));
        let claims: Extra = serde_json::from_value(claims).unwrap();
        claims.role(claim, &roles.into())
    }

    #[test]
    fn groups_give_the_most_they_name_and_nothing_else() {
        let most = Some(DashRole::Operator);
        assert_eq!(role(json!({"groups": ["watch", "ops"]}), "groups"), most);
        assert_eq!(role(json!({"groups": ["/ops"]}), "groups"), most);
        assert_eq!(
            role(json!({"groups": "watch"}), "groups"),
            Some(DashRole::Viewer)
        );
        let nested = json!({"realm_access": {"roles": ["ops", 7, null]}});
        assert_eq!(role(nested, "realm_access.roles"), most);
        let dotted = json!({"https://house.example/groups": ["ops"]});
        assert_eq!(role(dotted, "https://house.example/groups"), most);
        for nothing in [
            json!({}),
            json!({"groups": []}),
            json!({"groups": ["admin", "Ops", "//ops", "ops/x"]}),
            json!({"groups": {"ops": true}}),
            json!({"groups": true}),
            json!({"groups": null}),
        ] {
            assert_eq!(role(nothing.clone(), "groups"), None, "{nothing}");
        }
    }

    #[test]
    fn a_name_holds_no_control_characters_and_ends() {
        assert_eq!(name("ada\u{1b}[2J\n"), "ada[2J");
        assert_eq!(name(&"x".repeat(500)).len(), LONGEST_NAME);
    }
}
