//! A request on its way through the data plane, and the variables that expressions and limits can name.

use crate::apisix::counters::Held;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::{borrow::Cow, net::SocketAddr};

#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    /// As it came, then as `proxy-rewrite` left it.
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) peer: SocketAddr,
    pub(super) own: SocketAddr,
    pub(super) route: String,
    pub(super) route_name: String,
    pub(super) service: String,
    /// The route's pattern that matched.
    pub(super) matched: String,
    pub(super) consumer: String,
    /// Places of `limit-conn`, given back when the exchange ends.
    pub(super) held: Vec<Held>,
    /// For the answer.
    pub(super) answer: Vec<(HeaderName, HeaderValue)>,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(super) fn argument(&self, name: &str) -> Option<String> {
        let mut pairs = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(key, _)| *key == name)
            // Of what is escaped, blanks alone matter to a test.
            .map(|(_, value)| value.replace("%20", " ").replace('+', " "))
    }

    pub(super) fn host(&self) -> &str {
        let host = self.header("host").unwrap_or_default();
        host.rsplit_once(':').map_or(host, |(name, _)| name)
    }

    /// What a name stands for; `None` where it stands for nothing, as a consumer before `key-auth` ran.
    pub(super) fn variable(&self, name: &str) -> Option<Cow<'_, str>> {
        let some = |text: &'_ str| (!text.is_empty()).then(|| Cow::Owned(text.to_owned()));
        match name {
            "uri" => Some(Cow::Borrowed(&self.path)),
            "request_uri" if self.query.is_empty() => Some(Cow::Borrowed(&self.path)),
            "request_uri" => Some(Cow::Owned(format!("{}?{}", self.path, self.query))),
            "method" | "request_method" => Some(Cow::Borrowed(self.method.as_str())),
            "host" => Some(Cow::Borrowed(self.host())),
            "args" | "query_string" => some(&self.query),
            "remote_addr" => Some(Cow::Owned(self.peer.ip().to_string())),
            "remote_port" => Some(Cow::Owned(self.peer.port().to_string())),
            "server_port" => Some(Cow::Owned(self.own.port().to_string())),
            "route_id" => some(&self.route),
            "route_name" => some(&self.route_name),
            "service_id" => some(&self.service),
            "consumer_name" => some(&self.consumer),
            other => self.part(other),
        }
    }

    fn part(&self, name: &str) -> Option<Cow<'_, str>> {
        if let Some(header) = name.strip_prefix("http_") {
            let value = self.header(&header.replace('_', "-"))?;
            return Some(Cow::Borrowed(value));
        }
        if let Some(argument) = name.strip_prefix("arg_") {
            return self.argument(argument).map(Cow::Owned);
        }
        let path = name
            .strip_prefix("post_arg")?
            .trim_start_matches(['.', '_']);
        let body: serde_json::Value = serde_json::from_slice(&self.body).ok()?;
        let found = body.pointer(&format!("/{}", path.replace('.', "/")))?;
        let text = found.as_str().map(str::to_owned);
        Some(Cow::Owned(text.unwrap_or_else(|| found.to_string())))
    }

    /// A text in which `$name` and `${name}` stand for variables.
    pub(super) fn filled_in(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut parts = text.split('$');
        filled.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let bare = part.strip_prefix('{').unwrap_or(part);
            let end = bare
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(bare.len());
            let (name, rest) = bare.split_at(end);
            filled.push_str(&self.variable(name).unwrap_or_default());
            let braced = bare.len() < part.len();
            filled.push_str(if braced {
                rest.trim_start_matches('}')
            } else {
                rest
            });
        }
        filled
    }
}
