//! Under which address passkeys count. A browser shows one to this address and to no other.

use kill_wire::Timestamp;
use url::{Host, Url};
use webauthn_rp::request::{AsciiDomain, RpId};

/// What the configuration says of passkeys.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address they count under.
    pub party: Party,
    /// For how many milliseconds a passkey counts after the provider last said who its person is.
    pub vouched_ms: u64,
}

impl Settings {
    /// Whether what a provider said at `vouched` still counts.
    #[must_use]
    pub fn counts(&self, vouched: Timestamp, now: Timestamp) -> bool {
        now < vouched.plus_millis(self.vouched_ms)
    }
}

/// The address passkeys count under.
#[derive(Clone, Debug)]
pub struct Party {
    pub(crate) id: RpId,
    pub(crate) origin: String,
}

/// Why no passkey can count under an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFit {
    /// It is no address.
    #[error("is not an address such as `https://portcullis.house.example`, without path")]
    Address,
    /// It is an IP address.
    #[error(
        "is an IP address, and browsers make passkeys for names alone; write a name such as `https://portcullis.house.example`"
    )]
    Ip,
    /// It is plain HTTP to another machine.
    #[error(
        "is plain HTTP, over which browsers use no passkey; write https (plain HTTP does for `localhost` alone)"
    )]
    Plain,
}

impl Party {
    /// Reads the dashboard's address as browsers know it.
    ///
    /// # Errors
    /// An address under which browsers use no passkey.
    pub fn of(address: &str) -> Result<Self, NotFit> {
        let url = Url::parse(address).map_err(|_| NotFit::Address)?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let named = !url.username().is_empty() || url.password().is_some();
        if !bare || named || !matches!(url.scheme(), "http" | "https") {
            return Err(NotFit::Address);
        }
        let host = match url.host() {
            Some(Host::Domain(host)) => host.to_owned(),
            Some(Host::Ipv4(_) | Host::Ipv6(_)) => return Err(NotFit::Ip),
            None => return Err(NotFit::Address),
        };
        if url.scheme() == "http" && host != "localhost" {
            return Err(NotFit::Plain);
        }
        let domain = AsciiDomain::try_from(host).map_err(|_| NotFit::Address)?;
        Ok(Self {
            id: RpId::Domain(domain),
            origin: url.origin().ascii_serialization(),
        })
    }

    /// The address as a browser names where a page is from, such as `https://portcullis.house.example`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Its name, without scheme and port.
    #[must_use]
    pub fn host(&self) -> &str {
        self.id.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_a_browser_names_it() {
        for (address, origin, host) in [
            (
                "https://Portcullis.House.example/",
                "https://portcullis.house.example",
                "portcullis.house.example",
            ),
            (
                "https://portcullis.lan:443",
                "https://portcullis.lan",
                "portcullis.lan",
            ),
            (
                "https://portcullis.lan:8443",
                "https://portcullis.lan:8443",
                "portcullis.lan",
            ),
            (
                "http://localhost:7410",
                "http://localhost:7410",
                "localhost",
            ),
        ] {
            let party = Party::of(address).unwrap();
            assert_eq!((party.origin(), party.host()), (origin, host));
        }
    }

    #[test]
    fn what_no_browser_would_use_is_refused() {
        for (address, why) in [
            ("", NotFit::Address),
            ("portcullis.lan", NotFit::Address),
            ("ftp://portcullis.lan", NotFit::Address),
            ("https://portcullis.lan/dash", NotFit::Address),
            ("https://portcullis.lan/?a", NotFit::Address),
            ("https://ada@portcullis.lan", NotFit::Address),
            ("https://192.0.2.1", NotFit::Ip),
            ("http://127.0.0.1:7410", NotFit::Ip),
            ("https://[::1]:7410", NotFit::Ip),
            ("https://3221225985", NotFit::Ip),
            ("http://portcullis.lan", NotFit::Plain),
            ("http://localhost.lan:7410", NotFit::Plain),
        ] {
            assert_eq!(Party::of(address).unwrap_err(), why, "{address}");
        }
    }

    #[test]
    fn a_word_of_the_provider_counts_for_its_time() {
        let party = Party::of("http://localhost:7410").unwrap();
        let settings = Settings {
            party,
            vouched_ms: 100,
        };
        let at = Timestamp::from_millis;
        assert!(settings.counts(at(50), at(149)));
        assert!(!settings.counts(at(50), at(150)));
        assert!(!settings.counts(at(0), at(5000)));
    }
}
