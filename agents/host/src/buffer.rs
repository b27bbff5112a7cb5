//! Reports that nobody has taken yet, in one file that survives restarts.
//!
//! **Nothing is lost or doubled in silence.** A report is on the disk when [`Buffer::push`] returns; what must be
//! thrown away for want of room is counted in the report after it. A crash at any byte leaves what was there before.

mod rewrite;

use host_core::buffer::{
    BATCH, BATCH_BYTES, Frame, FrameKind, HEADER_BYTES, Header, PREFIX_BYTES, deflated, inflated,
    seq_of, with_gap,
};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The least that a buffer may have, in bytes: room for some reports of the greatest length.
const LEAST_BYTES: u64 = 128 * 1024;
/// Reports held in memory while the disk takes none.
const MAX_HELD: usize = 16;
/// Bytes of reports that one batch unpacks to at most.
const MAX_UNPACKED: usize = 2 * BATCH_BYTES as usize;

/// What [`Buffer::open`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// No file, or an empty one.
    Nothing,
    /// A buffer.
    Buffer,
    /// Something else, which was overwritten; numbers begin anew until somebody says how far they were.
    Garbage,
}

/// The buffer. Its calls block on the disk.
#[derive(Debug)]
pub struct Buffer {
    path: PathBuf,
    file: File,
    max_bytes: u64,
    header: Header,
    frames: VecDeque<(u64, Frame)>,
    /// Where the next frame goes.
    end: u64,
    /// What the disk did not take yet.
    held: VecDeque<(u64, Vec<u8>)>,
    /// The newest header may not be on the disk: nothing is written behind it before it is.
    unsure: bool,
    found: Found,
}

