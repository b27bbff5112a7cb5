//! The forms of what the API takes and gives. Objects may have members besides those named: clients ignore what they do not
//! know.

mod kept;

use serde_json::{Map, Value, json};

/// A reference to one of them.
pub(super) fn of(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

pub(super) fn array(items: &Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// An object that has all these members, and may have others.
pub(super) fn object(members: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    let properties: Map<String, Value> = members
        .iter()
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    json!({ "type": "object", "required": names, "properties": properties })
}

/// A page of a list.
pub(super) fn page_of(name: &str) -> Value {
    object(&[("items", array(&of(name))), ("next", or_null("string"))])
}

/// The same with other members that it always has.
pub(super) fn with(mut schema: Value, members: &[(&str, Value)]) -> Value {
    for (name, member) in members {
        if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
            required.push(json!(name));
        }
        let properties = schema.get_mut("properties");
        if let Some(properties) = properties.and_then(Value::as_object_mut) {
            properties.insert((*name).to_owned(), member.clone());
        }
    }
    schema
}

fn or_null(kind: &str) -> Value {
    json!({ "type": [kind, "null"] })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// Milliseconds since 1970-01-01T00:00:00Z.
fn instant() -> Value {
    json!({ "type": "integer", "minimum": 0, "description": "Milliseconds since 1970-01-01T00:00:00Z." })
}

fn one_of(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

/// What a caller sends: nothing beyond these members, of which the first `needed` must be there.
fn sent(members: &[(&str, Value)], needed: usize) -> Value {
    let mut schema = object(members);
    if let Some(parts) = schema.as_object_mut() {
        let names = members.iter().take(needed).map(|(name, _)| *name);
        parts.insert("required".to_owned(), json!(names.collect::<Vec<_>>()));
        parts.insert("additionalProperties".to_owned(), json!(false));
    }
    schema
}

/// All of them, by name.
pub(super) fn all() -> Value {
    let schemas = taken().into_iter().chain(of_requests());
    let schemas = schemas
        .chain(of_the_house())
        .chain(of_acts())
        .chain(of_hosts())
        .chain(kept::all());
    Value::Object(schemas.map(|(name, it)| (name.to_owned(), it)).collect())
}

fn taken() -> Vec<(&'static str, Value)> {
    let scope = json!({ "type": "string", "description": "ALL, LLM, CLOUD, AGENTS, TOOLS, or the name of a route, consumer, zone or host." });
    let role = one_of(&["viewer", "operator", "admin"]);
    let name = json!({ "type": "string", "pattern": "^[a-zA-Z][a-zA-Z0-9._-]{0,23}$" });
    let days = json!({ "type": "integer", "minimum": 1, "maximum": 366, "default": 90 });
    let code = json!({ "type": "string", "minLength": 1, "maxLength": 40 });
    vec![
        (
            "WantedCut",
            sent(&[("scope", scope.clone()), ("why", text())], 1),
        ),
        (
            "WantedRestore",
            sent(&[("scope", scope), ("code", code)], 2),
        ),
        (
            "WantedToken",
            sent(&[("name", name), ("role", role), ("days", days)], 2),
        ),
    ]
}

fn of_requests() -> Vec<(&'static str, Value)> {
    let step = object(&[
        ("after_ms", count()),
        (
            "stage",
            one_of(&[
                "request", "identity", "policy", "latch", "budget", "breaker", "target", "answer",
            ]),
        ),
        (
            "verdict",
            one_of(&["passed", "passed_over", "refused", "cut_off", "not_reached"]),
        ),
        ("text", text()),
    ]);
    vec![
        ("Step", step),
        (
            "Story",
            object(&[
                ("id", text()),
                ("at", instant()),
                ("status", count()),
                ("took_ms", count()),
                ("steps", array(&of("Step"))),
            ]),
        ),
        (
            "Explanation",
            object(&[
                ("id", text()),
                ("at", instant()),
                ("asked_as", or_null("string")),
                ("trace", or_null("string")),
                ("told_as", or_null("string")),
                ("consumer", or_null("string")),
                ("model", or_null("string")),
                ("api", or_null("string")),
                ("status", count()),
                ("took_ms", count()),
                ("summary", text()),
                ("steps", array(&of("Step"))),
                ("usage", or_null("object")),
                ("others", array(&text())),
            ]),
        ),
    ]
}

/// Gateways that hosts drive; `null` where the database does not answer.
fn elsewhere() -> Value {
    let flag = || json!({ "type": "boolean" });
    let gateway = object(&[
        ("host", text()),
        ("zone", or_null("string")),
        ("gateway", text()),
        ("kind", text()),
        ("heard", instant()),
        ("follows", flag()),
        ("managed", flag()),
        ("targets", array(&json!({ "type": "object" }))),
    ]);
    json!({ "type": ["array", "null"], "items": gateway })
}

fn of_the_house() -> Vec<(&'static str, Value)> {
    vec![
        (
            "Problem",
            object(&[
                ("type", text()),
                ("title", text()),
                (
                    "status",
                    json!({ "type": "integer", "minimum": 400, "maximum": 599 }),
                ),
                ("detail", text()),
            ]),
        ),
        (
            "State",
            object(&[
                ("at", instant()),
                ("demo", json!({ "type": "boolean" })),
                ("killswitch", or_null("object")),
                ("gateway", or_null("object")),
                (
                    "remarks",
                    array(&object(&[("at", instant()), ("text", text())])),
                ),
                (
                    "fallbacks",
                    array(&object(&[("from", text()), ("to", text())])),
                ),
                ("elsewhere", elsewhere()),
                ("problems", array(&text())),
            ]),
        ),
        (
            "Incident",
            object(&[
                ("incident", count()),
                ("scope", text()),
                ("since", instant()),
                ("by", text()),
                ("why", text()),
                ("proof", or_null("object")),
                ("streams", count()),
                ("ended", or_null("object")),
            ]),
        ),
        (
            "Usage",
            object(&[
                ("since", instant()),
                ("last_hour", object(&[("exchanges", count())])),
                ("tokens_per_minute", array(&count())),
                (
                    "consumers",
                    array(&object(&[("name", text()), ("exchanges", count())])),
                ),
            ]),
        ),
    ]
}

fn of_acts() -> Vec<(&'static str, Value)> {
    let maybe = or_null("integer");
    vec![
        (
            "Token",
            object(&[
                ("name", text()),
                ("role", one_of(&["viewer", "operator", "admin"])),
                ("created", instant()),
                ("created_by", text()),
                ("expires", instant()),
                ("revoked", maybe.clone()),
                ("last_used", maybe),
            ]),
        ),
        (
            "CutReport",
            object(&[
                ("scope", text()),
                ("incident", count()),
                ("at", instant()),
                ("severed_ms", count()),
                ("proven_ms", count()),
                ("streams", count()),
                ("proof", object(&[])),
                ("repeated", json!({ "type": "boolean" })),
                ("text", text()),
            ]),
        ),
        (
            "Restored",
            object(&[("scope", text()), ("incident", count()), ("text", text())]),
        ),
    ]
}

fn of_hosts() -> Vec<(&'static str, Value)> {
    let name = json!({ "type": "string", "pattern": "^[a-z][a-z0-9._-]{0,23}$" });
    let roles = [
        "management",
        "gateway",
        "inference",
        "red-zone",
        "router",
        "other",
    ];
    let roles = json!({ "type": "array", "items": one_of(&roles), "minItems": 1 });
    let dial = json!({ "type": "string", "enum": ["out", "in"], "default": "out" });
    let address = json!({ "type": ["string", "null"], "description": "With `dial` in: where the control plane calls it, such as 192.0.2.66:7415." });
    let host = [
        ("name", name.clone()),
        ("zone", name.clone()),
        ("roles", roles),
        ("dial", dial),
        ("address", address),
    ];
    vec![
        ("NewHost", sent(&host, 3)),
        ("NewName", sent(&[("to", name)], 1)),
        (
            "Ticket",
            with(object(&host), &[("expires", instant()), ("token", text())]),
        ),
        (
            "Host",
            object(&[
                ("name", text()),
                ("zone", text()),
                ("roles", array(&text())),
                ("state", text()),
                ("silent", json!({ "type": "boolean" })),
            ]),
        ),
        (
            "Alert",
            object(&[
                ("id", count()),
                ("rule", text()),
                ("text", text()),
                ("since", instant()),
            ]),
        ),
        ("Zone", object(&[("name", text()), ("joined", count())])),
        ("Job", object(&[("name", text()), ("schedule", text())])),
        ("Reload", object(&[("good", json!({ "type": "boolean" }))])),
    ]
}
