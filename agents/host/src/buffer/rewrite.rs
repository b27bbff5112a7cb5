//! The buffer written anew: without what is done with, and thinned when it would be too large all the same.

use super::{Buffer, MAX_UNPACKED, locked};
use host_core::buffer::{
    Frame, FrameKind, HEADER_BYTES, Header, deflated, inflated, thinned, with_gap,
};
use net_model::report::MAX_REPORT_BYTES;
use std::collections::VecDeque;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};

/// Batches that are thinned together: what is left of them makes one batch again.
const TOGETHER: usize = 6;
/// What no frame needs any more may take so much before the file is written anew.
const DEAD_BYTES: u64 = 256 * 1024;

/// What one frame of the new file holds.
struct Part {
    kind: FrameKind,
    seqs: (u64, u64),
    payload: Vec<u8>,
}

impl Part {
    fn bytes(&self) -> u64 {
        Frame::write(self.kind, 0, self.seqs, &[]).map_or(0, |(frame, _)| frame.bytes())
            + self.payload.len() as u64
    }

    /// Its reports, each with its line's end.
    fn lines(&self) -> Vec<u8> {
        match self.kind {
            FrameKind::Line => {
                let mut line = self.payload.clone();
                line.push(b'\n');
                line
            }
            FrameKind::Batch | FrameKind::Thinned => {
                inflated(&self.payload, MAX_UNPACKED).unwrap_or_default()
            }
        }
    }
}

/// Room for what comes before the file is looked at again.
const fn head_room(buffer: &Buffer) -> u64 {
    buffer.max_bytes / 8 + 2 * MAX_REPORT_BYTES as u64
}

pub(super) fn is_due(buffer: &Buffer) -> bool {
    let live: u64 = buffer.frames.iter().map(|(_, frame)| frame.bytes()).sum();
    let dead = buffer.end - HEADER_BYTES - live.min(buffer.end - HEADER_BYTES);
    // A batch is written beside the reports it is made of: there must be room for both.
    dead > DEAD_BYTES.min(buffer.max_bytes / 4)
        || buffer.end + 2 * MAX_REPORT_BYTES as u64 > buffer.max_bytes
}

/// Writes what is still wanted into a new file and puts it in the place of the old one.
pub(super) fn rewrite(buffer: &mut Buffer) -> io::Result<()> {
    let mut parts = VecDeque::with_capacity(buffer.frames.len());
    for (offset, frame) in &buffer.frames {
        match buffer.payload_of(*offset, frame) {
            Ok(payload) => parts.push_back(Part {
                kind: frame.kind,
                seqs: (frame.first, frame.last),
                payload,
            }),
            // The disk lost it. Who takes the reports sees the numbers jump.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
            Err(error) => return Err(error),
        }
    }
    let most = buffer.max_bytes - head_room(buffer) - HEADER_BYTES;
    while parts.iter().map(Part::bytes).sum::<u64>() > most && parts.len() > 1 {
        smaller(&mut parts, buffer.header.through);
    }
    let mut name = buffer.path.clone().into_os_string();
    name.push(".new");
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&name)?;
    locked(&file)?;
    let header = Header {
        written: buffer.header.written.saturating_add(1),
        next: buffer.next_seq(),
        ..buffer.header
    };
    let written = write_all(&file, header, &parts);
    let (frames, end) = match written.and_then(|new| {
        std::fs::rename(&name, &buffer.path)?;
        Ok(new)
    }) {
        Ok(new) => new,
        Err(error) => {
            // Best effort: it is overwritten by the next attempt.
            drop(std::fs::remove_file(&name));
            return Err(error);
        }
    };
    (buffer.file, buffer.frames, buffer.end, buffer.header) = (file, frames, end, header);
    buffer.unsure = false;
    kill_files::sync_folder(&buffer.path)
}

fn write_all(
    file: &std::fs::File,
    header: Header,
    parts: &VecDeque<Part>,
) -> io::Result<(VecDeque<(u64, Frame)>, u64)> {
    file.write_all_at(&[0; 1024], 0)?;
    file.write_all_at(&header.slot(), header.offset())?;
    let mut frames = VecDeque::with_capacity(parts.len());
    let mut end = HEADER_BYTES;
    for part in parts {
        let written = Frame::write(part.kind, header.generation, part.seqs, &part.payload);
        let (frame, bytes) = written.map_err(|_| io::ErrorKind::InvalidData)?;
        file.write_all_at(&bytes, end)?;
        frames.push_back((end, frame));
        end += frame.bytes();
    }
    file.sync_all()?;
    Ok((frames, end))
}

/// Thins the oldest batches that are whole; when there is none, throws the oldest part away.
fn smaller(parts: &mut VecDeque<Part>, through: u64) {
    let whole = |part: &Part| part.kind == FrameKind::Batch;
    let Some(at) = parts.iter().position(whole) else {
        return throw_oldest(parts, through);
    };
    let count = parts
        .iter()
        .skip(at)
        .take(TOGETHER)
        .filter(|p| whole(p))
        .count();
    let before = at.checked_sub(1).and_then(|i| parts.get(i));
    let before = before.map_or(through, |part| part.seqs.1.max(through));
    let mut lines = Vec::new();
    let mut seqs: Option<(u64, u64)> = None;
    for part in parts.drain(at..at + count) {
        lines.extend_from_slice(&part.lines());
        seqs = Some((seqs.map_or(part.seqs.0, |(first, _)| first), part.seqs.1));
    }
    let kept = thinned(&lines, before);
    let Some(seqs) = seqs.filter(|_| !kept.is_empty()) else {
        return;
    };
    let part = Part {
        kind: FrameKind::Thinned,
        seqs,
        payload: deflated(&kept),
    };
    parts.insert(at, part);
}

/// Drops the oldest part; the one after it says so.
fn throw_oldest(parts: &mut VecDeque<Part>, through: u64) {
    parts.pop_front();
    let Some(next) = parts.front_mut() else {
        return;
    };
    let lines = with_gap(&next.lines(), through);
    next.payload = match next.kind {
        FrameKind::Line => lines
            .strip_suffix(b"\n")
            .map_or_else(Vec::new, <[u8]>::to_vec),
        FrameKind::Batch | FrameKind::Thinned => deflated(&lines),
    };
}
