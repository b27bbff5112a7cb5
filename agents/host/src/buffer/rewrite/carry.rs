//! Frames carried from the old file into the new one, in their order.
//!
//! **Little memory:** one frame at a time, and of batches that are thinned together what is kept of them. An agent
//! that waits for its control plane weighs no more than one that does not.

use crate::buffer::MAX_UNPACKED;
use host_core::buffer::{
    Frame, FrameKind, HEADER_BYTES, Header, PREFIX_BYTES, deflated, inflated, thin, with_gap,
};
use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Batches that are thinned together: what is left of them makes one batch again.
const TOGETHER: usize = 6;

/// Frames and where they stand.
type Frames = VecDeque<(u64, Frame)>;
/// The frames of the new file and where the next one goes.
pub(super) type Carried = (Frames, u64);

/// Bytes of all these frames.
pub(super) fn live(frames: &Frames) -> u64 {
    frames.iter().map(|(_, frame)| frame.bytes()).sum()
}

/// What becomes of the next frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The next one stays as it is.
    Copy,
    /// So many whole batches become one that is thinned.
    Thin(usize),
    /// The next one goes.
    Throw,
}

/// `over`: what is carried and what is left are too much together, and are more than one frame. The oldest batches
/// are thinned first; only where none was whole, the oldest frames go.
fn step(frames: &Frames, at: usize, over: bool) -> Step {
    let whole = |(_, frame): &&(u64, Frame)| frame.kind == FrameKind::Batch;
    let together = frames.iter().skip(at).take(TOGETHER);
    match together.take_while(whole).count() {
        _ if !over => Step::Copy,
        0 if frames.iter().any(|entry| whole(&entry)) => Step::Copy,
        0 => Step::Throw,
        count => Step::Thin(count),
    }
}

/// Carries the frames of one file.
pub(super) struct Carrier<R, W> {
    old: R,
    new: W,
    generation: u64,
    frames: Frames,
    end: u64,
    /// The last number before the next frame, in the old file.
    was: u64,
    /// The same in the new one: the next frame says so when it is another.
    is: u64,
    /// The frame that was read last, as it stands on the disk.
    page: Vec<u8>,
}

impl<R: Read + Seek, W: Write> Carrier<R, W> {
    /// `new` stands behind its header, which says the same as that of `old` of what is done with.
    pub(super) const fn new(old: R, new: W, header: &Header) -> Self {
        Self {
            old,
            new,
            generation: header.generation,
            frames: Frames::new(),
            end: HEADER_BYTES,
            was: header.through,
            is: header.through,
            page: Vec::new(),
        }
    }

    /// Carries `frames`; thins or throws away the oldest as long as they take more than `most` bytes.
    pub(super) fn carry(mut self, frames: &Frames, most: u64) -> io::Result<Carried> {
        let mut left = live(frames);
        let mut at = 0;
        while let Some((offset, frame)) = frames.get(at) {
            let carried = self.end.saturating_sub(HEADER_BYTES);
            let more_than_one = self.frames.len() + frames.len() - at > 1;
            let over = carried.saturating_add(left) > most && more_than_one;
            let mut count = 1;
            match step(frames, at, over) {
                Step::Thin(batches) => {
                    count = batches;
                    self.thin(frames.range(at..at.saturating_add(count)))?;
                }
                // What was carried already is older than this one.
                Step::Throw if self.frames.is_empty() => {}
                Step::Copy | Step::Throw => self.copy(*offset, frame)?,
            }
            for (_, frame) in frames.iter().skip(at).take(count) {
                left = left.saturating_sub(frame.bytes());
                self.was = frame.last;
            }
            at = at.saturating_add(count);
        }
        Ok((self.frames, self.end))
    }

    /// As it is, unless something right before it is gone.
    fn copy(&mut self, offset: u64, frame: &Frame) -> io::Result<()> {
        if !self.read(offset, frame)? {
            return Ok(());
        }
        if self.is == self.was {
            self.new.write_all(&self.page)?;
            self.note(*frame);
            return Ok(());
        }
        let payload = match frame.kind {
            FrameKind::Line => Some(with_gap(self.payload(), self.is)),
            FrameKind::Batch | FrameKind::Thinned => inflated(self.payload(), MAX_UNPACKED)
                .map(|lines| deflated(&with_gap(&lines, self.is))),
        };
        payload.map_or(Ok(()), |payload| {
            self.write(frame.kind, (frame.first, frame.last), &payload)
        })
    }

    /// One of a few reports of these batches.
    fn thin<'a>(
        &mut self,
        batches: impl Iterator<Item = &'a (u64, Frame)> + Clone,
    ) -> io::Result<()> {
        let (Some((_, first)), Some((_, last))) = (batches.clone().next(), batches.clone().last())
        else {
            return Ok(());
        };
        let (mut kept, mut before) = (Vec::new(), self.is);
        for (offset, frame) in batches {
            if self.read(*offset, frame)?
                && let Some(lines) = inflated(self.payload(), MAX_UNPACKED)
            {
                before = thin(&lines, before, last.last, &mut kept);
            }
        }
        if kept.is_empty() {
            return Ok(());
        }
        self.write(FrameKind::Thinned, (first.first, before), &deflated(&kept))
    }

    /// Reads a frame in the place of the one before it; false when the disk lost it.
    fn read(&mut self, offset: u64, frame: &Frame) -> io::Result<bool> {
        self.page
            .resize(PREFIX_BYTES.saturating_add(frame.payload as usize), 0);
        self.old.seek(SeekFrom::Start(offset))?;
        self.old.read_exact(&mut self.page)?;
        let there = self.page.split_first_chunk().is_some_and(|(prefix, rest)| {
            Frame::prefix(prefix, self.generation) == Ok(*frame) && Frame::holds(prefix, rest)
        });
        Ok(there)
    }

    fn payload(&self) -> &[u8] {
        self.page.get(PREFIX_BYTES..).unwrap_or_default()
    }

    fn write(&mut self, kind: FrameKind, seqs: (u64, u64), payload: &[u8]) -> io::Result<()> {
        let written = Frame::write(kind, self.generation, seqs, payload);
        let (frame, bytes) = written.map_err(|_| io::ErrorKind::InvalidData)?;
        self.new.write_all(&bytes)?;
        self.note(frame);
        Ok(())
    }

    /// The frame stands at the end of the new file.
    fn note(&mut self, frame: Frame) {
        self.frames.push_back((self.end, frame));
        self.end = self.end.saturating_add(frame.bytes());
        self.is = frame.last;
    }
}

#[cfg(test)]
mod tests;
