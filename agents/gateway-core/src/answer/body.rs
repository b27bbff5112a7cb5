//! Which bytes after a head are the body (RFC 9112 section 6.3).

use super::{NotUnderstood, chunked::Chunked};
use http::{
    HeaderMap, StatusCode, Version,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};
use std::ops::Range;

/// The body of an answer, read on where it stopped.
#[derive(Clone, Debug)]
pub struct Body(Frame);

#[derive(Clone, Debug)]
enum Frame {
    /// So many bytes are still to come.
    Counted(u64),
    Chunked(Chunked),
    /// Everything until the target closes; false once it has.
    UntilClose(bool),
}

/// What was read of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Where among them the body's own now stand together.
    pub body: Range<usize>,
    /// How many were read. Beyond, the body is over.
    pub read: usize,
}

impl Body {
    /// One without a byte.
    pub(super) const EMPTY: Self = Self(Frame::Counted(0));

    /// As a head announces it. `bare`: the question was one whose answer has no body (`HEAD`).
    pub(super) fn announced(
        version: Version,
        status: StatusCode,
        headers: &HeaderMap,
        bare: bool,
    ) -> Result<Self, NotUnderstood> {
        let length = length(headers)?;
        let coded = headers.contains_key(TRANSFER_ENCODING);
        if coded && (length.is_some() || version != Version::HTTP_11 || !is_chunked(headers)) {
            return Err(NotUnderstood::Coding);
        }
        let without = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        Ok(match length {
            _ if bare || without => Self::EMPTY,
            _ if coded => Self(Frame::Chunked(Chunked::new())),
            Some(length) => Self(Frame::Counted(length)),
            None => Self(Frame::UntilClose(true)),
        })
    }

    /// Reads `bytes`. Those of the body are moved together where several chunks hold them.
    ///
    /// # Errors
    /// When a chunk is malformed; nothing more can be read then.
    pub fn take(&mut self, bytes: &mut [u8]) -> Result<Taken, NotUnderstood> {
        let read = match &mut self.0 {
            Frame::Chunked(chunked) => return chunked.take(bytes),
            Frame::Counted(left) => {
                let here = bytes.len();
                let part = usize::try_from(*left).map_or(here, |left| left.min(here));
                *left -= part as u64;
                part
            }
            Frame::UntilClose(open) if *open => bytes.len(),
            Frame::UntilClose(_) => 0,
        };
        Ok(Taken {
            body: 0..read,
            read,
        })
    }

    /// The target closed its side. Whether the body was whole by then.
    pub fn closed(&mut self) -> bool {
        if let Frame::UntilClose(open) = &mut self.0 {
            *open = false;
        }
        self.is_over()
    }

    /// Whether nothing of it is still to come.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match &self.0 {
            Frame::Counted(left) => *left == 0,
            Frame::Chunked(chunked) => chunked.is_over(),
            Frame::UntilClose(open) => !open,
        }
    }

    /// Bytes still to come, when that was announced.
    #[must_use]
    pub const fn left(&self) -> Option<u64> {
        match &self.0 {
            Frame::Counted(left) => Some(*left),
            Frame::Chunked(_) | Frame::UntilClose(_) => None,
        }
    }

    /// Whether its end is marked otherwise than by the end of the connection.
    #[must_use]
    pub const fn has_own_end(&self) -> bool {
        !matches!(self.0, Frame::UntilClose(_))
    }
}

/// What all headers that name a length agree on. A list of the same number is that number (RFC 9110 section 8.6).
fn length(headers: &HeaderMap) -> Result<Option<u64>, NotUnderstood> {
    let mut length = None;
    for line in headers.get_all(CONTENT_LENGTH) {
        for number in line.as_bytes().split(|byte| *byte == b',') {
            let one = decimal(number.trim_ascii()).ok_or(NotUnderstood::Length)?;
            if length.is_some_and(|before| before != one) {
                return Err(NotUnderstood::Length);
            }
            length = Some(one);
        }
    }
    Ok(length)
}

/// Digits and nothing else: no sign, no blank.
fn decimal(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(text).ok().filter(|_| digits)?;
    // The greatest number stands for "unknown" elsewhere.
    text.parse().ok().filter(|length| *length < u64::MAX - 1)
}

/// Whether `chunked` is the only coding, named once.
fn is_chunked(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(TRANSFER_ENCODING).into_iter();
    let first = lines.next();
    first.is_some_and(|line| line.as_bytes().eq_ignore_ascii_case(b"chunked"))
        && lines.next().is_none()
}
