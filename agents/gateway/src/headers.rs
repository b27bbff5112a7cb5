//! Which headers pass the gateway, each way. Pure.

use crate::named::name_to_client;
use gateway_core::dialect::Framing;
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, EXPECT,
        FORWARDED, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING,
        UPGRADE,
    },
};
use net_model::{Alias, Secret, Target, TargetKind};

/// About one connection, not about the message (RFC 9110 section 7.6.1).
static HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Where Anthropic's clients put their key.
pub(crate) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Set anew for the target, or a credential of the client that is none of the target's business.
static NOT_FORWARDED: [HeaderName; 13] = [
    HOST,
    AUTHORIZATION,
    CONTENT_LENGTH,
    ACCEPT_ENCODING,
    EXPECT,
    COOKIE,
    API_KEY,
    HeaderName::from_static("api-key"),
    // Where the client is, is none of the target's business.
    FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
];

/// In which version of Anthropic's API a client speaks.
const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");
/// The version a target of that kind is asked in where the client named none.
const ANTHROPIC_DEFAULT: HeaderValue = HeaderValue::from_static("2023-06-01");

/// Headers with this prefix are the gateway's own.
const OWN_PREFIX: &str = "x-portcullis-";

/// Headers of the gateway's own that are added, at most, in the usual case.
const ADDED: usize = 4;

/// Header that names the target which answered.
pub(crate) const TARGET_HEADER: HeaderName = HeaderName::from_static("x-portcullis-target");

/// What the target is sent. The answer is asked for uncompressed, so that it can be metered and cut between events.
pub(crate) fn for_target(client: &HeaderMap, target: &Target) -> HeaderMap {
    let mut headers = end_to_end(client, &NOT_FORWARDED);
    if let Ok(host) = HeaderValue::from_str(target.base_url.authority()) {
        headers.insert(HOST, host);
    }
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if target.kind == TargetKind::Anthropic {
        headers
            .entry(ANTHROPIC_VERSION)
            .or_insert(ANTHROPIC_DEFAULT);
    }
    if let Some((name, mut value)) = target.key.as_ref().and_then(|key| credential(target, key)) {
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    headers
}

/// A target's key as its kind wants it: <https://docs.anthropic.com/en/api/overview>; all others take a bearer.
fn credential(target: &Target, key: &Secret) -> Option<(HeaderName, HeaderValue)> {
    let (name, text) = match target.kind {
        TargetKind::Anthropic => (API_KEY, key.expose().to_owned()),
        TargetKind::OpenAiCompatible
        | TargetKind::Ollama
        | TargetKind::Litellm
        | TargetKind::OpenAi => (AUTHORIZATION, format!("Bearer {}", key.expose())),
    };
    Some((name, HeaderValue::from_str(&text).ok()?))
}

/// What the client is sent of `upstream`'s headers.
pub(crate) fn for_client(
    upstream: HeaderMap,
    target: &Target,
    request_id: &str,
    asked_as: Option<&Alias>,
) -> HeaderMap {
    let mut headers = upstream;
    // Mostly there is little to take out, so the map stays the one that was read.
    for name in about_the_connection(&headers) {
        headers.remove(name);
    }
    if let Ok(value) = HeaderValue::from_str(target.name.as_str()) {
        headers.insert(TARGET_HEADER, value);
    }
    name_to_client(&mut headers, request_id, asked_as);
    headers
}

/// Whether a client speaks Anthropic's API: its clients always say in which version
/// (<https://docs.anthropic.com/en/api/versioning>).
pub(crate) fn is_anthropic(headers: &HeaderMap) -> bool {
    headers.contains_key(ANTHROPIC_VERSION)
}

/// How the body is cut into events.
pub(crate) fn framing(headers: &HeaderMap) -> Framing {
    headers
        .get(CONTENT_TYPE)
        .map_or(Framing::Whole, |kind| Framing::of(kind.as_bytes()))
}

/// Those that are about the message, but for the ones of these names.
fn end_to_end(headers: &HeaderMap, but: &[HeaderName]) -> HeaderMap {
    let named = named_by_connection(headers);
    let mut passed = HeaderMap::with_capacity(headers.len() + ADDED);
    for (name, value) in headers {
        if !but.contains(name) && !stays_here(name, &named) {
            passed.append(name, value.clone());
        }
    }
    passed
}

/// The names of those that are not about the message.
fn about_the_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let named = named_by_connection(headers);
    let names = headers.keys().filter(|name| stays_here(name, &named));
    names.cloned().collect()
}