impl Buffer {
    /// Opens the buffer, or makes it (mode 0600). It takes at most `max_bytes` of the disk, while it is rewritten
    /// for a moment twice that.
    ///
    /// # Errors
    /// When the file cannot be read or written, or another program has it open.
    pub fn open(path: impl AsRef<Path>, max_bytes: u64) -> io::Result<Self> {
        let path = path.as_ref().to_owned();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)?;
        locked(&file)?;
        let mut head = vec![0; usize::try_from(HEADER_BYTES).unwrap_or_default()];
        let length = file.metadata()?.len();
        let header = match file.read_exact_at(&mut head, 0) {
            Ok(()) => Header::read(&head),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
            Err(error) => return Err(error),
        };
        let found = match header {
            Some(_) => Found::Buffer,
            None if length == 0 => Found::Nothing,
            None => Found::Garbage,
        };
        let mut buffer = Self {
            path,
            file,
            max_bytes: max_bytes.max(LEAST_BYTES),
            header: header.unwrap_or(Header::FIRST),
            frames: VecDeque::new(),
            end: HEADER_BYTES,
            held: VecDeque::new(),
            unsure: false,
            found,
        };
        if header.is_none() {
            buffer.file.set_len(0)?;
            buffer.file.write_all_at(&[0; 1024], 0)?;
            buffer.write_header(Header::FIRST)?;
        }
        buffer.read_frames()?;
        Ok(buffer)
    }

    /// What was there when it was opened.
    #[must_use]
    pub const fn found(&self) -> Found {
        self.found
    }

    /// The number that the next report must have.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        let held = self.held.back().map_or(0, |(seq, _)| *seq);
        let kept = self.frames.back().map_or(0, |(_, frame)| frame.last);
        self.header.next.max(held.max(kept).saturating_add(1))
    }

    /// How many numbers wait to be taken, those of reports thrown away among them.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        let done = self.header.through;
        self.next_seq().saturating_sub(1).saturating_sub(done)
    }

    /// Keeps one report, whose number must be [`Buffer::next_seq`]. It is on the disk when this returns.
    ///
    /// # Errors
    /// When it is no report or has another number; then it is not kept. When the disk refuses: then it is held in
    /// memory, handed out all the same, and written with the next one that can be.
    pub fn push(&mut self, line: &[u8]) -> io::Result<()> {
        if line.contains(&b'\n') || seq_of(line) != Some(self.next_seq()) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.held.push_back((self.next_seq(), line.to_vec()));
        // Where no room can be made, the disk says so when the report is to be written.
        drop(self.make_room());
        let written = self.write_held();
        self.bound_held();
        written
    }

    /// The reports after number `seq`, one a line: as many as `max_bytes` hold, and one at least if there is any.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn after(&self, seq: u64, max_bytes: usize) -> io::Result<Vec<u8>> {
        let (mut lines, mut payload) = (Vec::new(), Vec::new());
        let mut lost_after = None;
        let kept = self.frames.iter().filter(|(_, frame)| frame.last > seq);
        for (offset, frame) in kept {
            payload.clear();
            let there = self.read_payload(*offset, frame, &mut payload)?;
            let unpacked = match frame.kind {
                _ if !there => None,
                FrameKind::Line => Some(Cow::Borrowed(&*payload)),
                FrameKind::Batch | FrameKind::Thinned => {
                    inflated(&payload, MAX_UNPACKED).map(Cow::Owned)
                }
            };
            let Some(mut unpacked) = unpacked else {
                // The disk lost it since it was opened.
                lost_after.get_or_insert(frame.first.saturating_sub(1));
                continue;
            };
            if let Some(before) = lost_after.take() {
                unpacked = Cow::Owned(with_gap(&unpacked, before));
            }
            if !add(&mut lines, &unpacked, seq, max_bytes) {
                return Ok(lines);
            }
        }
        for (_, line) in self.held.iter().filter(|(held, _)| *held > seq) {
            if !add(&mut lines, line, seq, max_bytes) {
                break;
            }
        }
        Ok(lines)
    }

    /// Everything up to number `seq` is done with. A number that is not reached yet makes the next one follow it:
    /// whoever takes the reports knows how far they were, if this file was lost.
    ///
    /// # Errors
    /// When the disk refuses; what is done with may then be handed out again after a restart.
    pub fn through(&mut self, seq: u64) -> io::Result<()> {
        if seq <= self.header.through {
            return Ok(());
        }
        let next = self.next_seq().max(seq.saturating_add(1));
        self.held.retain(|(held, _)| *held > seq);
        self.frames.retain(|(_, frame)| frame.last > seq);
        let mut header = Header {
            through: seq,
            next,
            ..self.header
        };
        if self.frames.is_empty() {
            // The place of all frames is free again, without asking the disk for any.
            header.generation = header.generation.saturating_add(1);
            self.end = HEADER_BYTES;
        }
        self.write_header(header)
    }

    fn write_header(&mut self, header: Header) -> io::Result<()> {
        self.header = Header {
            written: self.header.written.saturating_add(1),
            ..header
        };
        self.unsure = true;
        self.file
            .write_all_at(&self.header.slot(), self.header.offset())?;
        self.file.sync_data()?;
        self.unsure = false;
        Ok(())
    }

    /// Finds every whole frame of this generation; the first that is not is where the next one goes.
    fn read_frames(&mut self) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        let mut payload = Vec::new();
        loop {
            let mut prefix = [0; PREFIX_BYTES];
            let rest = length.saturating_sub(self.end);
            if rest < PREFIX_BYTES as u64 {
                return Ok(());
            }
            self.file.read_exact_at(&mut prefix, self.end)?;
            let Ok(frame) = Frame::prefix(&prefix, self.header.generation) else {
                return Ok(());
            };
            if frame.bytes() > rest {
                return Ok(());
            }
            payload.resize(frame.payload as usize, 0);
            let at = self.end.saturating_add(PREFIX_BYTES as u64);
            self.file.read_exact_at(&mut payload, at)?;
            if !Frame::holds(&prefix, &payload) {
                return Ok(());
            }
            self.admit(frame);
        }
    }

    /// Takes a frame that stands at the end into account: a batch takes the place of the reports it was made of.
    fn admit(&mut self, frame: Frame) {
        while self
            .frames
            .back()
            .is_some_and(|(_, f)| f.last >= frame.first)
        {
            self.frames.pop_back();
        }
        if frame.last > self.header.through {
            self.frames.push_back((self.end, frame));
        }
        self.end = self.end.saturating_add(frame.bytes());
    }

    /// Adds the frame's payload to `bytes`; false when the disk lost it, then what was added is not to be used.
    fn read_payload(&self, offset: u64, frame: &Frame, bytes: &mut Vec<u8>) -> io::Result<bool> {
        let mut prefix = [0; PREFIX_BYTES];
        self.file.read_exact_at(&mut prefix, offset)?;
        let (from, length) = (bytes.len(), frame.payload as usize);
        bytes.reserve_exact(length);
        bytes.resize(from.saturating_add(length), 0);
        let payload = bytes.get_mut(from..).unwrap_or_default();
        let at = offset.saturating_add(PREFIX_BYTES as u64);
        self.file.read_exact_at(payload, at)?;
        Ok(Frame::holds(&prefix, payload))
    }

    /// Writes one frame at the end and has it on the disk.
    fn append(&mut self, kind: FrameKind, seqs: (u64, u64), payload: &[u8]) -> io::Result<()> {
        let (frame, bytes) = Frame::write(kind, self.header.generation, seqs, payload)
            .map_err(|_| io::ErrorKind::InvalidInput)?;
        if self.end.saturating_add(frame.bytes()) > self.max_bytes {
            return Err(io::ErrorKind::StorageFull.into());
        }
        if self.unsure {
            self.write_header(self.header)?;
        }
        self.file.write_all_at(&bytes, self.end)?;
        self.file.sync_data()?;
        self.admit(frame);
        Ok(())
    }

    fn write_held(&mut self) -> io::Result<()> {
        while let Some((seq, line)) = self.held.pop_front() {
            if let Err(error) = self.append(FrameKind::Line, (seq, seq), &line) {
                self.held.push_front((seq, line));
                return Err(error);
            }
        }
        Ok(())
    }

    /// The oldest of what the disk does not take goes; the one after it says so.
    fn bound_held(&mut self) {
        while self.held.len() > MAX_HELD {
            self.held.pop_front();
            let before = self.frames.back().map_or(0, |(_, frame)| frame.last);
            let before = before.max(self.header.through);
            if let Some((_, line)) = self.held.front_mut() {
                *line = with_gap(line, before);
            }
        }
    }

    /// Packs single reports together when there are many, and rewrites the file before it grows too large.
    fn make_room(&mut self) -> io::Result<()> {
        let singles = || {
            let newest = self.frames.iter().rev();
            newest.take_while(|(_, frame)| frame.kind == FrameKind::Line)
        };
        let bytes: u64 = singles().map(|(_, frame)| frame.bytes()).sum();
        let count = singles().count();
        if count >= BATCH || bytes >= BATCH_BYTES.min(self.max_bytes / 4) {
            self.pack(count)?;
        }
        if rewrite::is_due(self) {
            rewrite::rewrite(self)?;
        }
        Ok(())
    }

    /// Deflates the newest `count` single reports into one batch.
    fn pack(&mut self, count: usize) -> io::Result<()> {
        let from = self.frames.len().saturating_sub(count);
        let ends = (self.frames.get(from), self.frames.back());
        let (Some((_, first)), Some((_, last))) = ends else {
            return Ok(());
        };
        let seqs = (first.first, last.last);
        let singles = self.frames.range(from..);
        let length = |(_, frame): &(u64, Frame)| frame.payload as usize + 1;
        let mut lines = Vec::with_capacity(singles.clone().map(length).sum());
        for (offset, frame) in singles {
            if !self.read_payload(*offset, frame, &mut lines)? {
                return Err(io::ErrorKind::InvalidData.into());
            }
            lines.push(b'\n');
        }
        let packed = deflated(&lines);
        drop(lines);
        self.append(FrameKind::Batch, seqs, &packed)
    }
}

/// One program has it at a time.
fn locked(file: &File) -> io::Result<()> {
    file.try_lock().map_err(|error| match error {
        TryLockError::Error(error) => error,
        TryLockError::WouldBlock => io::Error::new(
            io::ErrorKind::WouldBlock,
            "another program has the buffer open",
        ),
    })
}

/// Adds the reports after `seq`; says whether there may be room for more.
fn add(lines: &mut Vec<u8>, more: &[u8], seq: u64, max_bytes: usize) -> bool {
    // No more than is wanted, instead of twice as much.
    let room = max_bytes.saturating_sub(lines.len());
    lines.reserve_exact(more.len().saturating_add(1).min(room));
    let wanted = more
        .split(|b| *b == b'\n')
        .filter(|line| seq_of(line).is_some_and(|number| number > seq));
    for line in wanted {
        if !lines.is_empty() && lines.len() + line.len() >= max_bytes {
            return false;
        }
        lines.extend_from_slice(line);
        lines.push(b'\n');
    }
    true
}
