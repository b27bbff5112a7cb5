//! The handshake of a WebSocket (RFC 6455, section 4), towards the client and towards a target. Pure.

use crate::{deny::Denied, headers::API_KEY};
use http::{
    HeaderMap, HeaderName, HeaderValue, Request, Version,
    header::{
        AUTHORIZATION, CONNECTION, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS,
        SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};

/// How browsers, which cannot set headers here, send a key:
/// <https://platform.openai.com/docs/guides/realtime-websocket>.
const KEY_PROTOCOL: &str = "openai-insecure-api-key.";
/// The protocol itself, as the same page names it.
const REALTIME: &str = "realtime";
const VERSION: HeaderValue = HeaderValue::from_static("13");
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
const UPGRADES: HeaderValue = HeaderValue::from_static("upgrade");
/// Azure's word for a key.
const OTHER_API_KEY: HeaderName = HeaderName::from_static("api-key");

/// Puts a key that came in another place where every exchange looks for one. Among the protocols none stays, so that
/// it goes to nobody.
pub(super) fn find_key(headers: &mut HeaderMap) {
    let (keys, others): (Vec<String>, Vec<String>) = protocols(headers)
        .into_iter()
        .partition(|protocol| protocol.starts_with(KEY_PROTOCOL));
    if !keys.is_empty() {
        headers.remove(SEC_WEBSOCKET_PROTOCOL);
        if let Ok(others) = HeaderValue::from_str(&others.join(", "))
            && !others.is_empty()
        {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, others);
        }
    }
    if headers.contains_key(AUTHORIZATION) || headers.contains_key(API_KEY) {
        return;
    }
    let named = headers.get(OTHER_API_KEY).and_then(|key| key.to_str().ok());
    let among = || keys.first().and_then(|key| key.strip_prefix(KEY_PROTOCOL));
    let bearer = named.or_else(among).map(|key| format!("Bearer {key}"));
    if let Some(mut bearer) = bearer.and_then(|bearer| HeaderValue::from_str(&bearer).ok()) {
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
    }
}

/// What a client offers.
#[derive(Debug)]
pub(crate) struct Offer {
    /// What proves to it that its handshake was read.
    accept: String,
    protocols: Vec<String>,
}

impl Offer {
    /// Reads a client's handshake.
    pub(super) fn read<B>(request: &Request<B>) -> Result<Self, Denied> {
        let headers = request.headers();
        match request.version() {
            Version::HTTP_11 => {}
            Version::HTTP_2 | Version::HTTP_3 => return Err(Denied::NotOverHttp2),
            _ => return Err(Denied::NoUpgrade),
        }
        let says =
            |name, word: &str| tokens(headers, name).any(|token| token.eq_ignore_ascii_case(word));
        let key = headers.get(SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes);
        // 16 bytes in base64.
        let key = key.filter(|key| key.len() == 24 && key.ends_with(b"=="));
        match key {
            Some(key)
                if says(UPGRADE, "websocket")
                    && says(CONNECTION, "upgrade")
                    && headers.get(SEC_WEBSOCKET_VERSION) == Some(&VERSION) =>
            {
                Ok(Self {
                    accept: derive_accept_key(key),
                    protocols: protocols(headers),
                })
            }
            _ => Err(Denied::NoUpgrade),
        }
    }

    /// What the client is told, beside `passed`, which the target has said.
    pub(super) fn answer(&self, passed: &mut HeaderMap) {
        let chosen = passed.remove(SEC_WEBSOCKET_PROTOCOL);
        passed.remove(SEC_WEBSOCKET_EXTENSIONS);
        // A client that named it may take no other answer.
        let realtime = || self.protocols.iter().any(|protocol| protocol == REALTIME);
        let chosen = chosen.or_else(|| realtime().then(|| HeaderValue::from_static(REALTIME)));
        if let Some(chosen) = chosen {
            passed.insert(SEC_WEBSOCKET_PROTOCOL, chosen);
        }
        if let Ok(accept) = HeaderValue::from_str(&self.accept) {
            passed.insert(SEC_WEBSOCKET_ACCEPT, accept);
        }
        passed.insert(UPGRADE, WEBSOCKET);
        passed.insert(CONNECTION, UPGRADES);
    }
}

/// What a target is offered: the client's protocols, no extension, and a key of our own.
#[derive(Debug)]
pub(super) struct Ours {
    accept: String,
    protocols: Vec<String>,
}

impl Ours {
    /// Writes it into the headers for the target.
    pub(super) fn write(headers: &mut HeaderMap) -> Self {
        let key = generate_key();
        headers.remove(SEC_WEBSOCKET_EXTENSIONS);
        // Servers compare it with their own name, which the client does not know.
        headers.remove(ORIGIN);
        if let Ok(key) = HeaderValue::from_str(&key) {
            headers.insert(SEC_WEBSOCKET_KEY, key);
        }
        headers.insert(SEC_WEBSOCKET_VERSION, VERSION);
        headers.insert(UPGRADE, WEBSOCKET);
        headers.insert(CONNECTION, UPGRADES);
        Self {
            accept: derive_accept_key(key.as_bytes()),
            protocols: protocols(headers),
        }
    }