/// Whether a header is about one connection, or the gateway's own word.
fn stays_here(name: &HeaderName, named: &[HeaderName]) -> bool {
    HOP_BY_HOP.contains(name) || named.contains(name) || name.as_str().starts_with(OWN_PREFIX)
}

/// `Connection` names further headers that are about this connection only.
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        let base = "http://10.0.0.9:11434/v1".parse().unwrap();
        Target {
            key: Some(Secret::new("sk-target").unwrap()),
            ..Target::new("home".parse().unwrap(), kill_wire::Class::Local, base)
        }
    }

    fn map(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn the_consumers_credentials_stay_here() {
        let sent = for_target(
            &map(&[
                ("authorization", "Bearer pck_secret"),
                ("x-api-key", "pck_secret"),
                ("cookie", "a=b"),
                ("x-forwarded-for", "192.0.2.7"),
                ("forwarded", "for=192.0.2.7"),
                ("host", "gateway"),
                ("x-portcullis-probe", "consumer=a"),
                ("connection", "close, X-Private"),
                ("x-private", "1"),
                ("te", "trailers"),
                ("accept-encoding", "gzip"),
                ("traceparent", "00-1"),
                ("x-multi", "1"),
                ("x-multi", "2"),
            ]),
            &target(),
        );
        assert!(!format!("{sent:?}").contains("pck_secret"));
        assert!(
            !format!("{sent:?}").contains("sk-target"),
            "the target's key is marked as sensitive"
        );
        assert_eq!(sent["authorization"], "Bearer sk-target");
        assert_eq!(sent["host"], "10.0.0.9:11434");
        assert_eq!(sent["accept-encoding"], "identity");
        assert_eq!(sent["traceparent"], "00-1");
        assert_eq!(sent.get_all("x-multi").iter().count(), 2);
        for gone in [
            "connection",
            "x-private",
            "te",
            "cookie",
            "x-forwarded-for",
            "forwarded",
            "x-portcullis-probe",
        ] {
            assert!(!sent.contains_key(gone), "{gone}");
        }
    }

    #[test]
    fn a_target_cannot_speak_as_the_gateway() {
        let sent = for_client(
            map(&[
                ("x-portcullis-incident", "1"),
                ("x-portcullis-target", "lies"),
                ("transfer-encoding", "chunked"),
                ("x-request-id", "abc"),
            ]),
            &target(),
            "5f3a9c01-42",
            None,
        );
        assert_eq!(sent["x-portcullis-target"], "home");
        assert_eq!(sent["x-portcullis-request-id"], "5f3a9c01-42");
        assert_eq!(sent["x-request-id"], "abc");
        assert!(!sent.contains_key("x-portcullis-incident"));
        assert!(!sent.contains_key("transfer-encoding"));
    }

    #[test]
    fn each_kind_of_target_gets_its_key_where_it_looks_for_it() {
        let mut target = target();
        let client = map(&[("x-api-key", "pck_x"), ("anthropic-beta", "b-1")]);
        let sent = for_target(&client, &target);
        assert_eq!(sent["authorization"], "Bearer sk-target");
        assert!(!sent.contains_key("x-api-key") && !sent.contains_key("anthropic-version"));
        target.kind = TargetKind::Anthropic;
        let sent = for_target(&client, &target);
        assert_eq!(sent["x-api-key"], "sk-target");
        assert_eq!(sent["anthropic-beta"], "b-1");
        assert_eq!(sent["anthropic-version"], "2023-06-01");
        assert!(!sent.contains_key("authorization"));
        let sent = for_target(&map(&[("anthropic-version", "2099-01-01")]), &target);
        assert_eq!(sent["anthropic-version"], "2099-01-01");
    }
}
