//! What comes in from a provider, and what goes back.

/// Longest body that is read, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// One HTTP request, as received: nothing decoded, nothing trimmed.
#[derive(Clone, Copy)]
pub struct RawRequest<'a> {
    /// The method, such as `POST`.
    pub method: &'a str,
    /// Every header in order; names in any case.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The query without its question mark, if there is one.
    pub query: Option<&'a str>,
    /// The whole body.
    pub body: &'a [u8],
}

impl<'a> RawRequest<'a> {
    /// The value of a header that must stand there exactly once.
    pub(crate) fn header(&self, name: &str) -> Result<&'a str, Refusal> {
        let mut all = self
            .headers
            .iter()
            .filter(|(header, _)| header.eq_ignore_ascii_case(name));
        let (_, value) = all.next().ok_or(Refusal::Header)?;
        if all.next().is_some() {
            return Err(Refusal::Header);
        }
        std::str::from_utf8(value).map_err(|_| Refusal::Header)
    }

    /// A `POST` whose body is within [`MAX_BODY`].
    pub(crate) fn bounded_post(&self) -> Result<(), Refusal> {
        if self.method != "POST" {
            Err(Refusal::Method)
        } else if self.body.len() > MAX_BODY {
            Err(Refusal::TooLarge)
        } else {
            Ok(())
        }
    }
}

/// Shows sizes, not contents: a text may hold a live code.
impl std::fmt::Debug for RawRequest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawRequest")
            .field("method", &self.method)
            .field("headers", &self.headers.len())
            .field("body", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why a request is not a text: one word for the log, nothing of what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a `POST`.
    #[error("method")]
    Method,
    /// Longer than [`MAX_BODY`].
    #[error("size")]
    TooLarge,
    /// A header the signature needs is missing, twice there or malformed.
    #[error("header")]
    Header,
    /// Sent to another address than the configured one.
    #[error("address")]
    Address,
    /// No configured secret made this signature.
    #[error("signature")]
    Signature,
    /// Rightly signed, but too long ago or too far ahead.
    #[error("stale")]
    Stale,
    /// Rightly signed, but not a text message.
    #[error("content")]
    Content,
}

/// What the provider gets as response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Value of `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}
