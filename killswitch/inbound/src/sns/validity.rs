//! Since when a certificate holds, read out of its bytes (RFC 5280, section 4.1): the library that checks chains asks at
//! which instant, and at start nobody has a clock here.

use super::instant;

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const VERSION: u8 = 0xa0;

/// The first second of its time, since the epoch.
pub(super) fn begins(der: &[u8]) -> Option<u64> {
    let (certificate, _) = inside(der, SEQUENCE)?;
    let (mut fields, _) = inside(certificate, SEQUENCE)?;
    if fields.first() == Some(&VERSION) {
        fields = element(fields)?.2;
    }
    // Serial number, algorithm and issuer stand before it.
    for _ in 0..3 {
        fields = element(fields)?.2;
    }
    let (validity, _) = inside(fields, SEQUENCE)?;
    let (tag, time, _) = element(validity)?;
    let digits = std::str::from_utf8(time).ok()?.strip_suffix('Z')?;
    match tag {
        UTC_TIME => {
            let century = if digits.get(..2)? < "50" { "20" } else { "19" };
            instant::since_epoch(&format!("{century}{digits}"))
        }
        GENERALIZED_TIME => instant::since_epoch(digits),
        _ => None,
    }
}

/// What stands in the element at the start, if it is of this kind, and what follows it.
fn inside(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(der)?;
    (tag == wanted).then_some((content, rest))
}

/// Kind, content and rest of the element at the start.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let fits = (1..=4).contains(&bytes.len());
        let length = bytes.iter().fold(0, |sum, b| (sum << 8) | usize::from(*b));
        (fits.then_some(length)?, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_off_bytes_are_no_certificate() {
        for der in [
            &[][..],
            &[0x30],
            &[0x30, 0x05, 0x30],
            &[0x30, 0x80],
            &[0x30, 0x85, 1, 1, 1, 1, 1],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0x03, 0x30, 0x01, 0xa0],
        ] {
            assert_eq!(begins(der), None, "{der:?}");
        }
    }
}
