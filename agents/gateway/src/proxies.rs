//! Who a client is when others speak for it: only trusted proxies are believed. Pure.
//!
//! Read from the last word to the first, because each proxy adds its own at the end: the first address that is no
//! trusted proxy is the client's (RFC 7239; `X-Forwarded-For` where both stand, as most proxies write only that).

use crate::app::App;
use http::{HeaderMap, HeaderName, Request, header};
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Where a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client(pub(crate) IpAddr);

/// Notes on a request where it came from.
pub(crate) fn with_client<B>(app: &App, peer: IpAddr, mut request: Request<B>) -> Request<B> {
    let client = client(peer, request.headers(), &app.front.load().trusted_proxies);
    request.extensions_mut().insert(client);
    request
}

/// Who asked, when `peer` holds the connection.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Client {
    let peer = peer.to_canonical();
    let trusts = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut client = peer;
    if trusts(&peer) {
        for address in said(headers).into_iter().rev() {
            let Some(address) = address else { break };
            client = address;
            if !trusts(&address) {
                break;
            }
        }
    }
    Client(client)
}

/// What the headers say, in their order; `None` where that is no address.
fn said(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let words = |name: &HeaderName| {
        let values = headers.get_all(name).iter();
        let words = values.flat_map(|value| value.to_str().unwrap_or("?").split(','));
        words.map(str::trim).map(str::to_owned).collect::<Vec<_>>()
    };
    let forwarded_for = words(&X_FORWARDED_FOR);
    if !forwarded_for.is_empty() {
        return forwarded_for.iter().map(|word| address(word)).collect();
    }
    let forwarded = words(&header::FORWARDED);
    forwarded
        .iter()
        .map(|element| {
            let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
            let mut named = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
            address(named.next()?.1.trim())
        })
        .collect()
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`, quoted or not.
fn address(word: &str) -> Option<IpAddr> {
    let word = word.trim_matches('"');
    let bare = word
        .strip_prefix('[')
        .and_then(|word| word.strip_suffix(']'));
    bare.unwrap_or(word)
        .parse()
        .ok()
        .or_else(|| Some(word.parse::<SocketAddr>().ok()?.ip()))
        .map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(peer: &str, said: &[(&'static str, &str)]) -> String {
        let trusted = [
            "127.0.0.0/8".parse().unwrap(),
            "10.9.0.1/32".parse().unwrap(),
        ];
        let mut headers = HeaderMap::new();
        for (name, value) in said {
            headers.append(*name, value.parse().unwrap());
        }
        client(peer.parse().unwrap(), &headers, &trusted)
            .0
            .to_string()
    }

    #[test]
    fn who_is_not_trusted_speaks_for_itself_alone() {
        let lie = [
            ("x-forwarded-for", "192.0.2.7"),
            ("forwarded", "for=192.0.2.7"),
        ];
        assert_eq!(who("203.0.113.5", &lie), "203.0.113.5");
    }

    #[test]
    fn the_last_address_that_no_proxy_of_ours_has_is_the_client() {
        for (header, value) in [
            ("x-forwarded-for", "198.51.100.1, 192.0.2.7"),
            ("x-forwarded-for", "198.51.100.1,192.0.2.7:4711 , 10.9.0.1"),
            ("forwarded", "for=198.51.100.1, for=192.0.2.7;proto=https"),
            ("forwarded", "For=\"192.0.2.7:80\""),
        ] {
            assert_eq!(who("127.0.0.1", &[(header, value)]), "192.0.2.7");
        }
        assert_eq!(
            who(
                "::ffff:127.0.0.1",
                &[("forwarded", "for=\"[2001:db8::1]:80\"")]
            ),
            "2001:db8::1"
        );
    }

    #[test]
    fn what_is_no_address_ends_the_search() {
        let odd = [("x-forwarded-for", "192.0.2.7, unknown, 10.9.0.1")];
        assert_eq!(who("127.0.0.1", &odd), "10.9.0.1");
        assert_eq!(who("127.0.0.1", &[]), "127.0.0.1");
    }
}
