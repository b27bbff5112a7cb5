//! One frame: a prefix of 48 bytes and its payload.

use super::check;

/// Bytes before the payload.
pub const PREFIX_BYTES: usize = 48;
/// Longest payload in bytes.
pub const MAX_PAYLOAD: usize = 1 << 20;

/// What the payload of a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// One report as it came.
    Line,
    /// Reports, each with its line's end, deflated together.
    Batch,
    /// The same, of which some were thrown away.
    Thinned,
}

/// What the prefix of a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What the payload is.
    pub kind: FrameKind,
    /// Which generation of the file it belongs to.
    pub generation: u64,
    /// The number of its first report.
    pub first: u64,
    /// The number of its last report.
    pub last: u64,
    /// Bytes of its payload.
    pub payload: u32,
}

/// Why some bytes are not a frame of this generation: where the file ends, or was cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a whole frame")]
pub struct NotAFrame;

impl Frame {
    /// Bytes it takes on the disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        PREFIX_BYTES as u64 + u64::from(self.payload)
    }

    /// With its payload, as it stands on the disk.
    ///
    /// # Errors
    /// When the payload is too long.
    pub fn write(
        kind: FrameKind,
        generation: u64,
        (first, last): (u64, u64),
        payload: &[u8],
    ) -> Result<(Self, Vec<u8>), NotAFrame> {
        let frame = Self {
            kind,
            generation,
            first,
            last,
            payload: u32::try_from(payload.len()).map_err(|_| NotAFrame)?,
        };
        if payload.len() > MAX_PAYLOAD {
            return Err(NotAFrame);
        }
        let mut bytes = Vec::with_capacity(PREFIX_BYTES + payload.len());
        let kind: u32 = match kind {
            FrameKind::Line => 1,
            FrameKind::Batch => 2,
            FrameKind::Thinned => 3,
        };
        bytes.extend_from_slice(&kind.to_le_bytes());
        bytes.extend_from_slice(&frame.payload.to_le_bytes());
        for number in [generation, first, last] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(&check(&[&bytes, payload]));
        bytes.extend_from_slice(payload);
        Ok((frame, bytes))
    }

    /// Reads a prefix. Whether it is true shows [`Frame::holds`] only.
    ///
    /// # Errors
    /// When it cannot be the prefix of a frame of `generation`.
    pub fn prefix(bytes: &[u8; PREFIX_BYTES], generation: u64) -> Result<Self, NotAFrame> {
        let four = |at: usize| -> Result<u32, NotAFrame> {
            let part = bytes.get(at..at + 4).ok_or(NotAFrame)?;
            Ok(u32::from_le_bytes(part.try_into().map_err(|_| NotAFrame)?))
        };
        let eight = |at: usize| -> Result<u64, NotAFrame> {
            let part = bytes.get(at..at + 8).ok_or(NotAFrame)?;
            Ok(u64::from_le_bytes(part.try_into().map_err(|_| NotAFrame)?))
        };
        let frame = Self {
            kind: match four(0)? {
                1 => FrameKind::Line,
                2 => FrameKind::Batch,
                3 => FrameKind::Thinned,
                _ => return Err(NotAFrame),
            },
            generation: eight(8)?,
            first: eight(16)?,
            last: eight(24)?,
            payload: four(4)?,
        };
        let fits = frame.payload as usize <= MAX_PAYLOAD && frame.first <= frame.last;
        if fits && frame.first > 0 && frame.generation == generation {
            Ok(frame)
        } else {
            Err(NotAFrame)
        }
    }

    /// Whether prefix and payload are as they were written.
    #[must_use]
    pub fn holds(prefix: &[u8; PREFIX_BYTES], payload: &[u8]) -> bool {
        let (body, sum) = prefix.split_at(PREFIX_BYTES - 8);
        check(&[body, payload]) == sum
    }
}
