//! The head of the file: how far it is done with, and which number comes next.

use super::check;

/// Bytes of one slot; a disk writes so many at once.
pub const SLOT_BYTES: usize = 512;
/// Bytes before the first frame: two slots.
pub const HEADER_BYTES: u64 = 1024;

const MAGIC: [u8; 8] = *b"pcbuffer";
const USED: usize = 48;

/// What a slot says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Grows with each write; the slot with the greater one counts.
    pub written: u64,
    /// Frames of another generation are left from before and count for nothing.
    pub generation: u64,
    /// Everything up to this number is done with.
    pub through: u64,
    /// The number of the next report, unless a frame says more.
    pub next: u64,
}

impl Header {
    /// As it begins.
    pub const FIRST: Self = Self {
        written: 1,
        generation: 1,
        through: 0,
        next: 1,
    };

    /// As a slot.
    #[must_use]
    pub fn slot(&self) -> [u8; SLOT_BYTES] {
        let mut body = Vec::with_capacity(SLOT_BYTES);
        body.extend_from_slice(&MAGIC);
        for number in [self.written, self.generation, self.through, self.next] {
            body.extend_from_slice(&number.to_le_bytes());
        }
        body.extend_from_slice(&check(&[&body]));
        body.resize(SLOT_BYTES, 0);
        let mut slot = [0; SLOT_BYTES];
        slot.copy_from_slice(&body);
        slot
    }

    /// Where this write belongs: the slots take turns.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.written % 2 * SLOT_BYTES as u64
    }

    /// The newer of two slots that are whole; none when neither is.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        bytes
            .chunks(SLOT_BYTES)
            .take(2)
            .filter_map(Self::of_slot)
            .max_by_key(|header| header.written)
    }

    fn of_slot(slot: &[u8]) -> Option<Self> {
        let (body, sum) = (slot.get(..USED - 8)?, slot.get(USED - 8..USED)?);
        let number = |at: usize| -> Option<u64> {
            let bytes = body.get(at..at.checked_add(8)?)?;
            Some(u64::from_le_bytes(bytes.try_into().ok()?))
        };
        if body.get(..8)? != MAGIC || check(&[body]) != sum {
            return None;
        }
        Some(Self {
            written: number(8)?,
            generation: number(16)?,
            through: number(24)?,
            next: number(32)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newer_whole_slot_counts() {
        let old = Header {
            written: 4,
            ..Header::FIRST
        };
        let new = Header {
            written: 5,
            next: 9,
            ..Header::FIRST
        };
        let mut bytes = [old.slot(), new.slot()].concat();
        assert_eq!(Header::read(&bytes), Some(new));
        assert_eq!((old.offset(), new.offset()), (0, 512));
        bytes[SLOT_BYTES + 30] ^= 1;
        assert_eq!(Header::read(&bytes), Some(old));
        bytes[3] ^= 1;
        assert_eq!(Header::read(&bytes), None);
        assert_eq!(Header::read(&[]), None);
    }
}
