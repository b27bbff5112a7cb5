//! Where an OpenAI-compatible server stands.

use std::{fmt, str::FromStr};

/// `http(s)://authority/prefix`, without a trailing slash, query or user part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    tls: bool,
    authority: String,
    prefix: String,
}

/// Why a text is not a [`BaseUrl`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a base URL; expected something like http://127.0.0.1:11434/v1")]
pub struct NotABaseUrl(String);

impl BaseUrl {
    /// Whether the connection is encrypted.
    #[must_use]
    pub const fn tls(&self) -> bool {
        self.tls
    }

    /// Host and port as written.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
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
            if self.tls { "s" } else { "" },
            self.authority,
            self.prefix
        )
    }
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
        let authority_ok = !authority.is_empty()
            && authority.chars().all(|c| {
                c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']' | '_')
            });
        let prefix = prefix.trim_end_matches('/');
        let prefix_ok = prefix
            .chars()
            .all(|c| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '"' | '<' | '>' | '\\'));
        if !authority_ok || !prefix_ok {
            return Err(wrong());
        }
        Ok(Self {
            tls,
            authority: authority.to_owned(),
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
    fn what_could_smuggle_is_refused() {
        for text in [
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
