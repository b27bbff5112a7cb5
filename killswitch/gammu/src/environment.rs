//! The environment gammu-smsd 1.42 gives its `RunOnReceive` program (gammu-smsd-run(7)), read with bounds.

use serde::{Deserialize, Serialize};
use std::ffi::{OsStr, OsString};

/// Most parts that are read: GSM 03.40 numbers them in one byte, and no text that is read is longer than this.
const MAX_PARTS: usize = 32;
/// Longest text that is passed on, in bytes.
const MAX_TEXT: usize = 8 * 1024;
/// Longest number or name of a phone, in bytes.
const MAX_NAME: usize = 64;

/// One received message, as told by gammu-smsd.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// `PhoneID` of the gammu-smsd that received it; empty where there is one only.
    pub phone: String,
    /// Who sent it, as the network says. It may be any text.
    pub sender: String,
    /// All parts that are there, put together.
    pub text: String,
}

/// The environment names no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NothingReceived;

impl Notice {
    /// Reads the variables through `lookup`. Bytes that are not UTF-8 become U+FFFD; what is too long is cut.
    ///
    /// # Errors
    /// [`NothingReceived`] when `SMS_MESSAGES` is not a number above zero.
    pub fn from_environment(
        lookup: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, NothingReceived> {
        let messages = count(&lookup, "SMS_MESSAGES");
        if messages == 0 {
            return Err(NothingReceived);
        }
        let decoded = joined(&lookup, "DECODED", count(&lookup, "DECODED_PARTS"));
        let text = if decoded.is_empty() {
            joined(&lookup, "SMS", messages)
        } else {
            decoded
        };
        Ok(Self {
            phone: bounded(lookup("PHONE_ID").as_deref(), MAX_NAME),
            sender: bounded(lookup("SMS_1_NUMBER").as_deref(), MAX_NAME),
            text,
        })
    }
}

fn count(lookup: impl Fn(&str) -> Option<OsString>, name: &str) -> usize {
    bounded(lookup(name).as_deref(), 8)
        .parse::<usize>()
        .unwrap_or(0)
        .min(MAX_PARTS)
}

/// `PREFIX_1_TEXT` to `PREFIX_n_TEXT` in order; a part that is not there is left out.
fn joined(lookup: impl Fn(&str) -> Option<OsString>, prefix: &str, parts: usize) -> String {
    let mut text = String::new();
    for part in 1..=parts {
        let value = lookup(&format!("{prefix}_{part}_TEXT"));
        text.push_str(&bounded(value.as_deref(), MAX_TEXT - text.len()));
    }
    text
}

/// At most `max` bytes, ending at a character.
fn bounded(value: Option<&OsStr>, max: usize) -> String {
    let value = value.unwrap_or_default().to_string_lossy();
    value
        .get(..value.floor_char_boundary(max))
        .unwrap_or_default()
        .to_owned()
}

/// Shows neither the text, which may hold a live code, nor the number of the sender.
impl std::fmt::Debug for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notice")
            .field("phone", &self.phone)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_NOTICE_LINE;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use std::os::unix::ffi::OsStringExt;

    fn read(variables: &[(&str, &[u8])]) -> Result<Notice, NothingReceived> {
        let all: BTreeMap<&str, OsString> = variables
            .iter()
            .map(|(name, value)| (*name, OsString::from_vec(value.to_vec())))
            .collect();
        Notice::from_environment(|name| all.get(name).cloned())
    }

    #[test]
    fn a_plain_message_is_its_one_text() {
        let notice = read(&[
            ("SMS_MESSAGES", b"1"),
            ("SMS_1_NUMBER", b"+15550001"),
            ("SMS_1_TEXT", b"KILL 12345678"),
            ("DECODED_PARTS", b"0"),
            ("PHONE_ID", b"stick"),
        ])
        .unwrap();
        assert_eq!(notice.phone, "stick");
        assert_eq!(notice.sender, "+15550001");
        assert_eq!(notice.text, "KILL 12345678");
    }

    #[test]
    fn decoded_text_stands_for_its_parts() {
        let notice = read(&[
            ("SMS_MESSAGES", b"2"),
            ("SMS_1_TEXT", b"first half "),
            ("SMS_2_TEXT", b"second half"),
            ("DECODED_PARTS", b"1"),
            ("DECODED_1_TEXT", b"first half second half"),
        ])
        .unwrap();
        assert_eq!(notice.text, "first half second half");
    }

    #[test]
    fn parts_that_were_not_decoded_are_put_together_and_a_missing_one_left_out() {
        let notice = read(&[
            ("SMS_MESSAGES", b"3"),
            ("SMS_1_TEXT", b"KILL 1234"),
            ("SMS_3_TEXT", b"5678"),
        ])
        .unwrap();
        assert_eq!(notice.text, "KILL 12345678");
    }

    #[test]
    fn without_a_message_there_is_nothing() {
        for variables in [
            &[][..],
            &[("SMS_MESSAGES", &b"0"[..]), ("SMS_1_TEXT", b"KILL")],
            &[("SMS_MESSAGES", b"-1")],
            &[("SMS_MESSAGES", b"\xff")],
        ] {
            assert_eq!(read(variables), Err(NothingReceived));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_a_line_the_courier_refuses(
            parts in "[0-9]{1,6}",
            number in proptest::collection::vec(1_u8..=255, 0..400),
            text in proptest::collection::vec(1_u8..=255, 0..20_000),
        ) {
            let read = read(&[
                ("SMS_MESSAGES", parts.as_bytes()),
                ("SMS_1_NUMBER", &number),
                ("SMS_1_TEXT", &text),
                ("SMS_2_TEXT", &text),
                ("PHONE_ID", &number),
            ]);
            if let Ok(notice) = read {
                let line = serde_json::to_string(&notice).unwrap();
                prop_assert!(line.len() < MAX_NOTICE_LINE);
                prop_assert!(!line.contains('\n'));
                prop_assert_eq!(serde_json::from_str::<Notice>(&line).unwrap(), notice);
            }
        }
    }
}
