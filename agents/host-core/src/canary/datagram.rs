//! What is sent to where no connection is made, and what an answer says.

use kill_wire::Reached;

/// Longest answer that is looked at, in bytes.
pub const MAX_ANSWER: usize = 1232;
/// A question for the addresses of a name, and for who serves the root.
const TYPE_A: u16 = 1;
const TYPE_NS: u16 = 2;
const CLASS_IN: u16 = 1;

/// A question to a resolver (RFC 1035, section 4): for the addresses of a name, or for who serves the root, which every
/// resolver knows by heart, so that no other server hears of it.
#[must_use]
pub fn question(name: Option<&str>, id: u16) -> Vec<u8> {
    let mut bytes = id.to_be_bytes().to_vec();
    // One question, recursion wanted, nothing else.
    bytes.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.unwrap_or_default().split('.') {
        let label = label.as_bytes();
        if let (false, Ok(length)) = (label.is_empty(), u8::try_from(label.len().min(63))) {
            bytes.push(length);
            bytes.extend(label.iter().take(63));
        }
    }
    bytes.push(0);
    let kind = if name.is_some() { TYPE_A } else { TYPE_NS };
    bytes.extend(kind.to_be_bytes());
    bytes.extend(CLASS_IN.to_be_bytes());
    bytes
}

/// What a resolver's answer comes to; `None` when it is not the answer to this question.
///
/// Who serves the root: any answer says that the resolver is reached. A name: only addresses say so; a resolver that
/// refuses names outside does what it must.
#[must_use]
pub fn answered(bytes: &[u8], name: Option<&str>, id: u16) -> Option<Reached> {
    let (head, _) = bytes.split_first_chunk::<12>()?;
    let [a, b, flags, code, _, _, answers_high, answers_low, ..] = *head;
    let response = flags & 0x80 != 0;
    if u16::from_be_bytes([a, b]) != id || !response {
        return None;
    }
    let fine = code & 0x0f == 0 && u16::from_be_bytes([answers_high, answers_low]) > 0;
    Some(if name.is_none() || fine {
        Reached::Open
    } else {
        Reached::Refused
    })
}

/// What to send to a port so that who listens there would answer, where that is known; else one empty byte.
#[must_use]
pub fn opening(port: u16, id: u16) -> Vec<u8> {
    match port {
        53 => question(None, id),
        // The request of a client (RFC 5905, section 7.3): version 4, mode 3, everything else zero.
        123 => [&[0x23][..], &[0; 47]].concat(),
        _ => vec![0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_written_as_the_rfc_has_it() {
        let asked = question(Some("a.example"), 0x1234);
        let expected =
            b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x07example\x00\x00\x01\x00\x01";
        assert_eq!(asked, expected);
        assert!(question(None, 7).ends_with(b"\x00\x00\x02\x00\x01"));
    }

    fn reply(id: u16, flags: u8, code: u8, answers: u16) -> Vec<u8> {
        let [high, low] = answers.to_be_bytes();
        let [a, b] = id.to_be_bytes();
        vec![a, b, flags, code, 0, 1, high, low, 0, 0, 0, 0]
    }

    #[test]
    fn only_the_answer_to_the_question_counts() {
        assert_eq!(answered(&reply(8, 0x81, 0x80, 1), None, 7), None);
        assert_eq!(answered(&reply(7, 0x01, 0, 1), None, 7), None);
        assert_eq!(answered(&reply(7, 0x81, 0x80, 1)[..11], None, 7), None);
        assert_eq!(
            answered(&reply(7, 0x81, 0x85, 0), None, 7),
            Some(Reached::Open)
        );
    }

    #[test]
    fn a_resolver_that_does_not_resolve_a_name_holds() {
        let name = Some("example.org");
        let found = |code, answers| answered(&reply(7, 0x81, code, answers), name, 7);
        assert_eq!(found(0x80, 1), Some(Reached::Open));
        assert_eq!(found(0x80, 0), Some(Reached::Refused));
        assert_eq!(found(0x83, 0), Some(Reached::Refused));
        assert_eq!(found(0x85, 1), Some(Reached::Refused));
    }
}
