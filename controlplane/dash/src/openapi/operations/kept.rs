//! What is said of what the house keeps (consumers, people, channels, settings), and of what its pages show besides.

use super::{Operation, Said, gives, number, ok, text};
use crate::openapi::schemas::{array, object, of, page_of, with};
use serde_json::{Value, json};

/// A key or a card is said once, in this answer.
fn key_said() -> Value {
    let key = json!({ "type": "string", "description": "The new key, where one was made; said this once." });
    json!({
        "type": "object", "required": ["done"],
        "properties": { "done": { "type": "boolean" }, "key": key },
    })
}

fn since() -> Value {
    json!({ "type": "integer", "format": "uint64", "minimum": 0, "maximum": 9_007_199_254_740_991_u64 })
}

pub(super) const OPERATIONS: &[(&str, &str, Said)] = &[
    ("GET", "/api/v1/incidents/{number}", || {
        let answer = ok("It.", &of("IncidentStory"));
        Operation::new("One incident, step by step", answer)
    }),
    ("GET", "/api/v1/journal", || {
        let entries = json!({ "type": "integer", "minimum": 0 });
        let page = with(page_of("JournalEntry"), &[("entries", entries)]);
        Operation::new(
            "What the kill switch has written down, newest first",
            ok("A page of it.", &page),
        )
        .paged(number())
    }),
    ("POST", "/api/v1/journal/verify", || {
        let holds = object(&[("ok", json!({ "type": "boolean" }))]);
        Operation::new(
            "Check every hash of the journal",
            ok("How it was found.", &holds),
        )
    }),
    ("GET", "/api/v1/targets", || {
        let routes = json!({ "type": ["array", "null"] });
        let page = with(page_of("Target"), &[("routes", routes)]);
        Operation::new(
            "Routes and targets, and how each target answered in the last hour, by the minute",
            ok("All of them.", &page),
        )
    }),
    ("GET", "/api/v1/spend", || {
        let by = json!({
            "type": "string", "enum": ["consumer", "model", "target", "route", "source", "day"],
            "default": "consumer",
        });
        let span =
            json!({ "type": "string", "enum": ["1d", "7d", "30d", "365d"], "default": "7d" });
        let after = json!({ "type": "integer", "format": "uint32", "minimum": 0, "maximum": 4_294_967_295_u32 });
        let page = with(
            page_of("Spent"),
            &[("total", of("Totals")), ("days", array(&of("Spent")))],
        );
        Operation::new(
            "What was used and what it cost",
            ok(
                "By one side, the dearest first; every day; and all together.",
                &page,
            ),
        )
        .query("by", "By which side.", by)
        .query("span", "Whole days back (UTC), today included.", span)
        .query(
            "since",
            "Since this instant instead, in milliseconds since 1970.",
            since(),
        )
        .paged(after)
    }),
    ("GET", "/api/v1/sessions", || {
        Operation::new(
            "Signed-in browsers: one's own, and all of them for an admin",
            ok("All of them.", &page_of("Session")),
        )
    }),
    ("DELETE", "/api/v1/sessions/{id}", || {
        let done = json!({ "description": "It is signed out." });
        Operation::new("Sign a browser out", vec![("204", done)])
    }),
    ("GET", "/api/v1/account", || {
        Operation::new(
            "Who asks, with his sessions and passkeys",
            ok("Of a token there is neither.", &of("Account")),
        )
    }),
    ("GET", "/api/v1/passkeys", || {
        let text = "All of them. One is added on the page /account alone: a browser's session is asked, and a device at its hand answers.";
        Operation::new(
            "Passkeys: one's own, and all of them for an admin",
            ok(text, &page_of("Passkey")),
        )
    }),
    ("DELETE", "/api/v1/passkeys/{id}", || {
        let done = json!({ "description": "It signs nobody in, and each session begun with it has ended." });
        Operation::new("Remove a passkey", vec![("204", done)])
    }),
    ("GET", "/api/v1/consumers", || {
        let page = with(
            page_of("Consumer"),
            &[
                ("routes", array(&text())),
                ("roles", array(&text())),
                ("kept_in", text()),
            ],
        );
        Operation::new(
            "Who may ask the gateway, with what each used today",
            ok("All of them.", &page),
        )
    }),
    ("POST", "/api/v1/consumers", || {
        let made = gives("It may ask now.", &key_said());
        Operation::new("Add a consumer", vec![("201", made)]).takes(&of("NewConsumer"))
    }),
    ("GET", "/api/v1/consumers/{name}", || {
        Operation::new("One consumer", ok("It.", &of("Consumer")))
    }),
    ("PUT", "/api/v1/consumers/{name}", || {
        Operation::new(
            "Give a consumer another role, other routes, other rules",
            ok("It is so.", &key_said()),
        )
        .takes(&of("WantedConsumer"))
    }),
    ("DELETE", "/api/v1/consumers/{name}", || {
        Operation::new(
            "Take a consumer away",
            ok("Its key opens nothing more.", &key_said()),
        )
    }),
    ("POST", "/api/v1/consumers/{name}/rotate", || {
        Operation::new(
            "Give a consumer another key",
            ok("It has one.", &key_said()),
        )
        .takes(&of("Overlap"))
    }),
    ("GET", "/api/v1/people", || {
        Operation::new(
            "Who holds keys; numbers of phones for an admin alone",
            ok("All of them.", &page_of("Person")),
        )
    }),
    ("POST", "/api/v1/people", || {
        let made = gives(
            "Keys to scan, said this once; they count when they are shown.",
            &of("PendingPerson"),
        );
        Operation::new("Make keys for a person", vec![("201", made)]).takes(&of("NewPerson"))
    }),
    ("POST", "/api/v1/people/finish", || {
        let added = gives("The person may cut and restore.", &of("AddedPerson"));
        Operation::new(
            "Add a person whose app shows right codes, by a RESTORE code of somebody else",
            vec![("201", added)],
        )
        .takes(&of("ShownCodes"))
    }),
    ("POST", "/api/v1/people/{name}/cards", || {
        let made = gives("The codes, said this once.", &of("CardsMade"));
        Operation::new(
            "Make single-use KILL cards, by a RESTORE code",
            vec![("201", made)],
        )
        .takes(&of("WantedCards"))
    }),
    ("POST", "/api/v1/people/{name}/revoke", || {
        Operation::new(
            "Take a person's cards away, or keys and cards, by a RESTORE code",
            ok("They count no more.", &object(&[("text", text())])),
        )
        .takes(&of("WantedRevoke"))
    }),
    ("GET", "/api/v1/channels", || {
        let page = with(page_of("Channel"), &[("warnings", array(&text()))]);
        Operation::new("The ways a text may come in", ok("All of them.", &page))
    }),
    ("GET", "/api/v1/settings", || {
        Operation::new(
            "Every value of the configuration, with where it comes from; its text for an admin",
            ok("It.", &of("Settings")),
        )
    }),
    ("POST", "/api/v1/settings/check", || {
        Operation::new(
            "What a text would change, and everything that is wrong with it",
            ok("Nothing was changed.", &of("Edit")),
        )
        .takes(&of("SettingsText"))
    }),
    ("PUT", "/api/v1/settings", || {
        let done = object(&[
            ("done", json!({ "type": "boolean" })),
            ("needs_restart", array(&text())),
        ]);
        Operation::new(
            "Put a text in the configuration's place, over the version it was made from",
            ok("It is in force.", &done),
        )
        .takes(&of("SettingsText"))
    }),
    ("POST", "/api/v1/targets/{name}/test", || {
        let found = json!({ "description": "What was found." });
        Operation::new(
            "Ask a target once whether it is there, by a question that costs nothing",
            vec![("2XX", found)],
        )
    }),
    ("POST", "/api/v1/channels/{name}/test", || {
        let found = json!({ "description": "What was found; nothing was cut." });
        Operation::new("Try a channel by a drill", vec![("2XX", found)])
    }),
    ("GET", "/api/v1/changes", || {
        Operation::new(
            "What people changed, newest first, each entry bound to the one before",
            ok("A page of them.", &page_of("Change")),
        )
        .paged(number())
    }),
    ("POST", "/api/v1/changes/verify", || {
        let holds = object(&[("whole", json!({ "type": "boolean" }))]);
        Operation::new(
            "Check every hash of the record of changes",
            ok("How it was found.", &holds),
        )
    }),
    ("POST", "/api/v1/jobs/run", || {
        let rung = gives("It runs.", &object(&[("rung", text())]));
        Operation::new("Have a job run now", vec![("202", rung)]).takes(&of("WantedJob"))
    }),
];
