//! Speaks to the admin API: what each answer means, and what an error says.

use crate::GatewayError;
use crate::http::{Answer, Ask, Failure, Lane};
use http::{HeaderName, HeaderValue, Method};
use net_model::Secret;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;

const BASE: &str = "/apisix/admin/";
const KEY: HeaderName = HeaderName::from_static("x-api-key");
/// Longest of a gateway's own words in an error.
const MAX_WORDS: usize = 200;

/// One connection to the admin API.
#[derive(Debug)]
pub(super) struct Admin {
    lane: Lane,
    key: HeaderValue,
}

/// Why a write was not seen to be done.
#[derive(Debug)]
pub(super) enum NotDone {
    /// It cannot have been, and will not be.
    Refused(GatewayError),
    /// It may have been, or may be still.
    Unknown(GatewayError),
}

impl From<NotDone> for GatewayError {
    fn from(not_done: NotDone) -> Self {
        match not_done {
            NotDone::Refused(why) | NotDone::Unknown(why) => why,
        }
    }
}

impl From<Failure> for NotDone {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotSent(why) => Self::Refused(why),
            Failure::Unknown(why) => Self::Unknown(why),
        }
    }
}

impl Admin {
    pub(super) fn new(at: SocketAddr, key: &Secret) -> Self {
        // A secret is visible ASCII, all of which a header takes.
        let mut key =
            HeaderValue::from_str(key.expose()).unwrap_or_else(|_| HeaderValue::from_static(""));
        key.set_sensitive(true);
        Self {
            lane: Lane::new(at),
            key,
        }
    }

    /// Reads what stands at `path`; none where nothing does.
    pub(super) async fn get(
        &self,
        path: &str,
        limit: Duration,
    ) -> Result<Option<Value>, GatewayError> {
        let ask = self.ask(Method::GET, path);
        let answer = self.lane.call(&ask, limit).await?;
        match answer.status.as_u16() {
            200 => answer.json().map(Some),
            404 => Ok(None),
            _ => Err(said(&answer, &Method::GET, path)),
        }
    }

    /// What the gateway says it is, such as `APISIX/3.18.0`; and whether it answers this key.
    pub(super) async fn server(&self, limit: Duration) -> Result<Option<String>, GatewayError> {
        let path = "routes?page=1&page_size=10";
        let answer = self.lane.call(&self.ask(Method::GET, path), limit).await?;
        if !answer.status.is_success() && answer.status.as_u16() != 404 {
            return Err(said(&answer, &Method::GET, path));
        }
        let server = answer.headers.get(http::header::SERVER);
        Ok(server
            .and_then(|text| text.to_str().ok())
            .map(str::to_owned))
    }

    /// Writes an object, or takes one away; that it was not there is as good.
    pub(super) async fn write(
        &self,
        path: &str,
        value: Option<&Value>,
        limit: Duration,
    ) -> Result<(), NotDone> {
        let ask = match value {
            Some(value) => self.ask(Method::PUT, path).json(value),
            None => self.ask(Method::DELETE, path),
        };
        self.written(&ask, path, limit).await
    }

    /// Replaces the whole configuration of a node that holds it in memory.
    pub(super) async fn push(
        &self,
        body: &Value,
        digest: &str,
        limit: Duration,
    ) -> Result<(), NotDone> {
        let digest = HeaderValue::from_str(digest)
            .map_err(|why| NotDone::Refused(GatewayError::Garbled(why.to_string())))?;
        let name = HeaderName::from_static("x-digest");
        let ask = self
            .ask(Method::PUT, "configs")
            .json(body)
            .header(name, digest);
        self.written(&ask, "configs", limit).await
    }

    async fn written(&self, ask: &Ask, path: &str, limit: Duration) -> Result<(), NotDone> {
        let answer = self.lane.call(ask, limit).await?;
        match answer.status.as_u16() {
            200..=299 => Ok(()),
            404 if ask.method == Method::DELETE => Ok(()),
            // What it got to before it failed, it does not say.
            500.. => Err(NotDone::Unknown(said(&answer, &ask.method, path))),
            _ => Err(NotDone::Refused(said(&answer, &ask.method, path))),
        }
    }

    fn ask(&self, method: Method, path: &str) -> Ask {
        Ask::new(method, format!("{BASE}{path}")).header(KEY, self.key.clone())
    }
}

/// In the gateway's own words, shortened.
fn said(answer: &Answer, method: &Method, path: &str) -> GatewayError {
    let status = answer.status.as_u16();
    let body: Value = answer.json().unwrap_or_default();
    let field = |name: &str| body.get(name).and_then(Value::as_str);
    let words = field("description")
        .or_else(|| field("error_msg"))
        .or_else(|| field("message"));
    let words: String = words
        .unwrap_or("no reason given")
        .chars()
        .take(MAX_WORDS)
        .collect();
    let path = path.split('?').next().unwrap_or(path);
    GatewayError::Refused(match status {
        401 | 403 => format!("the admin key is not taken ({status}): {words}"),
        _ => format!("{method} {path} answered {status}: {words}"),
    })
}
