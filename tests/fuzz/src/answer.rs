//! A target's answer: it is read within bounds, and alike in whatever pieces it comes.
#![no_main]

use gateway_core::answer::{Asked, Body, HeadReader, NotUnderstood};
use libfuzzer_sys::fuzz_target;

/// Status, headers, body, whether the connection may serve again, whether the answer came to its end.
type Whole = (u16, String, Vec<u8>, bool, bool);

fn take(body: &mut Body, bytes: &[u8], whole: &mut Vec<u8>) -> Result<usize, NotUnderstood> {
    let mut bytes = bytes.to_vec();
    let taken = body.take(&mut bytes)?;
    assert!(taken.read == bytes.len() || body.is_over());
    whole.extend_from_slice(&bytes[taken.body]);
    Ok(taken.read)
}

fn read(asked: Asked, data: &[u8], size: usize) -> Result<Option<Whole>, NotUnderstood> {
    let mut reader = HeadReader::new(asked);
    let mut pieces = data.chunks(size);
    let mut whole = Vec::new();
    let mut read = 0;
    let mut head = loop {
        let Some(piece) = pieces.next() else {
            return Ok(None);
        };
        if let Some((mut head, at)) = reader.read(piece)? {
            read += at;
            read += take(&mut head.body, &piece[at..], &mut whole)?;
            break head;
        }
        read += piece.len();
    };
    for piece in pieces {
        read += take(&mut head.body, piece, &mut whole)?;
    }
    assert!(whole.len() <= read && read <= data.len());
    let headers = format!("{:?}", head.headers);
    let complete = head.body.closed();
    Ok(Some((head.status.as_u16(), headers, whole, head.keeps, complete)))
}

fuzz_target!(|data: &[u8]| {
    let Some((mode, data)) = data.split_first() else {
        return;
    };
    let asked = Asked {
        bare: mode & 1 != 0,
        upgrade: mode & 2 != 0,
    };
    let once = read(asked, data, data.len().max(1));
    assert_eq!(once, read(asked, data, usize::from(mode >> 2) + 1));
});
