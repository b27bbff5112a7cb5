//! One vector as a request that can be changed, and the files the vectors stand in.

use kill_inbound::{Channel, Incoming, Options, RawRequest, Refusal};
use kill_wire::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::Range;

/// One file a kind; how they are made and what the keys mean: `vectors/vector_file.py`.
const FILES: &[&str] = &[
    include_str!("../../vectors/twilio.json"),
    include_str!("../../vectors/standard_webhooks.json"),
    include_str!("../../vectors/plivo.json"),
    include_str!("../../vectors/sns.json"),
    include_str!("../../vectors/sms_gate.json"),
    include_str!("../../vectors/46elks.json"),
    include_str!("../../vectors/telnyx.json"),
    include_str!("../../vectors/vonage_sms.json"),
    include_str!("../../vectors/vonage_messages.json"),
    include_str!("../../vectors/messagebird.json"),
    include_str!("../../vectors/sinch.json"),
];

/// A file: a kind, what its scheme leaves open, and its vectors.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scheme {
    pub(crate) kind: String,
    /// Seconds a signed time may be off; none: no time is signed.
    pub(crate) fresh: Option<u64>,
    #[serde(default)]
    not_signed: Vec<String>,
    /// Of every vector that does not say otherwise.
    #[serde(default)]
    settings: BTreeMap<String, String>,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    public_url: Option<String>,
    secrets: Vec<String>,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    now: u64,
    method: Option<String>,
    #[serde(default)]
    headers: Headers,
    query: Option<String>,
    body: String,
    #[serde(default)]
    not_signed: Vec<String>,
    #[serde(default)]
    loose: Vec<String>,
    #[serde(default)]
    one_of: bool,
    expect: Value,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Headers {
    Once(BTreeMap<String, String>),
    /// In order, for those that stand there twice.
    Listed(Vec<(String, String)>),
}

impl Default for Headers {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

/// A vector as a request that can be changed.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) fresh: Option<u64>,
    /// Of several values in a header one good one is enough.
    pub(crate) one_of: bool,
    pub(crate) url: Option<String>,
    pub(crate) now: u64,
    pub(crate) method: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) query: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) expect: Value,
    pub(crate) secrets: Vec<String>,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) not_signed: Vec<String>,
    pub(crate) loose: Vec<Range<usize>>,
}

impl Case {
    /// Whether the scheme leaves this part unsigned.
    pub(crate) fn open(&self, part: &str) -> bool {
        self.not_signed.iter().any(|open| open == part)
    }

    /// Whether this byte of the body is none that the scheme signs, and none that is read.
    pub(crate) fn loose(&self, at: usize) -> bool {
        self.loose.iter().any(|range| range.contains(&at))
    }

    pub(crate) fn channel(&self) -> Channel {
        let options = Options {
            public_url: self.url.clone(),
            secrets: self.secrets.clone(),
            settings: self.settings.clone(),
        };
        Channel::new("test", &self.kind, options)
            .unwrap_or_else(|why| panic!("{} / {}: {why}", self.kind, self.name))
    }

    pub(crate) fn send(&self) -> Result<Incoming, Refusal> {
        self.send_by(&self.channel())
    }

    /// The same by a channel that was made before, for those who send thousands.
    pub(crate) fn send_by(&self, channel: &Channel) -> Result<Incoming, Refusal> {
        let headers: Vec<(&str, &[u8])> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
            .collect();
        let request = RawRequest {
            method: &self.method,
            headers: &headers,
            query: self.query.as_deref(),
            body: &self.body,
        };
        let now = Timestamp::from_millis(self.now * 1000);
        channel.verify(&request, now)
    }

    pub(crate) fn refused(&self, what: &str) -> Refusal {
        match self.send() {
            Err(refusal) => refusal,
            Ok(text) => panic!(
                "{} / {}: {what} was accepted as {text:?}",
                self.kind, self.name
            ),
        }
    }
}

pub(crate) fn schemes() -> Vec<Scheme> {
    let read = |json: &&str| serde_json::from_str(json).unwrap();
    FILES.iter().map(read).collect()
}

pub(crate) fn cases() -> Vec<Case> {
    let of_scheme = |scheme: Scheme| {
        let (kind, fresh, open) = (scheme.kind, scheme.fresh, scheme.not_signed);
        let set = scheme.settings;
        scheme.vectors.into_iter().map(move |vector| Case {
            name: vector.name,
            kind: kind.clone(),
            fresh,
            one_of: vector.one_of,
            url: vector.public_url,
            now: vector.now,
            method: vector.method.unwrap_or_else(|| "POST".to_owned()),
            headers: match vector.headers {
                Headers::Once(map) => bytes(map.into_iter()),
                Headers::Listed(list) => bytes(list.into_iter()),
            },
            query: vector.query,
            loose: ranges(&vector.body, &vector.loose),
            body: vector.body.into_bytes(),
            expect: vector.expect,
            secrets: vector.secrets,
            settings: set.clone().into_iter().chain(vector.settings).collect(),
            not_signed: [open.clone(), vector.not_signed].concat(),
        })
    };
    schemes().into_iter().flat_map(of_scheme).collect()
}

/// Where these parts stand in the body, each once.
fn ranges(body: &str, parts: &[String]) -> Vec<Range<usize>> {
    let range = |part: &String| {
        let at = body
            .find(part)
            .unwrap_or_else(|| panic!("not in the body: {part}"));
        at..at + part.len()
    };
    parts.iter().map(range).collect()
}

fn bytes(headers: impl Iterator<Item = (String, String)>) -> Vec<(String, Vec<u8>)> {
    headers
        .map(|(name, value)| (name, value.into_bytes()))
        .collect()
}

/// Those that are not refused: what every change is made to.
pub(crate) fn accepted() -> Vec<Case> {
    cases()
        .into_iter()
        .filter(|case| !case.expect.is_string() || case.expect == "nothing")
        .collect()
}
