//! One person's secret for one verb, and the codes it makes (RFC 6238, HMAC-SHA-1, 30 s steps).

use data_encoding::BASE32_NOPAD;
use kill_wire::Step;
use serde::{Deserialize, Serialize};
use std::fmt;
use subtle::ConstantTimeEq as _;
use totp_rs::{Algorithm, Builder, Secret, Totp};
use zeroize::{Zeroize as _, Zeroizing};

/// How many digits an authenticator shows for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digits {
    /// Some authenticators ignore the wish for eight: such a key needs two codes for one KILL.
    Six,
    /// The default.
    Eight,
}

impl Digits {
    /// As a number.
    #[must_use]
    pub const fn count(self) -> u8 {
        match self {
            Self::Six => 6,
            Self::Eight => 8,
        }
    }
}

/// A secret of 160 bits. Never printed; wiped when dropped.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Key {
    totp: Totp,
    digits: Digits,
}

impl Key {
    /// Makes a key of fresh random bytes.
    #[must_use]
    pub fn from_random(bytes: [u8; 20], digits: Digits) -> Self {
        let bytes = Zeroizing::new(bytes);
        let totp = Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(digits.count())
            .with_step_duration(Step::SECONDS)
            .with_secret(Secret::from(*bytes))
            // 160 bits, 6 or 8 digits, 30 s: nothing `build` would refuse.
            .build_noncompliant();
        Self { totp, digits }
    }

    /// How many digits its codes have.
    #[must_use]
    pub const fn digits(&self) -> Digits {
        self.digits
    }

    /// The code an authenticator shows in this step, zero-padded.
    #[must_use]
    pub fn code_at(&self, step: Step) -> String {
        self.totp.generate(step.starts_at_secs()).to_string()
    }

    /// What an authenticator reads from a QR code. Holds the secret: show it once, to its owner.
    #[must_use]
    pub fn otpauth_url(&self, label: &str, issuer: &str) -> String {
        let (label, issuer) = (url_safe(label), url_safe(issuer));
        let secret = Zeroizing::new(self.base32());
        format!(
            "otpauth://totp/{issuer}:{label}?secret={}&issuer={issuer}&algorithm=SHA1&digits={}&period={}",
            *secret,
            self.digits.count(),
            Step::SECONDS
        )
    }

    /// Whether both make the same codes; the time it takes tells nothing of where they differ.
    #[must_use]
    pub fn same_secret(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.totp.secret(), other.totp.secret());
        mine.as_bytes().ct_eq(theirs.as_bytes()).into()
    }

    fn base32(&self) -> String {
        BASE32_NOPAD.encode(self.totp.secret().as_bytes())
    }
}

fn url_safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars().take(64) {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '_' | '-' => safe.push(c),
            ' ' => safe.push_str("%20"),
            _ => safe.push('-'),
        }
    }
    safe
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} digits)", self.digits.count())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    secret: String,
    digits: u8,
}

impl Drop for Written {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl TryFrom<Written> for Key {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let digits = match written.digits {
            6 => Digits::Six,
            8 => Digits::Eight,
            _ => return Err("a key has 6 or 8 digits"),
        };
        let bytes = BASE32_NOPAD
            .decode(written.secret.as_bytes())
            .map_err(|_| "a secret is 32 characters of base32 without padding")?;
        let bytes = Zeroizing::new(bytes);
        <[u8; 20]>::try_from(bytes.as_slice())
            .map(|bytes| Self::from_random(bytes, digits))
            .map_err(|_| "a secret is 20 bytes, 32 characters of base32")
    }
}

impl From<Key> for Written {
    fn from(key: Key) -> Self {
        Self {
            secret: key.base32(),
            digits: key.digits.count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kill_wire::Timestamp;

    const RFC: [u8; 20] = *b"12345678901234567890";

    #[test]
    fn codes_match_rfc_6238_appendix_b() {
        let key = Key::from_random(RFC, Digits::Eight);
        for (secs, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let step = Timestamp::from_millis(secs * 1000).step();
            assert_eq!(key.code_at(step), code);
        }
    }

    #[test]
    fn codes_match_rfc_4226_appendix_d() {
        let key = Key::from_random(RFC, Digits::Six);
        let codes: Vec<String> = (0..10).map(|n| key.code_at(Step::new(n))).collect();
        assert_eq!(
            codes,
            [
                "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
                "399871", "520489"
            ]
        );
    }

    #[test]
    fn a_key_survives_writing_and_is_never_printed() {
        let key = Key::from_random(RFC, Digits::Eight);
        let json = serde_json::to_string(&key).unwrap();
        assert_eq!(
            json,
            r#"{"secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ","digits":8}"#
        );
        let again: Key = serde_json::from_str(&json).unwrap();
        assert!(again.same_secret(&key));
        assert_eq!(format!("{key:?}"), "Key(8 digits)");
    }

    #[test]
    fn short_secrets_and_odd_digits_are_refused() {
        for json in [
            r#"{"secret":"GEZDGNBVGY3TQOJQ","digits":8}"#,
            r#"{"secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ","digits":7}"#,
            r#"{"secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ","digits":8,"x":1}"#,
        ] {
            assert!(serde_json::from_str::<Key>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn the_address_for_an_authenticator_cannot_be_broken_out_of() {
        let url = Key::from_random(RFC, Digits::Eight).otpauth_url("KILL a&b:c?", "Porto & Co");
        assert_eq!(
            url,
            "otpauth://totp/Porto%20-%20Co:KILL%20a-b-c-?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Porto%20-%20Co&algorithm=SHA1&digits=8&period=30"
        );
    }
}
