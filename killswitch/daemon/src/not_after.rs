//! Until when certificates are valid: the one field of X.509 that is read here (RFC 5280, 4.1.2.5).

use data_encoding::BASE64;
use kill_wire::Timestamp;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The earliest end among the certificates of a PEM file; none where one cannot be read or there is none.
pub(crate) fn earliest(pem: &str) -> Option<Timestamp> {
    let mut all = Vec::new();
    for part in pem.split(BEGIN).skip(1) {
        let (text, _) = part.split_once(END)?;
        let text: String = text.split_whitespace().collect();
        all.push(not_after(&BASE64.decode(text.as_bytes()).ok()?)?);
    }
    all.into_iter().min()
}

/// Certificate { TBSCertificate { [0] version?, serial, signature, issuer, Validity { notBefore, notAfter } ... } ... }
fn not_after(der: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = inside(der, 0x30)?;
    let (mut fields, _) = inside(certificate, 0x30)?;
    if fields.first() == Some(&0xa0) {
        fields = element(fields)?.2;
    }
    for _ in ["serial", "signature", "issuer"] {
        fields = element(fields)?.2;
    }
    let (validity, _) = inside(fields, 0x30)?;
    let (_, _, rest) = element(validity)?;
    let (tag, time, _) = element(rest)?;
    instant(tag, std::str::from_utf8(time).ok()?)
}

/// Content of the first element, which must bear this tag, and what follows it.
fn inside(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(der)?;
    (tag == wanted).then_some((content, rest))
}

/// Tag and content of the first element, and what follows it (X.690, 8.1).
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, der) = der.split_first()?;
    let (&first, mut der) = der.split_first()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        let (bytes, rest) = der.split_at_checked(usize::from(first & 0x7f))?;
        if bytes.len() > 4 {
            return None;
        }
        length = bytes.iter().fold(0, |n, byte| n << 8 | usize::from(*byte));
        der = rest;
    }
    let (content, rest) = der.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// UTCTime `YYMMDDHHMMSSZ` or GeneralizedTime `YYYYMMDDHHMMSSZ`.
fn instant(tag: u8, text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z')?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match (tag, digits.len()) {
        (0x17, 12) => {
            let (year, rest) = digits.split_at(2);
            let year: u64 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        (0x18, 14) => {
            let (year, rest) = digits.split_at(4);
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let part = |at: usize| -> Option<u64> { rest.get(at..at + 2)?.parse().ok() };
    let (month, day) = (part(0)?, part(2)?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let seconds = part(4)? * 3600 + part(6)? * 60 + part(8)?;
    let days = days_since_1970(year, month, day);
    Some(Timestamp::from_millis((days * 86_400 + seconds) * 1_000))
}

/// Days of the civil calendar, with the year taken to begin in March, so that the leap day is its last.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400;
    // From the first of March of the year 0 to the first of January 1970.
    days + (month * 153 + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut der = vec![tag, 0x82];
        der.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
        der.extend(content);
        der
    }

    pub(crate) fn pem(tag: u8, until: &str) -> String {
        let validity = [wrap(0x17, b"250101000000Z"), wrap(tag, until.as_bytes())].concat();
        let fields = [
            wrap(0xa0, &wrap(0x02, &[2])),
            wrap(0x02, &[7]),
            wrap(0x30, &[]),
            wrap(0x30, &[]),
            wrap(0x30, &validity),
        ];
        let der = wrap(0x30, &wrap(0x30, &fields.concat()));
        format!("{BEGIN}\n{}\n{END}\n", BASE64.encode(&der))
    }

    #[test]
    fn both_forms_of_time_are_read() {
        for (tag, text, shown) in [
            (0x17, "261121104500Z", "2026-11-21T10:45:00"),
            (0x17, "280229235959Z", "2028-02-29T23:59:59"),
            (0x18, "20500301000000Z", "2050-03-01T00:00:00"),
        ] {
            let at = earliest(&pem(tag, text)).unwrap().to_string();
            assert!(at.starts_with(shown), "{at}");
        }
    }

    #[test]
    fn of_a_chain_the_earliest_end_counts() {
        let chain = pem(0x17, "270101000000Z") + &pem(0x17, "261121104500Z");
        let at = earliest(&chain).unwrap().to_string();
        assert!(at.starts_with("2026-11-21"), "{at}");
    }

    #[test]
    fn what_is_no_certificate_has_no_end() {
        for bad in [
            "",
            "hello",
            &pem(0x17, "261321104500Z"),
            &pem(0x0c, "261121104500Z"),
        ] {
            assert_eq!(earliest(bad), None);
        }
        let good = pem(0x17, "261121104500Z");
        let der = BASE64
            .decode(good.lines().nth(1).unwrap().as_bytes())
            .unwrap();
        for end in 0..der.len() {
            // Only that it ends and does not panic.
            let _read = not_after(&der[..end]);
        }
    }
}
