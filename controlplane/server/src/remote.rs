//! A house that runs elsewhere, asked over its API with a token.

use crate::http;
use anyhow::{Context as _, anyhow, ensure};
use net_model::Secret;
use reqwest::{Method, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::io::Read as _;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;
use zeroize::Zeroizing;

/// A cut answers after its proof.
const LIMIT: Duration = Duration::from_secs(30);

/// Where it is, and what is shown to it.
#[derive(Debug)]
pub(crate) struct Remote {
    base: Url,
    token: Secret,
}

/// As RFC 9457 has it.
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

impl Remote {
    /// Reads the token. It goes in the clear only where nobody can listen: to this machine, or over the mesh.
    pub(crate) fn open(url: &str, token_file: Option<&Path>) -> anyhow::Result<Self> {
        let base: Url = url
            .parse()
            .with_context(|| format!("--url `{url}` is no address such as https://house.lan"))?;
        ensure!(
            base.scheme() == "https" || base.scheme() == "http" && is_private(&base),
            "--url `{url}`: the token would be read on the way; use https, an address of this machine, or one of the mesh"
        );
        let path = token_file
            .context("--url needs --token-file FILE: `portcullis tokens create` prints a token")?;
        let mut text = Zeroizing::new(String::new());
        std::fs::File::open(path)
            .and_then(|file| file.take(256).read_to_string(&mut text))
            .with_context(|| format!("cannot read {}", path.display()))?;
        let token = Secret::new(text.trim())
            .map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
        Ok(Self { base, token })
    }

    /// Asks for something.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.ask(Method::GET, path, None).map(|(_, answer)| answer)
    }

    /// Asks for something that there may not be.
    pub(crate) fn find<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<Option<T>> {
        let (status, text) = self.send(Method::GET, path, None)?;
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            _ if status.is_success() => self.read(&text).map(Some),
            _ => Err(self.refused(status, &text)),
        }
    }

    /// Has something done; with the status, of which 202 is half of it.
    pub(crate) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<(StatusCode, T)> {
        self.ask(Method::POST, path, Some(body))
    }

    /// Has something taken away; nothing is answered.
    pub(crate) fn delete(&self, path: &str) -> anyhow::Result<()> {
        let (status, text) = self.send(Method::DELETE, path, None)?;
        match status.is_success() {
            true => Ok(()),
            false => Err(self.refused(status, &text)),
        }
    }

    /// Has something done that answers in the same form where it was refused, with 422.
    pub(crate) fn said<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<(StatusCode, T)> {
        let (status, text) = self.send(Method::POST, path, None)?;
        if !status.is_success() && status != StatusCode::UNPROCESSABLE_ENTITY {
            return Err(self.refused(status, &text));
        }
        Ok((status, self.read(&text)?))
    }

    fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, T)> {
        let (status, text) = self.send(method, path, body)?;
        if !status.is_success() {
            return Err(self.refused(status, &text));
        }
        Ok((status, self.read(&text)?))
    }

    fn read<T: DeserializeOwned>(&self, text: &[u8]) -> anyhow::Result<T> {
        let other = || format!("{} answered something else than expected", self.base);
        serde_json::from_slice(text).with_context(other)
    }

    fn refused(&self, status: StatusCode, text: &[u8]) -> anyhow::Error {
        match serde_json::from_slice::<Problem>(text) {
            Ok(problem) => anyhow!("{} ({})", problem.detail, status.as_u16()),
            Err(_) => anyhow!("{} answered {status}", self.base),
        }
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Vec<u8>)> {
        let url = self.base.join(path)?;
        http::block_on(async {
            let mut request = http::client(LIMIT)?
                .request(method, url)
                .bearer_auth(self.token.expose());
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = request
                .send()
                .await
                .with_context(|| format!("{} does not answer", self.base))?;
            let status = answer.status();
            Ok((status, http::body(answer).await?))
        })
    }
}

/// This machine, or an address of Tailscale's and Headscale's, between which everything is enciphered.
fn is_private(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_matches(['[', ']']).parse();
    match literal {
        Ok(IpAddr::V4(ip)) => {
            let [a, b, ..] = ip.octets();
            ip.is_loopback() || a == 100 && (64..128).contains(&b)
        }
        Ok(IpAddr::V6(ip)) => {
            ip.is_loopback() || ip.segments().starts_with(&[0xfd7a, 0x115c, 0xa1e0])
        }
        Err(_) => host == "localhost",
    }
}

/// A name within an address.
pub(crate) fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_in_the_clear_to_nobody_else() {
        for good in [
            "http://127.0.0.1:7410",
            "http://localhost:7410",
            "http://[::1]:7410",
            "http://100.64.3.9:7410",
            "http://[fd7a:115c:a1e0::9]:7410",
        ] {
            assert!(is_private(&good.parse().unwrap()), "{good}");
        }
        for bad in [
            "http://192.168.1.9:7410",
            "http://house.lan",
            "http://100.128.0.1",
            "http://127.0.0.1.example",
        ] {
            let error = Remote::open(bad, None).unwrap_err();
            assert!(error.to_string().contains("--url"), "{bad}");
        }
    }
}
