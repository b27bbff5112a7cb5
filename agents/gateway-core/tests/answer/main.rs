//! Answers of targets: what is read, in whatever pieces it comes, what is refused, and whether others read the same.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod differential;
mod framing;
mod heads;

use gateway_core::answer::{Asked, HeadReader, NotUnderstood};
use http::HeaderMap;

/// A whole answer, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Whole {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
    /// The connection may serve again.
    keeps: bool,
    /// Bytes that came after its end.
    behind: usize,
}

/// What becomes of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    Whole(Box<Whole>),
    /// The connection ended first.
    Early,
    Refused(NotUnderstood),
}

impl Fate {
    fn whole(self) -> Whole {
        match self {
            Self::Whole(whole) => *whole,
            other @ (Self::Early | Self::Refused(_)) => panic!("{other:?}"),
        }
    }
}

/// Reads an answer that comes in these pieces, after which the target closes.
fn read_pieces<'a>(asked: Asked, pieces: impl IntoIterator<Item = &'a [u8]>) -> Fate {
    match try_read(asked, pieces) {
        Ok(Some(whole)) => Fate::Whole(Box::new(whole)),
        Ok(None) => Fate::Early,
        Err(why) => Fate::Refused(why),
    }
}

fn try_read<'a>(
    asked: Asked,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Option<Whole>, NotUnderstood> {
    let mut reader = HeadReader::new(asked);
    let mut pieces = pieces.into_iter();
    let (mut head, mut rest) = loop {
        let Some(piece) = pieces.next() else {
            return Ok(None);
        };
        if let Some((head, at)) = reader.read(piece)? {
            break (head, piece.get(at..).unwrap().to_vec());
        }
    };
    let (mut body, mut behind) = (Vec::new(), 0);
    loop {
        let taken = head.body.take(&mut rest)?;
        assert!(taken.read == rest.len() || head.body.is_over());
        behind += rest.len() - taken.read;
        body.extend_from_slice(rest.get(taken.body).unwrap());
        match pieces.next() {
            Some(piece) => rest = piece.to_vec(),
            None => break,
        }
    }
    Ok(head.body.closed().then_some(Whole {
        status: head.status.as_u16(),
        headers: head.headers,
        body,
        keeps: head.keeps,
        behind,
    }))
}

fn read(text: &[u8]) -> Fate {
    read_pieces(Asked::default(), [text])
}

/// The same text in one piece, byte by byte, and cut in two at every place.
fn read_however_it_comes(text: &[u8]) -> Fate {
    let once = read(text);
    assert_eq!(read_pieces(Asked::default(), text.chunks(1)), once);
    for at in 1..text.len() {
        let (a, b) = text.split_at(at);
        assert_eq!(read_pieces(Asked::default(), [a, b]), once, "cut at {at}");
    }
    once
}
