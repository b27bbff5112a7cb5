//! A request as it goes to a target.

use bytes::{Buf as _, Bytes};
use gateway_core::answer::Asked;
use http::{
    HeaderMap, Method,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE},
    uri::PathAndQuery,
};
use std::{
    io::{self, Write as _},
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::AsyncWrite;
use tokio_util::io::poll_write_buf;

/// Room for the first line and the length.
const FIRST_LINE: usize = 64;
/// Room for one header, but for its name and value.
const PER_HEADER: usize = 4;

/// A request, or what of it is not written yet. A clone shares its bytes.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    head: Bytes,
    body: Bytes,
    asked: Asked,
}

impl Question {
    /// Writes one down. Its length is always said here, whatever `headers` say; nothing in them can end a line, since
    /// none of these types holds a CR or LF.
    ///
    /// Fails when `path` is none.
    pub(crate) fn new(
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Self, http::Error> {
        let path = PathAndQuery::try_from(path)?;
        let room: usize = headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + PER_HEADER)
            .sum();
        let mut head = Vec::with_capacity(room + path.as_str().len() + FIRST_LINE);
        for part in [method.as_str(), " ", path.as_str(), " HTTP/1.1\r\n"] {
            head.extend_from_slice(part.as_bytes());
        }
        for (name, value) in headers {
            if *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING {
                head.extend_from_slice(name.as_str().as_bytes());
                head.extend_from_slice(b": ");
                head.extend_from_slice(value.as_bytes());
                head.extend_from_slice(b"\r\n");
            }
        }
        // RFC 9110 section 8.6: not of a question that is not expected to have a body.
        if !body.is_empty() || !method.is_safe() {
            // Writing to memory cannot fail.
            let _infallible = write!(head, "content-length: {}\r\n", body.len());
        }
        head.extend_from_slice(b"\r\n");
        Ok(Self {
            head: Bytes::from(head),
            body,
            asked: Asked {
                bare: method == Method::HEAD,
                upgrade: headers.contains_key(UPGRADE),
            },
        })
    }

    /// What its answer depends on.
    pub(super) const fn asked(&self) -> Asked {
        self.asked
    }

    /// Writes on, head and body together as far as the socket takes them; ready when everything is out.
    pub(super) fn poll_write(
        &mut self,
        socket: &mut (impl AsyncWrite + Unpin),
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let mut rest = (&mut self.head).chain(&mut self.body);
        while rest.has_remaining() {
            let written = ready!(poll_write_buf(Pin::new(socket), cx, &mut rest))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
        }
        Pin::new(socket).poll_flush(cx)
    }
}
