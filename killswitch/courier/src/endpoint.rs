//! One address at a provider with the credentials for it: whatever a request is made of except its content.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// An address and what proves who calls.
#[derive(Clone)]
pub(crate) struct Endpoint {
    uri: Uri,
    authorization: Option<HeaderValue>,
}

/// Neither the address nor the credentials: some addresses hold a token.
impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Endpoint")
    }
}

impl Endpoint {
    /// `setting` is where the configuration says so, for the one who has to mend it.
    pub(crate) fn new(setting: &str, address: &str) -> Result<Self, String> {
        let wrong = || format!("`{setting}` is no address such as https://host/path");
        let uri: Uri = address.parse().map_err(|_| wrong())?;
        let known = matches!(uri.scheme_str(), Some("https" | "http"));
        match uri.authority() {
            Some(authority) if known && !authority.as_str().contains('@') => Ok(Self {
                uri,
                authorization: None,
            }),
            _ => Err(wrong()),
        }
    }

    /// With `Authorization: SCHEME VALUE`.
    pub(crate) fn with(mut self, scheme: &str, value: &str) -> Result<Self, String> {
        let value = HeaderValue::from_str(&format!("{scheme} {value}"));
        let mut value = value.map_err(|_| "a secret holds characters that no secret has")?;
        value.set_sensitive(true);
        self.authorization = Some(value);
        Ok(self)
    }

    /// With a user and a password (RFC 7617).
    pub(crate) fn basic(self, user: &str, password: &str) -> Result<Self, String> {
        let pair = STANDARD.encode(format!("{user}:{password}"));
        self.with("Basic", &pair)
    }

    /// Another address with the same credentials.
    pub(crate) fn at(&self, address: &str) -> Result<Self, String> {
        Ok(Self {
            authorization: self.authorization.clone(),
            ..Self::new("server", address)?
        })
    }

    /// The root of the same host.
    pub(crate) fn root(self) -> Self {
        let mut parts = self.uri.into_parts();
        parts.path_and_query = Some(PathAndQuery::from_static("/"));
        Self {
            uri: Uri::from_parts(parts).unwrap_or_default(),
            ..self
        }
    }

    /// `host` or `host:port`, as the header says it.
    pub(crate) fn host(&self) -> &str {
        self.uri
            .authority()
            .map_or("", |authority| authority.as_str())
    }

    /// Any request.
    pub(crate) fn request(
        &self,
        method: Method,
        headers: &[(HeaderName, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::builder().method(method).uri(self.uri.clone());
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        request
            .body(Full::new(body.into()))
            .map_err(|_| "a request to it cannot be made".to_owned())
    }

    /// `POST` of JSON.
    pub(crate) fn json(&self, body: &serde_json::Value) -> Result<Request<Full<Bytes>>, String> {
        let headers = [
            (CONTENT_TYPE, "application/json"),
            (http::header::ACCEPT, "application/json"),
        ];
        self.request(Method::POST, &headers, body.to_string())
    }

    /// `POST` of form fields.
    pub(crate) fn form(&self, fields: &[(&str, &str)]) -> Result<Request<Full<Bytes>>, String> {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let headers = [
            (CONTENT_TYPE, "application/x-www-form-urlencoded"),
            (http::header::ACCEPT, "application/json"),
        ];
        self.request(Method::POST, &headers, body.finish())
    }
}