    /// Whether a target that switches has read the offer and chosen from it.
    pub(super) fn is_agreed(&self, headers: &HeaderMap) -> bool {
        let accepts = headers
            .get(SEC_WEBSOCKET_ACCEPT)
            .is_some_and(|accept| accept.as_bytes() == self.accept.as_bytes());
        let websocket =
            tokens(headers, UPGRADE).any(|token| token.eq_ignore_ascii_case("websocket"));
        let chosen = protocols(headers);
        let offered = |protocol: &String| self.protocols.contains(protocol);
        accepts
            && websocket
            && chosen.len() <= 1
            && chosen.iter().all(offered)
            && !headers.contains_key(SEC_WEBSOCKET_EXTENSIONS)
    }
}

fn protocols(headers: &HeaderMap) -> Vec<String> {
    tokens(headers, SEC_WEBSOCKET_PROTOCOL)
        .map(str::to_owned)
        .collect()
}

fn tokens(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(pairs: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::get("/v1/realtime");
        for (name, value) in pairs {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    /// The example of RFC 6455, section 1.3.
    const GOOD: [(&str, &str); 5] = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-version", "13"),
        (
            "sec-websocket-protocol",
            "realtime, openai-beta.realtime-v1",
        ),
    ];

    #[test]
    fn a_handshake_is_answered_as_the_rfc_shows() {
        let offer = Offer::read(&request(&GOOD)).unwrap();
        let mut answer = HeaderMap::new();
        offer.answer(&mut answer);
        assert_eq!(
            answer["sec-websocket-accept"],
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
        assert_eq!(answer["sec-websocket-protocol"], "realtime");
        assert_eq!(answer["connection"], "upgrade");
    }

    #[test]
    fn what_is_no_handshake_is_told_to_upgrade() {
        for missing in GOOD.iter().take(4) {
            let mut pairs = GOOD.to_vec();
            pairs.retain(|pair| pair != missing);
            let read = Offer::read(&request(&pairs));
            assert_eq!(read.unwrap_err(), Denied::NoUpgrade, "{missing:?}");
        }
        let mut second = request(&GOOD);
        *second.version_mut() = Version::HTTP_2;
        assert_eq!(Offer::read(&second).unwrap_err(), Denied::NotOverHttp2);
    }

    #[test]
    fn a_key_among_the_protocols_is_found_and_goes_to_nobody() {
        let mut headers = request(&[
            (
                "sec-websocket-protocol",
                "realtime, openai-insecure-api-key.pck_x",
            ),
            ("sec-websocket-protocol", "openai-organization.o"),
        ])
        .headers()
        .clone();
        find_key(&mut headers);
        assert_eq!(headers["authorization"], "Bearer pck_x");
        assert_eq!(
            headers["sec-websocket-protocol"],
            "realtime, openai-organization.o"
        );
        assert!(!format!("{headers:?}").contains("pck_x"));
        for (first, expected) in [
            ("authorization", "Bearer a"),
            ("x-api-key", "b"),
            ("api-key", "c"),
        ] {
            let pairs = [
                (first, expected),
                ("sec-websocket-protocol", "openai-insecure-api-key.d"),
            ];
            let mut headers = request(&pairs).headers().clone();
            find_key(&mut headers);
            assert!(!headers.contains_key("sec-websocket-protocol"));
            let bearer = headers.get("authorization").map(|it| it.to_str().unwrap());
            assert_ne!(bearer, Some("Bearer d"), "{first}");
        }
    }

    #[test]
    fn a_target_that_agrees_to_what_was_not_offered_is_not_believed() {
        let mut asked = request(&GOOD).headers().clone();
        let ours = Ours::write(&mut asked);
        assert_ne!(asked["sec-websocket-key"], GOOD[2].1);
        let good = [
            ("upgrade", "websocket"),
            ("sec-websocket-accept", ours.accept.as_str()),
            ("sec-websocket-protocol", "realtime"),
        ];
        assert!(ours.is_agreed(request(&good).headers()));
        for (name, value) in [
            ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            ("sec-websocket-protocol", "other"),
            ("upgrade", "h2c"),
        ] {
            let mut headers = request(&good).headers().clone();
            headers.insert(name, HeaderValue::from_static(value));
            assert!(!ours.is_agreed(&headers), "{name}");
        }
        let mut headers = request(&good).headers().clone();
        headers.insert(
            SEC_WEBSOCKET_EXTENSIONS,
            HeaderValue::from_static("permessage-deflate"),
        );
        assert!(!ours.is_agreed(&headers));
    }
}
