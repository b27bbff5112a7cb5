//! What gateways that are not ours call things, in our words: one name for one thing, in a cut and in the ledger.

use crate::address::BaseUrl;
use crate::secret::KeyHash;
use kill_wire::{Class, Name};
use std::net::IpAddr;

/// Hexadecimal digits that keep apart two texts which come to one name.
const DIGITS: usize = 6;
/// What is left of a text that is no name, beside these and a dash.
const KEPT: usize = 24 - DIGITS - 1;

/// A name for whatever others call something, none for nothing: as it is where it is one, else what of it may stand in a name, and some
/// digits of its hash, so that two remain two.
#[must_use]
pub fn name_for(said: &str) -> Option<Name> {
    if said.is_empty() {
        return None;
    }
    if let Ok(name) = said.parse() {
        return Some(name);
    }
    let hex = KeyHash::of(said.as_bytes()).to_hex();
    let may = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let start = said.chars().skip_while(|c| !c.is_ascii_alphabetic());
    let kept: String = start.filter(may).take(KEPT).collect();
    let kept = if kept.is_empty() { "x" } else { &kept };
    format!("{kept}-{}", hex.get(..DIGITS)?).parse().ok()
}

/// Whether an address is of the house: loopback or private, or a name that nobody outside can have.
#[must_use]
pub fn class_for(base: &str) -> Class {
    let plain = base.split(['?', '#']).next().unwrap_or_default();
    let url = plain.parse::<BaseUrl>();
    // Some write no scheme.
    let url = url.or_else(|_| format!("http://{plain}").parse::<BaseUrl>());
    let host = url.as_ref().map_or("", BaseUrl::host);
    let house = match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private() || ip.is_link_local(),
        Ok(IpAddr::V6(ip)) => {
            ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()
        }
        Err(_) => of_the_house(host),
    };
    if house { Class::Local } else { Class::Cloud }
}

/// A single label cannot be a public name (RFC 1123 leaves it, the DNS root holds none of them with an address), and
/// these endings are kept for private use (RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`).
fn of_the_house(host: &str) -> bool {
    let ending = ["localhost", "local", "lan", "internal", "home.arpa"];
    let below = |it: &str| host.ends_with(&format!(".{it}")) || host == it;
    !host.is_empty() && (!host.contains('.') || ending.iter().any(|it| below(it)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_apart_and_a_good_one_stays_as_it_is() {
        assert_eq!(name_for("claw").unwrap().as_str(), "claw");
        let long = "Production key for the research team";
        let a = name_for(long).unwrap();
        let b = name_for(&format!("{long}!")).unwrap();
        assert_ne!(a, b);
        assert_eq!(name_for(long), Some(a));
        for odd in ["all", "9", "\u{1f600}", "key with spaces", "-", "\0"] {
            assert!(name_for(odd).is_some(), "{odd:?}");
        }
        assert!(name_for("").is_none());
    }

    #[test]
    fn only_what_stands_in_the_house_is_local() {
        for base in [
            "http://127.0.0.1:11434",
            "http://10.0.0.7/v1",
            "http://[::1]:8000/v1",
            "http://[fd00::1]/v1",
            "http://ollama:11434",
            "http://gpu.lan:8000/v1",
            "http://localhost:1",
            "http://gpu.lan:8000/v1?beta=1",
            "10.0.0.7:11434",
        ] {
            assert_eq!(class_for(base), Class::Local, "{base}");
        }
        for base in [
            "",
            "https://api.openai.com/v1",
            "http://8.8.8.8",
            "https://lan.example.com",
            "https://localhost.example.com",
            "http://[2001:db8::1]/v1",
            "https://x.openai.azure.com/openai/deployments/a?api-version=2026-02-01",
            "https://who:what@api.example.com/v1",
            "nonsense with spaces.example",
        ] {
            assert_eq!(class_for(base), Class::Cloud, "{base}");
        }
    }
}
