//! What stands on the broker for panels to show, and for Home Assistant to find by itself
//! (MQTT discovery, <https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery>).
//!
//! There is a sensor for every scope and a button for the scopes that were given one. A button cuts; none restores.

use crate::shown::Shown;
use kill_wire::Scope;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a press of a Home Assistant button publishes.
const PRESS: &str = "PRESS";
/// Most scopes that are shown.
const MOST_SCOPES: usize = 200;

/// Names of the topics, and which scopes have a button.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    /// Name of this kill switch among others on the broker.
    pub(super) instance: String,
    /// Where Home Assistant looks for what announces itself.
    pub(super) discovery: String,
    /// Scopes a press may cut.
    pub(super) buttons: Vec<Scope>,
}

impl Panel {
    /// Says `online` while a press would be heard, else `offline`.
    pub(super) fn availability(&self) -> String {
        format!("portcullis/{}/availability", self.instance)
    }

    /// Where answers to texts are published.
    pub(super) fn reply(&self) -> String {
        format!("portcullis/{}/reply", self.instance)
    }

    /// Where texts with codes are heard.
    pub(super) fn text(&self) -> String {
        format!("portcullis/{}/text", self.instance)
    }

    /// Where presses are heard, but for the scope.
    pub(super) fn cut(&self) -> String {
        format!("portcullis/{}/cut/", self.instance)
    }

    /// Every retained topic and its content. Without a state nothing but the buttons is known.
    pub(super) fn retained(&self, state: Option<&Shown>) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        let mut put = |topic: String, content: Value| all.insert(topic, content.to_string());
        for scope in &self.buttons {
            put(self.config("button", scope), self.button(scope));
        }
        let Some(state) = state else { return all };
        for scope in state.scopes.iter().take(MOST_SCOPES) {
            put(self.config("binary_sensor", scope), self.sensor(scope));
            put(self.shown(scope), standing(state, scope));
        }
        let warnings = format!("portcullis/{}/warnings", self.instance);
        put(
            format!("{}/sensor/{}/warnings/config", self.discovery, self.node()),
            self.warnings(&warnings),
        );
        put(
            warnings,
            json!({"count": state.warnings.len(), "warnings": state.warnings}),
        );
        all
    }

    fn node(&self) -> String {
        format!("portcullis_{}", self.instance)
    }

    fn config(&self, component: &str, scope: &Scope) -> String {
        let (discovery, node) = (&self.discovery, self.node());
        // Home Assistant takes letters, digits, `_` and `-` only. Two names of a house differ without their separators.
        let object = word(scope).replace('.', "_");
        format!("{discovery}/{component}/{node}/{object}/config")
    }

    fn shown(&self, scope: &Scope) -> String {
        format!("portcullis/{}/state/{}", self.instance, word(scope))
    }

    /// What every announced thing has in common.
    fn thing(&self, name: &str, what: &str, icon: &str, own: Value) -> Value {
        let node = self.node();
        let mut thing = json!({
            "name": name,
            "unique_id": format!("{node}_{what}"),
            "icon": icon,
            "availability_topic": self.availability(),
            "device": {
                "identifiers": [node],
                "name": format!("Portcullis {}", self.instance),
                "manufacturer": "Portcullis",
                "model": "Kill switch",
            },
        });
        if let (Value::Object(thing), Value::Object(own)) = (&mut thing, own) {
            thing.extend(own);
        }
        thing
    }

    fn button(&self, scope: &Scope) -> Value {
        let what = format!("cut_{}", word(scope));
        let own = json!({
            "command_topic": format!("{}{}", self.cut(), word(scope)),
            "payload_press": PRESS,
            "qos": 1,
            "retain": false,
        });
        self.thing(&format!("Cut {scope}"), &what, "mdi:shield-alert", own)
    }

    fn sensor(&self, scope: &Scope) -> Value {
        let what = format!("state_{}", word(scope));
        let own = json!({
            "state_topic": self.shown(scope),
            "value_template": "{{ value_json.state }}",
            "payload_on": "cut",
            "payload_off": "open",
            "json_attributes_topic": self.shown(scope),
            "qos": 1,
        });
        self.thing(&format!("{scope} is cut"), &what, "mdi:shield-lock", own)
    }

    fn warnings(&self, topic: &str) -> Value {
        let own = json!({
            "state_topic": topic,
            "value_template": "{{ value_json.count }}",
            "json_attributes_topic": topic,
            "qos": 1,
        });
        self.thing("Warnings", "warnings", "mdi:alert-outline", own)
    }
}

/// A scope as part of a topic; names of routes and consumers hold no character that means something there.
pub(super) fn word(scope: &Scope) -> String {
    scope.to_string().to_ascii_lowercase()
}

/// Cut by its own latch or by one of everything.
fn standing(state: &Shown, scope: &Scope) -> Value {
    let by = |wanted: &Scope| state.cut.iter().find(|(latched, _)| latched == wanted);
    match by(scope).or_else(|| by(&Scope::All)) {
        Some((_, incident)) => {
            json!({"state": "cut", "incident": incident.map(kill_wire::Incident::get)})
        }
        None => json!({"state": "open", "incident": null}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kill_wire::Incident;

    fn panel() -> Panel {
        Panel {
            instance: "house".into(),
            discovery: "homeassistant".into(),
            buttons: vec![Scope::All, Scope::Llm],
        }
    }

    fn state() -> Shown {
        Shown {
            scopes: vec![Scope::All, Scope::Llm, "rag-api".parse().unwrap()],
            cut: vec![("rag-api".parse().unwrap(), Incident::try_from(7).ok())],
            warnings: vec!["the disk is full".into()],
        }
    }

    fn read(all: &BTreeMap<String, String>, topic: &str) -> Value {
        serde_json::from_str(&all[topic]).unwrap()
    }

    #[test]
    fn a_button_stands_for_each_scope_that_was_given_one_and_cuts_without_being_retained() {
        let all = panel().retained(None);
        assert_eq!(all.len(), 2);
        let button = read(&all, "homeassistant/button/portcullis_house/llm/config");
        assert_eq!(button["command_topic"], "portcullis/house/cut/llm");
        assert_eq!(button["retain"], false);
        assert_eq!(button["unique_id"], "portcullis_house_cut_llm");
        assert_eq!(
            button["availability_topic"],
            "portcullis/house/availability"
        );
    }

    #[test]
    fn a_sensor_shows_each_scope_with_its_incident() {
        let all = panel().retained(Some(&state()));
        let sensor = read(
            &all,
            "homeassistant/binary_sensor/portcullis_house/rag-api/config",
        );
        let topic = sensor["state_topic"].as_str().unwrap();
        assert_eq!(read(&all, topic), json!({"state": "cut", "incident": 7}));
        assert_eq!(
            read(&all, "portcullis/house/state/llm"),
            json!({"state": "open", "incident": null})
        );
        assert_eq!(read(&all, "portcullis/house/warnings")["count"], 1);
    }

    #[test]
    fn a_cut_of_everything_shows_on_every_scope() {
        let mut state = state();
        state.cut.push((Scope::All, Incident::try_from(8).ok()));
        let all = panel().retained(Some(&state));
        assert_eq!(read(&all, "portcullis/house/state/llm")["incident"], 8);
        assert_eq!(read(&all, "portcullis/house/state/rag-api")["incident"], 7);
    }

    #[test]
    fn nothing_on_the_broker_restores() {
        for (topic, content) in panel().retained(Some(&state())) {
            let all = format!("{topic} {content}").to_lowercase();
            assert!(
                !all.contains("restore") && !all.contains("switch/"),
                "{all}"
            );
        }
    }
}
