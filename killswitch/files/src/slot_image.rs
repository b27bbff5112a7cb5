//! The one byte form of a slot: a text header, the payload, newlines up to the slot's size.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// Size of a slot in bytes.
pub(crate) const SLOT_BYTES: usize = 64 * 1024;
/// The header is at most 18 + 25 + 12 + 72 + 1 bytes.
pub(crate) const MAX_PAYLOAD: usize = SLOT_BYTES - 128;

/// What [`parse`] says of a slot that was made, but not written since.
pub(crate) const NEVER_WRITTEN: &str = "was never written";

const HEAD: &str = "portcullis-slot 1\n";

/// Header and payload, without the padding. The checksum covers the number, the length and the payload.
pub(crate) fn render(seq: u64, payload: &[u8]) -> Vec<u8> {
    let head = format!("{HEAD}seq {seq}\nbytes {}\n", payload.len());
    let sum = Sha256::new()
        .chain_update(head.as_bytes())
        .chain_update(payload)
        .finalize();
    let mut image = format!("{head}sha256 {}\n\n", HEXLOWER.encode(&sum)).into_bytes();
    image.extend_from_slice(payload);
    image
}

/// Fills up with newlines to `length` bytes, so that nothing of a longer, older payload stays behind.
pub(crate) fn padded(mut image: Vec<u8>, length: usize) -> Vec<u8> {
    if image.len() < length {
        image.resize(length, b'\n');
    }
    image
}

/// Number and payload of a slot that is whole to the last byte; else what is wrong with it.
pub(crate) fn parse(slot: &[u8]) -> Result<(u64, Vec<u8>), &'static str> {
    if slot.len() != SLOT_BYTES {
        return Err("has the wrong size");
    }
    if slot.iter().all(|byte| *byte == b'\n') {
        return Err(NEVER_WRITTEN);
    }
    let (seq, payload) = fields(slot).ok_or("is garbled")?;
    // One slot, one byte form: whatever differs from what `render` makes was damaged.
    if padded(render(seq, payload), SLOT_BYTES) == slot {
        Ok((seq, payload.to_vec()))
    } else {
        Err("is garbled")
    }
}

fn fields(slot: &[u8]) -> Option<(u64, &[u8])> {
    let rest = slot.strip_prefix(HEAD.as_bytes())?;
    let (seq, rest) = number(rest, "seq ")?;
    let (length, rest) = number(rest, "bytes ")?;
    let body = rest.get("sha256 ".len() + 64 + "\n\n".len()..)?;
    Some((seq, body.get(..usize::try_from(length).ok()?)?))
}

fn number<'a>(text: &'a [u8], key: &str) -> Option<(u64, &'a [u8])> {
    let text = text.strip_prefix(key.as_bytes())?;
    let end = text.iter().take(21).position(|byte| *byte == b'\n')?;
    let (digits, rest) = text.split_at(end);
    let value = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((value, rest.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_byte_form_is_fixed_and_readable() {
        let text = String::from_utf8(render(12, b"{\"seq\":3}")).unwrap();
        assert_eq!(
            text,
            "portcullis-slot 1\nseq 12\nbytes 9\n\
             sha256 089c882864dc72ca312b5502655e106db8180956741551ba7e453641682ffb0f\n\n{\"seq\":3}"
        );
    }

    #[test]
    fn the_longest_payload_fits_under_the_longest_number() {
        let payload = vec![b'x'; MAX_PAYLOAD];
        let image = render(u64::MAX, &payload);
        assert!(image.len() <= SLOT_BYTES, "{}", image.len());
        assert_eq!(parse(&padded(image, SLOT_BYTES)), Ok((u64::MAX, payload)));
    }

    #[test]
    fn a_payload_may_end_in_newlines_or_be_empty() {
        for payload in [&b""[..], b"\n", b"a\n\n\n"] {
            let slot = padded(render(1, payload), SLOT_BYTES);
            assert_eq!(parse(&slot), Ok((1, payload.to_vec())));
        }
    }
}
