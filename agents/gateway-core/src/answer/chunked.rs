//! The chunked transfer coding (RFC 9112 section 7.1). Extensions and trailers are bounded and dropped.

use super::{NotUnderstood, Taken};

/// Most digits of a chunk's size: what they say fits with room to spare.
const MAX_DIGITS: u8 = 15;
/// Bytes of all extensions of one body together.
const MAX_EXTENSIONS: u32 = 16 * 1024;
/// Bytes of all trailers together.
const MAX_TRAILERS: u32 = 16 * 1024;

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// A digit of the size; so many have come.
    Size(u8),
    /// Blanks after the size.
    Blank,
    Extension,
    /// The LF after the line of the size.
    SizeEnd,
    Data,
    DataCr,
    DataLf,
    /// The begin of a trailer, or the CR of the last line.
    Line,
    /// Inside the name of a trailer.
    Name,
    Value,
    ValueEnd,
    LastLf,
    Nothing,
}

/// Reads on where it stopped.
#[derive(Clone, Debug)]
pub(super) struct Chunked {
    next: Next,
    /// Bytes of the present chunk still to come.
    left: u64,
    extensions: u32,
    trailers: u32,
}

impl Chunked {
    pub(super) const fn new() -> Self {
        Self {
            next: Next::Size(0),
            left: 0,
            extensions: 0,
            trailers: 0,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.next == Next::Nothing
    }

    /// Reads `bytes`, and moves what belongs to the body together, to where its first byte stands.
    pub(super) fn take(&mut self, bytes: &mut [u8]) -> Result<Taken, NotUnderstood> {
        let (mut at, mut body) = (0, 0..0);
        while !self.is_over() && at < bytes.len() {
            if self.next == Next::Data {
                let here = bytes.len() - at;
                let part = usize::try_from(self.left).map_or(here, |left| left.min(here));
                if body.is_empty() {
                    body = at..at;
                }
                if body.end != at {
                    bytes.copy_within(at..at + part, body.end);
                }
                body.end += part;
                at += part;
                self.left -= part as u64;
                if self.left == 0 {
                    self.next = Next::DataCr;
                }
            } else if let Some(byte) = bytes.get(at) {
                self.next = self.after(*byte)?;
                at += 1;
            }
        }
        Ok(Taken { body, read: at })
    }

    /// What comes after a byte that is none of the body.
    fn after(&mut self, byte: u8) -> Result<Next, NotUnderstood> {
        match (self.next, byte) {
            (Next::Size(digits), _) if byte.is_ascii_hexdigit() => self.digit(digits, byte),
            (Next::Size(1..) | Next::Blank, b' ' | b'\t') => self.extends(Next::Blank),
            (Next::Size(1..) | Next::Blank, b';') => self.extends(Next::Extension),
            (Next::Size(1..) | Next::Blank | Next::Extension, b'\r') => Ok(Next::SizeEnd),
            (Next::Extension, b'\t' | b' '..=b'~' | 0x80..) => self.extends(Next::Extension),
            (Next::SizeEnd, b'\n') if self.left > 0 => Ok(Next::Data),
            (Next::SizeEnd, b'\n') => Ok(Next::Line),
            (Next::DataCr, b'\r') => Ok(Next::DataLf),
            (Next::DataLf, b'\n') => Ok(Next::Size(0)),
            (Next::Line, b'\r') => Ok(Next::LastLf),
            (Next::Line | Next::Name, _) if is_of_name(byte) => self.trails(Next::Name),
            (Next::Name, b':') => self.trails(Next::Value),
            (Next::Value, b'\r') => Ok(Next::ValueEnd),
            (Next::Value, b'\t' | b' '..=b'~' | 0x80..) => self.trails(Next::Value),
            (Next::ValueEnd, b'\n') => Ok(Next::Line),
            (Next::LastLf, b'\n') => Ok(Next::Nothing),
            _ => Err(NotUnderstood::Chunk),
        }
    }

    fn digit(&mut self, digits: u8, byte: u8) -> Result<Next, NotUnderstood> {
        let value = char::from(byte).to_digit(16).unwrap_or_default();
        // The size before was read to its end: what is left of it is nothing.
        self.left = self.left * 16 + u64::from(value);
        if digits < MAX_DIGITS {
            Ok(Next::Size(digits + 1))
        } else {
            Err(NotUnderstood::Chunk)
        }
    }

    fn extends(&mut self, next: Next) -> Result<Next, NotUnderstood> {
        self.extensions += 1;
        within(self.extensions <= MAX_EXTENSIONS, next)
    }

    fn trails(&mut self, next: Next) -> Result<Next, NotUnderstood> {
        self.trailers += 1;
        within(self.trailers <= MAX_TRAILERS, next)
    }
}

const fn within(bound: bool, next: Next) -> Result<Next, NotUnderstood> {
    if bound {
        Ok(next)
    } else {
        Err(NotUnderstood::Chunk)
    }
}

/// A byte of a token (RFC 9110 section 5.6.2).
const fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}
