//! Reads what the kernel answers. Whatever is cut short or does not add up is nothing, never a panic.

/// `NLMSG_ERROR`, which also acknowledges.
pub(crate) const ERROR: u16 = 2;
/// `NLMSG_DONE`.
pub(crate) const DONE: u16 = 3;
/// `NLM_F_DUMP_INTR`: what was listed has changed meanwhile.
const INTERRUPTED: u16 = 0x10;

/// One message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) seq: u32,
    pub(crate) body: &'a [u8],
}

impl Answer<'_> {
    /// The error number of an acknowledgement: 0 when all is well.
    pub(crate) fn errno(&self) -> Option<i32> {
        let code = self.body.first_chunk::<4>()?;
        matches!(self.kind, ERROR | DONE).then(|| i32::from_ne_bytes(*code).saturating_neg())
    }

    pub(crate) const fn interrupted(&self) -> bool {
        self.flags & INTERRUPTED != 0
    }
}

/// Every whole message of what was received.
pub(crate) fn answers(mut bytes: &[u8]) -> Vec<Answer<'_>> {
    let mut all = Vec::new();
    while let Some((header, _)) = bytes.split_first_chunk::<16>() {
        let [a, b, c, d, k, l, f, g, s, t, u, v, ..] = *header;
        let length = usize::try_from(u32::from_ne_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        let Some(body) = bytes.get(16..length) else {
            break;
        };
        all.push(Answer {
            kind: u16::from_ne_bytes([k, l]),
            flags: u16::from_ne_bytes([f, g]),
            seq: u32::from_ne_bytes([s, t, u, v]),
            body,
        });
        let Some(rest) = length
            .checked_next_multiple_of(4)
            .and_then(|at| bytes.get(at..))
        else {
            break;
        };
        bytes = rest;
    }
    all
}

/// The attributes in `bytes`, each with its kind without flags.
pub(crate) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (header, _) = bytes.split_first_chunk::<4>()?;
        let [a, b, c, d] = *header;
        let length = usize::from(u16::from_ne_bytes([a, b]));
        let value = bytes.get(4..length)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([c, d]) & 0x3fff, value))
    })
}

/// The attributes after the four bytes that begin each message of netfilter.
pub(crate) fn of_netfilter(body: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    attributes(body.get(4..).unwrap_or_default())
}

pub(crate) fn attribute(bytes: &[u8], wanted: u16) -> Option<&[u8]> {
    attributes(bytes)
        .find(|(kind, _)| *kind == wanted)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Messages;

    #[test]
    fn what_is_cut_short_is_nothing() {
        let whole = Messages::get(1, crate::message::GET_RULE, 0, "portcullis", None).bytes;
        assert_eq!(answers(&whole).len(), 1);
        for end in 0..whole.len() {
            assert!(answers(&whole[..end]).is_empty(), "{end}");
        }
    }

    #[test]
    fn any_bytes_are_read_to_an_end() {
        for seed in 0_u8..=255 {
            let bytes: Vec<u8> = (0_u8..64).map(|at| at.wrapping_mul(seed)).collect();
            for answer in answers(&bytes) {
                let read = of_netfilter(answer.body).count() + usize::from(answer.interrupted());
                assert!(read <= bytes.len() && answer.errno() != Some(i32::MIN));
            }
            assert!(attributes(&bytes).count() <= bytes.len());
        }
    }
}
