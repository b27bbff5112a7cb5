//! The forms of what the house keeps, and of what its pages show besides.

use super::{array, count, instant, object, of, one_of, or_null, sent, text, with};
use serde_json::{Value, json};

fn yes() -> Value {
    json!({ "type": "boolean" })
}

/// Text of a person: bounded, so that nobody believes anything goes.
fn short(most: u32) -> Value {
    json!({ "type": "string", "maxLength": most })
}

pub(super) fn all() -> impl Iterator<Item = (&'static str, Value)> {
    let all = of_the_past().into_iter().chain(of_spending());
    let all = all.chain(of_consumers()).chain(of_people());
    let all = all.chain(of_accounts()).chain(of_codes());
    all.chain(of_settings())
}

fn of_the_past() -> Vec<(&'static str, Value)> {
    let entry = object(&[
        ("n", count()),
        ("at", instant()),
        ("tone", text()),
        ("what", text()),
        ("detail", text()),
        ("incident", or_null("integer")),
    ]);
    let story = json!({
        "allOf": [
            of("Incident"),
            object(&[
                ("steps", array(&of("JournalEntry"))),
                ("severed_ms", or_null("integer")),
                ("proven_ms", or_null("integer")),
            ]),
        ],
    });
    let change = object(&[
        ("n", count()),
        ("at", instant()),
        ("by", text()),
        ("how", text()),
        ("from", or_null("string")),
        ("what", text()),
        ("subject", text()),
        ("detail", text()),
        ("sha256", text()),
    ]);
    vec![
        ("JournalEntry", entry),
        ("IncidentStory", story),
        ("Change", change),
    ]
}

fn of_spending() -> Vec<(&'static str, Value)> {
    let totals = [
        ("exchanges", count()),
        ("prompt_tokens", count()),
        ("completion_tokens", count()),
        ("estimated", count()),
        (
            "cost",
            json!({ "type": "integer", "minimum": 0, "description": "Millionths of a US dollar." }),
        ),
        ("unknown_price", count()),
    ];
    let minute = object(&[
        ("minute", count()),
        ("exchanges", count()),
        ("tokens", count()),
        ("first_byte_ms", or_null("integer")),
    ]);
    vec![
        ("Totals", object(&totals)),
        ("Spent", with(object(&totals), &[("name", text())])),
        (
            "Target",
            object(&[
                ("name", text()),
                ("class", one_of(&["local", "cloud"])),
                ("state", text()),
                ("since", instant()),
                ("open", count()),
                ("minutes", array(&minute)),
            ]),
        ),
    ]
}

fn of_consumers() -> Vec<(&'static str, Value)> {
    let figure = json!({ "type": ["integer", "null"], "format": "uint64", "minimum": 0, "maximum": 9_007_199_254_740_991_u64 });
    let words = or_null("string");
    let rules = sent(
        &[
            ("requests_per_minute", figure.clone()),
            ("tokens_per_minute", figure.clone()),
            ("open", figure.clone()),
            ("money", words.clone()),
            ("tokens", figure.clone()),
            ("window", words.clone()),
        ],
        0,
    );
    let wanted = sent(
        &[
            ("role", words.clone()),
            ("routes", array(&text())),
            ("local", yes()),
            ("cloud", yes()),
            ("own", of("OwnRules")),
        ],
        0,
    );
    let overlap = json!({
        "type": "integer", "format": "uint64", "minimum": 0, "maximum": 9_007_199_254_740_991_u64,
        "description": "How long the old key goes on counting, in seconds.",
    });
    let today = object(&[
        ("last_seen", or_null("integer")),
        ("exchanges", count()),
        ("tokens", count()),
        ("cost_micro", count()),
    ]);
    vec![
        ("OwnRules", rules),
        ("WantedConsumer", wanted),
        (
            "NewConsumer",
            sent(&[("name", short(24)), ("wish", of("WantedConsumer"))], 1),
        ),
        ("Overlap", sent(&[("overlap_s", overlap)], 0)),
        (
            "Consumer",
            object(&[
                ("name", text()),
                ("role", words),
                ("routes", array(&text())),
                ("local", text()),
                ("cloud", text()),
                ("rules", array(&text())),
                ("source", text()),
                ("kept", yes()),
                ("today", today),
            ]),
        ),
    ]
}

