//! What a host of a zone tries to reach from time to time, to see that the walls hold, or that the one way stands.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// Longest name that a resolver is asked for, in characters.
const MAX_NAME: usize = 40;
/// Where resolvers listen.
const DNS: u16 = 53;

/// Where a probe goes: `tcp://198.51.100.7:445`, `udp://[2001:db8::1]:123`, `dns://192.0.2.53` or `dns://192.0.2.53/example.org`.
///
/// Always a literal address that is not of the asking host itself: a canary never looks up a name to find its way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ProbeTarget {
    /// A connection is opened and closed, without a byte in between.
    Tcp(SocketAddr),
    /// One datagram is sent. Silence proves little: who listens need not answer.
    Udp(SocketAddr),
    /// One question to a resolver.
    Dns {
        /// Literal address of the resolver.
        resolver: SocketAddr,
        /// Asked for its addresses; without it, who serves the root (which every resolver knows by heart).
        name: Option<String>,
    },
}

/// Why a text is not a [`ProbeTarget`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAProbeTarget {
    /// It is none of the three forms.
    #[error(
        "`{0}` is not something to probe: expected tcp://ADDRESS:PORT, udp://ADDRESS:PORT or dns://ADDRESS[/NAME] with a literal address"
    )]
    Form(String),
    /// It leads nowhere outside the host, or to many.
    #[error("`{0}` leads to this host itself or to many; a canary needs one other host's address")]
    Nowhere(String),
}

impl ProbeTarget {
    /// The address that a probe is sent to.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        match self {
            Self::Tcp(address) | Self::Udp(address) => *address,
            Self::Dns { resolver, .. } => *resolver,
        }
    }

    /// Whether silence at the far end says that the way is closed: a connection is always answered where it arrives, a datagram need not be.
    #[must_use]
    pub const fn silence_tells(&self) -> bool {
        match self {
            Self::Tcp(_) | Self::Dns { .. } => true,
            Self::Udp(_) => false,
        }
    }
}

impl fmt::Display for ProbeTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "tcp://{address}"),
            Self::Udp(address) => write!(f, "udp://{address}"),
            Self::Dns { resolver, name } => {
                match resolver {
                    SocketAddr::V4(v4) if v4.port() == DNS => write!(f, "dns://{}", v4.ip())?,
                    SocketAddr::V6(v6) if v6.port() == DNS => write!(f, "dns://[{}]", v6.ip())?,
                    SocketAddr::V4(_) | SocketAddr::V6(_) => write!(f, "dns://{resolver}")?,
                }
                name.as_ref().map_or(Ok(()), |name| write!(f, "/{name}"))
            }
        }
    }
}

impl FromStr for ProbeTarget {
    type Err = NotAProbeTarget;

    fn from_str(text: &str) -> Result<Self, NotAProbeTarget> {
        let short = || text.chars().take(60).collect::<String>();
        let target = read(text).ok_or_else(|| NotAProbeTarget::Form(short()))?;
        if leads_somewhere(target.address()) {
            Ok(target)
        } else {
            Err(NotAProbeTarget::Nowhere(short()))
        }
    }
}

impl TryFrom<String> for ProbeTarget {
    type Error = NotAProbeTarget;
    fn try_from(text: String) -> Result<Self, NotAProbeTarget> {
        text.parse()
    }
}

impl From<ProbeTarget> for String {
    fn from(target: ProbeTarget) -> Self {
        target.to_string()
    }
}

fn read(text: &str) -> Option<ProbeTarget> {
    let (kind, rest) = text.split_once("://")?;
    match kind {
        "tcp" => rest.parse().ok().map(ProbeTarget::Tcp),
        "udp" => rest.parse().ok().map(ProbeTarget::Udp),
        "dns" => {
            let (resolver, name) = match rest.split_once('/') {
                Some((resolver, name)) => (resolver, Some(name)),
                None => (rest, None),
            };
            let name = match name {
                Some(name) => Some(dns_name(name)?),
                None => None,
            };
            let resolver = resolver_at(resolver)?;
            Some(ProbeTarget::Dns { resolver, name })
        }
        _ => None,
    }
}

fn resolver_at(text: &str) -> Option<SocketAddr> {
    let bare = text.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let bare: Option<IpAddr> = bare.unwrap_or(text).parse().ok();
    bare.map(|ip| SocketAddr::new(ip, DNS))
        .or_else(|| text.parse().ok())
}

/// Lower case, without the last dot; at most [`MAX_NAME`] characters of letters, digits, `-` and `_`.
fn dns_name(text: &str) -> Option<String> {
    let name = text.trim_end_matches('.').to_ascii_lowercase();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let label = |label: &str| !label.is_empty() && label.chars().all(plain);
    (name.len() <= MAX_NAME && name.split('.').all(label)).then_some(name)
}

fn leads_somewhere(address: SocketAddr) -> bool {
    let ip = address.ip().to_canonical();
    let nowhere = ip.is_loopback()
        || ip.is_unspecified()
        || ip.is_multicast()
        || ip == IpAddr::V4(Ipv4Addr::BROADCAST);
    address.port() != 0 && !nowhere
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_written_as_it_is_read() {
        for text in [
            "tcp://198.18.10.5:445",
            "tcp://[fd42:20:10::5]:22",
            "udp://198.18.10.5:123",
            "dns://198.18.10.53",
            "dns://[fd42::53]",
            "dns://198.18.10.53:5353/example.org",
            "dns://[fd42::53]:5353/a_b.example",
        ] {
            let target: ProbeTarget = text.parse().unwrap();
            assert_eq!(target.to_string(), text);
            let json = serde_json::to_string(&target).unwrap();
            assert_eq!(serde_json::from_str::<ProbeTarget>(&json).unwrap(), target);
        }
    }

    #[test]
    fn the_longest_target_is_shorter_than_a_text_of_a_report_may_be() {
        let name = "a".repeat(MAX_NAME);
        let longest = format!("dns://[1111:2222:3333:4444:5555:6666:7777:8888]:65535/{name}");
        assert!(longest.parse::<ProbeTarget>().unwrap().to_string().len() <= 96);
        assert!(format!("{longest}a").parse::<ProbeTarget>().is_err());
    }

    #[test]
    fn names_ranges_and_other_words_are_no_targets() {
        for text in [
            "",
            "198.18.10.5:445",
            "tcp://nas.lan:445",
            "tcp://198.18.10.5",
            "tcp://198.18.10.0/24:445",
            "icmp://198.18.10.5",
            "udp://198.18.10.5:123/x",
            "dns://198.18.10.53/exa mple.org",
            "dns://198.18.10.53/",
            "dns://resolver.lan/example.org",
        ] {
            assert!(
                matches!(text.parse::<ProbeTarget>(), Err(NotAProbeTarget::Form(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn targets_at_oneself_or_to_many_are_refused() {
        for text in [
            "tcp://127.0.0.1:445",
            "tcp://[::1]:445",
            "tcp://[::ffff:127.0.0.1]:445",
            "tcp://0.0.0.0:445",
            "tcp://198.18.10.5:0",
            "udp://224.0.0.251:5353",
            "udp://255.255.255.255:9",
            "dns://[::]",
        ] {
            assert!(
                matches!(
                    text.parse::<ProbeTarget>(),
                    Err(NotAProbeTarget::Nowhere(_))
                ),
                "{text}"
            );
        }
    }
}
