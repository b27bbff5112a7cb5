//! Where an OpenAI-compatible server stands.

use std::{fmt, net::Ipv6Addr, str::FromStr, sync::Arc};

/// `http(s)://authority/prefix`, without a trailing slash, query or user part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    server: Server,
    prefix: String,
}

/// A server, as connections to it are told apart from those to others. A clone shares its text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    tls: bool,
    authority: Arc<str>,
}

/// Why a text is not a [`BaseUrl`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a base URL; expected something like http://127.0.0.1:11434/v1")]
pub struct NotABaseUrl(String);

impl BaseUrl {
    /// Where it leads, whatever stands there.
    #[must_use]
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub const fn tls(&self) -> bool {
        self.server.tls
    }

    /// Host and port as written.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.server.authority
    }

    /// Its host; an IPv6 address stands without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        split(self.authority()).map_or("", |(host, _)| host)
    }

    /// Its port; where none is written, that of HTTP or HTTPS.
    #[must_use]
    pub fn port(&self) -> u16 {
        let written = split(self.authority()).and_then(|(_, port)| port);
        written.unwrap_or(if self.tls() { 443 } else { 80 })
    }

    /// The path below it, such as `/v1`; empty for none.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The whole address of `path` (which starts with a slash) below the base.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{self}{path}")
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "http{}://{}{}",
            if self.tls() { "s" } else { "" },
            self.authority(),
            self.prefix
        )
    }
}

/// Host, and port where one is written; none where it is no such thing.
fn split(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, after) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']')?;
            address.parse::<Ipv6Addr>().ok()?;
            (address, after)
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = match after.strip_prefix(':') {
        Some(port) => Some(port.parse().ok()?),
        None if after.is_empty() => None,
        None => return None,
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
    (!host.is_empty() && host.chars().all(plain)).then_some((host, port))
}

impl FromStr for BaseUrl {
    type Err = NotABaseUrl;

    fn from_str(text: &str) -> Result<Self, NotABaseUrl> {
        let wrong = || NotABaseUrl(text.chars().take(80).collect());
        let (tls, rest) = if let Some(rest) = text.strip_prefix("https://") {
            (true, rest)
        } else {
            (false, text.strip_prefix("http://").ok_or_else(wrong)?)
        };
        let (authority, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let prefix = prefix.trim_end_matches('/');
        let prefix_ok = prefix
            .chars()
            .all(|c| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '"' | '<' | '>' | '\\'));
        if split(authority).is_none() || !prefix_ok {
            return Err(wrong());
        }
        Ok(Self {
            server: Server {
                tls,
                authority: authority.into(),
            },
            prefix: prefix.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_join_without_double_slashes() {
        let base: BaseUrl = "http://127.0.0.1:11434/v1/".parse().unwrap();
        assert_eq!(base.join("/models"), "http://127.0.0.1:11434/v1/models");
        assert_eq!(
            "https://api.example"
                .parse::<BaseUrl>()
                .unwrap()
                .join("/v1"),
            "https://api.example/v1"
        );
    }

    #[test]
    fn host_and_port_are_told_apart() {
        for (text, host, port) in [
            ("http://127.0.0.1:11434/v1", "127.0.0.1", 11434),
            ("http://gpu.lan/v1", "gpu.lan", 80),
            ("https://api.example/v1", "api.example", 443),
            ("https://[fd00::1]/v1", "fd00::1", 443),
            ("http://[::1]:8000", "::1", 8000),
        ] {
            let base: BaseUrl = text.parse().unwrap();
            assert_eq!((base.host(), base.port()), (host, port), "{text}");
        }
    }

    #[test]
    fn what_could_smuggle_is_refused() {
        for text in [
            "http://a:b/v1",
            "http://a:99999/v1",
            "http://a:1:2/v1",
            "http://:80/v1",
            "http://[::1/v1",
            "http://[::1]80/v1",
            "http://[gpu]/v1",
            "http://::1/v1",
            "ftp://x",
            "http://",
            "http://a@b/v1",
            "http://a/v1?x=1",
            "http://a/ b",
            "http://a\r\n/",
        ] {
            assert!(text.parse::<BaseUrl>().is_err(), "{text:?}");
        }
    }
}
