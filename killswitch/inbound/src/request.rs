//! What comes in from a provider.

use crate::refusal::Refusal;

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

    /// Whether a header is there at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        let mut names = self.headers.iter();
        names.any(|(header, _)| header.eq_ignore_ascii_case(name))
    }

    /// One of these methods, with a body within [`MAX_BODY`].
    pub(crate) fn bounded(&self, methods: &[&str]) -> Result<(), Refusal> {
        if !methods.contains(&self.method) {
            Err(Refusal::Method)
        } else if self.body.len() > MAX_BODY {
            Err(Refusal::TooLarge)
        } else {
            Ok(())
        }
    }
}