fn of_people() -> Vec<(&'static str, Value)> {
    let key = object(&[("label", text()), ("what", text()), ("svg", text())]);
    vec![
        (
            "Person",
            object(&[
                ("name", text()),
                ("kill_digits", count()),
                ("restore_digits", count()),
                ("check_in", yes()),
                ("duress", yes()),
                ("cards", count()),
                ("senders", array(&text())),
            ]),
        ),
        (
            "NewPerson",
            sent(
                &[
                    ("name", short(24)),
                    ("senders", array(&short(40))),
                    ("check_in", yes()),
                ],
                1,
            ),
        ),
        (
            "PendingPerson",
            object(&[("id", text()), ("name", text()), ("keys", array(&key))]),
        ),
        (
            "Session",
            object(&[
                ("id", text()),
                ("who", text()),
                ("role", one_of(&["viewer", "operator", "admin"])),
                ("how", text()),
                ("from", or_null("string")),
                ("since", instant()),
                ("expires", instant()),
                ("own", yes()),
            ]),
        ),
    ]
}

/// Who asks, and what signs him in. Of a token there is neither a session nor a passkey.
fn of_accounts() -> Vec<(&'static str, Value)> {
    let role = || one_of(&["viewer", "operator", "admin"]);
    let passkey = object(&[
        ("id", text()),
        ("name", text()),
        ("who", or_null("string")),
        ("own", yes()),
        ("role", role()),
        ("created", instant()),
        ("last_used", or_null("integer")),
        ("counts", yes()),
    ]);
    let adding = object(&[
        ("origin", or_null("string")),
        ("not_now", or_null("string")),
    ]);
    let account = object(&[
        ("who", or_null("string")),
        ("role", role()),
        ("how", text()),
        ("from", or_null("string")),
        ("since", or_null("integer")),
        ("expires", or_null("integer")),
        ("sessions", array(&of("Session"))),
        ("passkeys", array(&of("Passkey"))),
        ("adding", adding),
    ]);
    vec![("Passkey", passkey), ("Account", account)]
}

/// What needs somebody's RESTORE code, and comes of it.
fn of_codes() -> Vec<(&'static str, Value)> {
    let code = || json!({ "type": "string", "minLength": 1, "maxLength": 40 });
    let codes = json!({ "type": "object", "additionalProperties": code() });
    vec![
        (
            "ShownCodes",
            sent(
                &[
                    ("id", text()),
                    ("name", text()),
                    ("vouch", code()),
                    ("codes", codes),
                ],
                4,
            ),
        ),
        (
            "AddedPerson",
            object(&[
                ("name", text()),
                ("vouched", text()),
                ("notes", array(&text())),
            ]),
        ),
        (
            "WantedCards",
            sent(
                &[
                    (
                        "count",
                        json!({ "type": "integer", "minimum": 0, "maximum": 255 }),
                    ),
                    ("vouch", code()),
                    ("digits", yes()),
                ],
                2,
            ),
        ),
        (
            "CardsMade",
            object(&[
                ("person", text()),
                ("date", text()),
                ("codes", array(&text())),
            ]),
        ),
        (
            "WantedRevoke",
            sent(
                &[
                    ("confirm", text()),
                    ("vouch", code()),
                    ("only_cards", yes()),
                ],
                2,
            ),
        ),
    ]
}

fn of_settings() -> Vec<(&'static str, Value)> {
    let mistake = object(&[("field", text()), ("problem", text())]);
    let field = object(&[("key", text()), ("value", text()), ("source", text())]);
    vec![
        (
            "Channel",
            object(&[
                ("name", text()),
                ("kind", text()),
                ("trust", text()),
                ("heard", or_null("integer")),
                ("drilled", or_null("integer")),
                ("problem", or_null("string")),
            ]),
        ),
        (
            "Settings",
            object(&[
                ("file", or_null("string")),
                ("data", text()),
                ("fields", array(&field)),
                ("version", text()),
                ("warnings", array(&mistake)),
            ]),
        ),
        (
            "Edit",
            object(&[
                ("mistakes", array(&mistake)),
                ("warnings", array(&mistake)),
                ("changes", array(&array(&text()))),
                ("needs_restart", array(&text())),
            ]),
        ),
        (
            "SettingsText",
            sent_open(&[("text", text()), ("version", text())], 1),
        ),
        ("WantedJob", sent_open(&[("name", text())], 1)),
    ]
}

/// What a caller sends, where more members are passed over.
fn sent_open(members: &[(&str, Value)], needed: usize) -> Value {
    let mut schema = sent(members, needed);
    if let Some(parts) = schema.as_object_mut() {
        parts.remove("additionalProperties");
    }
    schema
}
