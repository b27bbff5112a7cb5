//! What each operation of the API says, where more is to be said than its row does.

mod kept;

use super::schemas::{object, of, page_of};
use serde_json::{Value, json};

/// A member of the query.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
    pub(super) schema: Value,
}

/// What is said of one operation.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) summary: String,
    pub(super) queries: Vec<Query>,
    pub(super) body: Option<Value>,
    /// Status and answer.
    pub(super) answers: Vec<(&'static str, Value)>,
}

impl Operation {
    fn new(summary: &str, answers: Vec<(&'static str, Value)>) -> Self {
        Self {
            summary: summary.to_owned(),
            queries: Vec::new(),
            body: None,
            answers,
        }
    }

    fn query(mut self, name: &'static str, text: &'static str, schema: Value) -> Self {
        self.queries.push(Query { name, text, schema });
        self
    }

    fn paged(self, after: Value) -> Self {
        let limit = json!({ "type": "integer", "format": "uint32", "minimum": 0, "maximum": 4_294_967_295_u32 });
        self.query("limit", "At most so many, of at most 500.", limit)
            .query("after", "What `next` of the page before said.", after)
    }

    fn takes(mut self, schema: &Value) -> Self {
        self.body = Some(json!({
            "required": true, "content": { "application/json": { "schema": schema } },
        }));
        self
    }
}

fn gives(text: &str, schema: &Value) -> Value {
    json!({ "description": text, "content": { "application/json": { "schema": schema } } })
}

fn ok(text: &str, schema: &Value) -> Vec<(&'static str, Value)> {
    vec![("200", gives(text, schema))]
}

fn text() -> Value {
    json!({ "type": "string" })
}

/// A number as `next` gives it.
fn number() -> Value {
    json!({ "type": "integer", "format": "uint64", "minimum": 0, "maximum": 9_007_199_254_740_991_u64 })
}

type Said = fn() -> Operation;

const OPERATIONS: &[(&str, &str, Said)] = &[
    ("GET", "/api/v1/openapi.json", || {
        Operation::new("This document", ok("It.", &object(&[])))
    }),
    ("GET", "/api/v1/state", || {
        let text = "What cannot be read is null, and `problems` says why.";
        Operation::new("Everything the first page shows", ok(text, &of("State")))
    }),
    ("GET", "/api/v1/events", || {
        let stream = json!({
            "description": "A stream of `cut`, `restored`, `remark`, `alert` and `alert_over`, each with an id; ends when the caller is no longer let in.",
            "content": { "text/event-stream": { "schema": { "type": "string" } } },
        });
        Operation::new("What happens, as it happens", vec![("200", stream)]).query(
            "after",
            "The id of the last event that was seen, as the header Last-Event-ID.",
            text(),
        )
    }),
    ("GET", "/api/v1/incidents", || {
        Operation::new(
            "Cuts and restores, newest first",
            ok("A page of them.", &page_of("Incident")),
        )
        .paged(number())
    }),
    ("GET", "/api/v1/usage", || {
        Operation::new(
            "What was used in the last hour",
            ok("The figures.", &of("Usage")),
        )
    }),
    ("GET", "/api/v1/explain", || {
        Operation::new(
            "Requests that were refused, cut, sent elsewhere, slow or dear, newest first",
            ok("A page of them.", &page_of("Story")),
        )
        .paged(text())
    }),
    ("GET", "/api/v1/explain/{id}", || {
        Operation::new(
            "Why one request fared as it did",
            ok("Its timeline.", &of("Explanation")),
        )
    }),
    ("GET", "/api/v1/tokens", || {
        Operation::new("Tokens, by name", ok("A page of them.", &page_of("Token"))).paged(text())
    }),
    ("POST", "/api/v1/tokens", || {
        let made = object(&[("token", text()), ("record", of("Token"))]);
        let answer = gives("The token, said this once.", &made);
        Operation::new("Make a token", vec![("201", answer)]).takes(&of("WantedToken"))
    }),
    ("DELETE", "/api/v1/tokens/{name}", || {
        let done = json!({ "description": "It lets in no more." });
        Operation::new("Revoke a token", vec![("204", done)])
    }),
    ("POST", "/api/v1/cut", || {
        Operation::new("Cut a scope", ok("It is cut.", &of("CutReport"))).takes(&of("WantedCut"))
    }),
    ("POST", "/api/v1/restore", || {
        let done = gives("It is open again.", &of("Restored"));
        let held = gives(
            "A second person must ask, too; nothing is open yet.",
            &object(&[("text", text())]),
        );
        Operation::new(
            "Open a scope again, by a RESTORE code",
            vec![("200", done), ("202", held)],
        )
        .takes(&of("WantedRestore"))
    }),
    ("POST", "/api/v1/drill", || {
        let text = "What was found; nothing was cut.";
        Operation::new("Try everything that a cut needs", ok(text, &object(&[])))
    }),
    ("POST", "/api/v1/check-in", || {
        let check_in = json!({ "type": ["object", "null"] });
        let answer = object(&[("check_in", check_in)]);
        Operation::new(
            "Say that somebody is there",
            ok("When the next is due.", &answer),
        )
    }),
    ("GET", "/api/v1/hosts", || {
        let states = json!({
            "type": "string", "enum": ["", "good", "silent", "alerts", "posture", "invited", "revoked"],
        });
        let page = json!({ "type": "integer", "format": "uint32", "minimum": 0, "maximum": 10000 });
        Operation::new(
            "Hosts, by zone and name",
            ok("A page of them.", &page_of("Host")),
        )
        .query("zone", "Of this zone only.", text())
        .query("role", "With this role only.", text())
        .query("health", "In this state only.", states)
        .query("q", "With this in their name.", text())
        .query("page", "Leaves out so many hundreds.", page)
        .paged(text())
    }),
    ("GET", "/api/v1/hosts/{name}", || {
        Operation::new("One host, with its history", ok("It.", &of("Host"))).query(
            "span",
            "How far back.",
            json!({ "type": "string", "enum": ["2h", "48h", "30d"] }),
        )
    }),
    ("POST", "/api/v1/hosts", || {
        let made = gives("It may join by this token, said this once.", &of("Ticket"));
        Operation::new("Invite a host", vec![("201", made)]).takes(&of("NewHost"))
    }),
    ("POST", "/api/v1/hosts/{name}/reinvite", || {
        let made = gives("Another token; older ones are void.", &of("Ticket"));
        Operation::new("Invite a host again", vec![("201", made)])
    }),
    ("POST", "/api/v1/hosts/{name}/revoke", || {
        let done = object(&[("revoked", text())]);
        Operation::new(
            "Shut a host out; this cuts nothing",
            ok("Nothing it says counts any more.", &done),
        )
    }),
    ("POST", "/api/v1/hosts/{name}/rename", || {
        let done = object(&[("renamed", text()), ("to", text())]);
        Operation::new("Give a host another name", ok("It is called so.", &done))
            .takes(&of("NewName"))
    }),
    ("GET", "/api/v1/zones", || {
        Operation::new(
            "The networks of the house",
            ok("All of them.", &page_of("Zone")),
        )
    }),
    ("GET", "/api/v1/alerts", || {
        Operation::new(
            "What is wrong with hosts, and what was",
            ok("What fires first, then by age.", &page_of("Alert")),
        )
        .query("host", "Of this host only.", text())
        .paged(text())
    }),
    ("GET", "/api/v1/jobs", || {
        Operation::new("What runs by the clock", ok("By name.", &page_of("Job"))).paged(text())
    }),
    ("GET", "/api/v1/mesh", || {
        let mesh = object(&[("mesh", json!({ "type": ["object", "null"] }))]);
        Operation::new(
            "The mesh network",
            ok("null where the house has none.", &mesh),
        )
    }),
    ("POST", "/api/v1/config/check", || {
        Operation::new(
            "Look for mistakes in the configuration",
            ok("There is none.", &of("Reload")),
        )
    }),
    ("POST", "/api/v1/config/reload", || {
        Operation::new(
            "Take the configuration over",
            ok("It is in force.", &of("Reload")),
        )
    }),
];

fn all() -> impl Iterator<Item = &'static (&'static str, &'static str, Said)> {
    OPERATIONS.iter().chain(kept::OPERATIONS)
}

/// Every operation that is described here.
#[cfg(test)]
pub(super) fn every() -> impl Iterator<Item = (&'static str, &'static str)> {
    all().map(|(method, path, _)| (*method, *path))
}

/// What is said of an operation; of one that nobody has described, what follows from its row.
pub(super) fn said(method: &str, path: &str) -> Operation {
    let known = all().find(|(of, at, _)| *of == method && *at == path);
    known.map_or_else(
        || {
            let answer = json!({ "description": "It was done." });
            Operation::new(&format!("{method} {path}"), vec![("2XX", answer)])
        },
        |(_, _, said)| said(),
    )
}
