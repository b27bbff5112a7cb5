//! Reads what others wrote in JSON: `null` and absence are nothing, a wrong type is an error, texts are made harmless.

use ipnet::IpNet;
use kill_wire::Timestamp;
use net_model::KeyEnd;
use serde::{Deserialize, Deserializer};
use std::net::IpAddr;

/// Longest text that is kept of what others say, in characters.
const MAX_TEXT: usize = 96;
/// Most entries of a list that is kept, such as tags or routes.
pub(crate) const MAX_LIST: usize = 64;

/// An answer that is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer is not understood: {0}")]
pub struct NotUnderstood(pub(crate) String);

/// Parses one answer, which is an object: a list in its place would be read by position.
pub(crate) fn json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, NotUnderstood> {
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(NotUnderstood("it is no object".to_owned()));
    }
    serde_json::from_slice(bytes).map_err(|why| NotUnderstood(clean(&why.to_string())))
}

/// For `#[serde(default, deserialize_with = "nullable")]`: Go writes an empty list as `null`.
pub(crate) fn nullable<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

/// Printable characters only, and few of them.
pub(crate) fn clean(text: &str) -> String {
    let fine = text.chars().filter(|c| printable(*c));
    fine.take(MAX_TEXT).collect()
}

/// Neither control characters nor those that turn the direction of writing or take no room.
fn printable(c: char) -> bool {
    let hidden = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}');
    !c.is_control() && !hidden
}

pub(crate) fn clean_all(texts: &[String]) -> Vec<String> {
    texts.iter().take(MAX_LIST).map(|it| clean(it)).collect()
}

/// An instant as RFC 3339 has it. Go's zero time (year 1) and anything before 1970 are no instants.
pub(crate) fn instant(text: Option<&str>) -> Option<Timestamp> {
    let at: jiff::Timestamp = text?.parse().ok()?;
    let ms = u64::try_from(at.as_millisecond()).ok()?;
    (ms > 0).then(|| Timestamp::from_millis(ms))
}

/// When a key ends. The field is left out, or holds the zero time, when it never does.
pub(crate) fn key_end(text: Option<&str>) -> KeyEnd {
    match (instant(text), text) {
        (Some(at), _) => KeyEnd::At(at),
        (None, None) => KeyEnd::Never,
        (None, Some(text)) if text.is_empty() || text.starts_with("0001-") => KeyEnd::Never,
        (None, Some(_)) => KeyEnd::Unknown,
    }
}

/// An address, with or without the length of its network.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    let net = || text.parse::<IpNet>().ok().map(|net| net.addr());
    text.parse().ok().or_else(net)
}

pub(crate) fn addresses(texts: &[String]) -> Vec<IpAddr> {
    let read = texts.iter().filter_map(|text| address(text));
    read.take(MAX_LIST).collect()
}

/// The networks among these that are more than one of the node's own addresses.
pub(crate) fn beyond(nets: &[String], own: &[IpAddr]) -> Vec<IpNet> {
    let net = |text: &String| -> Option<IpNet> {
        let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
        text.parse().ok().or_else(address)
    };
    let single = |net: &IpNet| net.prefix_len() == net.max_prefix_len();
    let mut found: Vec<IpNet> = nets
        .iter()
        .filter_map(net)
        .filter(|net| !(single(net) && own.contains(&net.addr())))
        .take(MAX_LIST)
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Whether all of the internet is among these.
pub(crate) fn is_exit(nets: &[IpNet]) -> bool {
    nets.iter().any(|net| net.prefix_len() == 0)
}

/// An id as it may stand in a path: letters, digits, `-`, `_`; at most 64.
pub(crate) fn id(text: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (!text.is_empty() && text.len() <= 64 && text.chars().all(plain)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_others_lose_what_could_deceive() {
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\nd\u{200b}"), "a[31mbcd");
        assert_eq!(clean(&"x".repeat(500)).len(), 96);
    }

    #[test]
    fn the_year_one_is_no_instant() {
        assert_eq!(instant(Some("0001-01-01T00:00:00Z")), None);
        assert_eq!(instant(Some("never")), None);
        let at = instant(Some("2026-11-21T10:00:00.5+01:00")).unwrap();
        assert_eq!(at.to_string(), "2026-11-21T09:00:00.500Z");
        assert_eq!(key_end(None), KeyEnd::Never);
        assert_eq!(key_end(Some("0001-01-01T00:00:00Z")), KeyEnd::Never);
        assert_eq!(key_end(Some("soon")), KeyEnd::Unknown);
    }

    #[test]
    fn only_what_is_not_the_node_itself_is_a_route() {
        let own = [
            "100.64.0.3".parse().unwrap(),
            "fd7a:115c:a1e0::3".parse().unwrap(),
        ];
        let nets = [
            "100.64.0.3/32",
            "fd7a:115c:a1e0::3/128",
            "10.20.10.0/24",
            "0.0.0.0/0",
            "100.64.0.9/32",
        ];
        let nets = nets.map(str::to_owned);
        let beyond = beyond(&nets, &own);
        assert_eq!(beyond.len(), 3);
        assert!(is_exit(&beyond));
    }

    #[test]
    fn an_id_cannot_leave_its_place_in_a_path() {
        assert_eq!(id("nSTABLE1CNTRL"), Some("nSTABLE1CNTRL"));
        for wrong in ["", "../7", "7/expire", "7?x=1", "7%2f", "ä"] {
            assert_eq!(id(wrong), None, "{wrong}");
        }
    }
}
