//! The head of an answer (RFC 9112 sections 4 and 5).

use super::{Body, NotUnderstood};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header::CONNECTION};
use std::mem::MaybeUninit;

/// Longest head, in bytes.
pub const MAX_HEAD: usize = 64 * 1024;
/// Most headers of one head.
pub const MAX_HEADERS: usize = 100;
/// Headers that a gateway adds to an answer in the usual case: room for them is made at once.
const ADDED: usize = 6;
/// Most informational answers before the one that counts.
const MAX_INTERIM: u8 = 16;
/// How every answer begins.
const BEGIN: &[u8] = b"HTTP/1.";

/// What the question was, as far as the answer's form depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// `HEAD`: the answer has no body, whatever it announces.
    pub bare: bool,
    /// For another protocol: 101 is an answer.
    pub upgrade: bool,
}

/// The head of the answer that counts.
#[derive(Clone, Debug)]
pub struct Head {
    /// What the target says.
    pub status: StatusCode,
    /// In which version of HTTP.
    pub version: Version,
    /// As they came. They share one piece of memory.
    pub headers: HeaderMap,
    /// What follows.
    pub body: Body,
    /// The connection may serve again when the body was read to its end.
    pub keeps: bool,
}

/// Reads a head, in whatever pieces it comes.
#[derive(Clone, Debug)]
pub struct HeadReader {
    asked: Asked,
    /// The begin of a head whose end has not come.
    held: Vec<u8>,
    interim: u8,
}

impl HeadReader {
    /// Of the answer to such a question.
    #[must_use]
    pub const fn new(asked: Asked) -> Self {
        Self {
            asked,
            held: Vec::new(),
            interim: 0,
        }
    }

    /// Reads `bytes`: the head, and how many of them belong to it; `None` when its end has not come. Informational
    /// answers are passed over.
    ///
    /// # Errors
    /// When this is no head, or one that could be read in two ways.
    pub fn read(&mut self, bytes: &[u8]) -> Result<Option<(Head, usize)>, NotUnderstood> {
        let mut read = 0;
        while let Some(rest) = bytes.get(read..).filter(|rest| !rest.is_empty()) {
            let Some(block) = self.block(rest, &mut read)? else {
                return Ok(None);
            };
            if let Some(head) = self.parse(&block)? {
                return Ok(Some((head, read)));
            }
            self.interim += 1;
            if self.interim > MAX_INTERIM {
                return Err(NotUnderstood::Interim);
            }
        }
        Ok(None)
    }

    /// One head with the empty line that ends it, when that has come; otherwise what came of it is held.
    fn block(&mut self, rest: &[u8], read: &mut usize) -> Result<Option<Bytes>, NotUnderstood> {
        let before = self.held.len();
        if before == 0 {
            begins_well(rest)?;
            if let Some(block) = end(rest, 0).and_then(|end| rest.get(..end)) {
                *read += block.len();
                return bounded(Bytes::copy_from_slice(block)).map(Some);
            }
        }
        // No more than this is of use: beyond, it is too long.
        let some = rest.get(..MAX_HEAD).unwrap_or(rest);
        self.held.extend_from_slice(some);
        begins_well(&self.held)?;
        // The empty line may have begun before.
        let Some(end) = end(&self.held, before.saturating_sub(2)) else {
            return if self.held.len() > MAX_HEAD {
                Err(NotUnderstood::LongHead)
            } else {
                *read += some.len();
                Ok(None)
            };
        };
        let mut block = std::mem::take(&mut self.held);
        block.truncate(end);
        *read += end - before;
        bounded(Bytes::from(block)).map(Some)
    }

    /// `None` for an informational answer.
    fn parse(&self, block: &Bytes) -> Result<Option<Head>, NotUnderstood> {
        let bad = NotUnderstood::BadHead;
        let mut room = [const { MaybeUninit::uninit() }; MAX_HEADERS];
        let mut answer = httparse::Response::new(&mut []);
        let parsed = httparse::ParserConfig::default()
            .parse_response_with_uninit_headers(&mut answer, block, &mut room)
            .map_err(|_| bad)?;
        if parsed != httparse::Status::Complete(block.len()) {
            return Err(bad);
        }
        let status = StatusCode::from_u16(answer.code.ok_or(bad)?).map_err(|_| bad)?;
        let switches = status == StatusCode::SWITCHING_PROTOCOLS;
        if status.is_informational() && !switches {
            return Ok(None);
        }
        if switches && !self.asked.upgrade {
            return Err(NotUnderstood::Switched);
        }
        let version = match answer.version {
            Some(0) => Version::HTTP_10,
            _ => Version::HTTP_11,
        };
        let mut headers = HeaderMap::with_capacity(answer.headers.len() + ADDED);
        for header in &*answer.headers {
            let name = HeaderName::from_bytes(header.name.as_bytes()).map_err(|_| bad)?;
            let value = block.slice_ref(header.value);
            let value = HeaderValue::from_maybe_shared(value).map_err(|_| bad)?;
            headers.append(name, value);
        }
        let body = if switches {
            Body::EMPTY
        } else {
            Body::announced(version, status, &headers, self.asked.bare)?
        };
        let keeps =
            version == Version::HTTP_11 && !switches && body.has_own_end() && !closes(&headers);
        Ok(Some(Head {
            status,
            version,
            headers,
            body,
            keeps,
        }))
    }
}

/// What does not begin so never becomes an answer, however long one waits.
fn begins_well(bytes: &[u8]) -> Result<(), NotUnderstood> {
    let some = bytes.len().min(BEGIN.len());
    if bytes.get(..some) == BEGIN.get(..some) {
        Ok(())
    } else {
        Err(NotUnderstood::BadHead)
    }
}

fn bounded(block: Bytes) -> Result<Bytes, NotUnderstood> {
    if block.len() > MAX_HEAD {
        return Err(NotUnderstood::LongHead);
    }
    Ok(block)
}

/// Where the head ends: after an empty line. Looked for from `from` on.
fn end(bytes: &[u8], from: usize) -> Option<usize> {
    let part = bytes.get(from..)?;
    memchr::memchr_iter(b'\n', part).find_map(|at| match part.get(at + 1..)? {
        [b'\n', ..] => Some(from + at + 2),
        [b'\r', b'\n', ..] => Some(from + at + 3),
        _ => None,
    })
}

/// Whether the target says that it closes the connection after this answer.
fn closes(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .any(|word| word.trim_ascii().eq_ignore_ascii_case(b"close"))
}
