//! Small state in two preallocated slots, written in turn, so that a write that breaks off costs only the older one.
//!
//! **Invariant:** once anything was in doubt, it stays in doubt until the next [`Slots::write`]: opening repairs the
//! files, but a repaired slot is left unwritten, so a crash before that write is met by the same doubt.

use crate::slot_file;
use crate::slot_image::{self, MAX_PAYLOAD, SLOT_BYTES};
use rustix::fs::OFlags;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _};
use std::path::{Path, PathBuf};

/// Two slot files, `STEM.a` and `STEM.b`, of 64 KiB each with mode 0600.
///
/// The space is taken when they are made; a full disk cannot stop a later write (on a file system that
/// overwrites in place: one that copies on write may still want a block).
#[derive(Debug)]
pub struct Slots {
    /// Number of the newest payload.
    seq: u64,
    /// The slot to write next: the older or the damaged one.
    older: Side,
    a: Slot,
    b: Slot,
}

/// What opening the slots found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loaded {
    /// Both slots are whole; this is the newest payload.
    Good(Vec<u8>),
    /// A slot is missing, damaged, unreadable or does not follow the other: the last write may be lost.
    Doubtful {
        /// Payload of the best readable slot.
        newest: Option<Vec<u8>>,
        /// What is wrong, in words.
        why: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    A,
    B,
}

#[derive(Debug)]
struct Slot {
    path: PathBuf,
    /// Open for writing; `None` where that was not possible.
    file: Option<File>,
    /// Bytes before the padding of a slot that counts; `None` for one that does not.
    used: Option<usize>,
}

impl Slots {
    /// Makes both slots with this payload, in an existing folder.
    ///
    /// # Errors
    /// When one of them exists, `payload` is longer than [`crate::MAX_PAYLOAD`], or the disk refuses.
    pub fn create(dir: &Path, stem: &str, payload: &[u8]) -> io::Result<Self> {
        check(payload)?;
        let (a, b) = paths(dir, stem)?;
        Ok(Self {
            seq: 1,
            older: Side::A,
            a: Slot::create(a, 0, payload)?,
            b: Slot::create(b, 1, payload)?,
        })
    }

    /// Opens the slots, setting damaged ones aside (`STEM.a.bad-1`, ...) and making room anew where it can.
    ///
    /// Missing, damaged or unwritable files are no error: they are doubt, and the writes that follow may fail.
    ///
    /// # Errors
    /// Only when `stem` cannot be a file name.
    pub fn open(dir: &Path, stem: &str) -> io::Result<(Self, Loaded)> {
        let (a, b) = paths(dir, stem)?;
        let mut doubts = Vec::new();
        if !dir.is_dir() {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
            let reason = made
                .err()
                .map_or(String::new(), |error| format!(" ({error})"));
            doubts.push(format!("{} was missing{reason}", dir.display()));
        }
        let (mut a, in_a) = Slot::open(a, &mut doubts);
        let (mut b, in_b) = Slot::open(b, &mut doubts);
        if let (Some((x, _)), Some((y, _))) = (&in_a, &in_b)
            && x.abs_diff(*y) != 1
        {
            doubts.push(format!("{stem}.a and {stem}.b do not follow each other"));
            (a.used, b.used) = (None, None);
        }
        let number = |found: &Option<(u64, Vec<u8>)>| found.as_ref().map(|(seq, _)| *seq);
        let (older, newest) = if number(&in_a) > number(&in_b) {
            (Side::B, in_a)
        } else {
            (Side::A, in_b)
        };
        let seq = number(&newest).unwrap_or(0);
        let loaded = match newest {
            Some((_, payload)) if doubts.is_empty() => Loaded::Good(payload),
            newest => Loaded::Doubtful {
                newest: newest.map(|(_, payload)| payload),
                why: doubts.join("; "),
            },
        };
        Ok((Self { seq, older, a, b }, loaded))
    }

    /// Puts `payload` in place of the older slot, and on the disk, before it returns. Blocks.
    ///
    /// When the other slot does not count (damaged, deleted since), it is renewed too.
    ///
    /// # Errors
    /// When the disk refuses or `payload` is longer than [`crate::MAX_PAYLOAD`]; the newest state is then untouched.
    pub fn write(&mut self, payload: &[u8]) -> io::Result<()> {
        check(payload)?;
        self.write_older(payload)?;
        if self.older_slot().counts() {
            return Ok(());
        }
        self.write_older(payload)
    }

    fn write_older(&mut self, payload: &[u8]) -> io::Result<()> {
        let seq = self.seq.checked_add(1).ok_or(io::ErrorKind::InvalidData)?;
        self.older_slot().write(seq, payload)?;
        self.seq = seq;
        self.older = match self.older {
            Side::A => Side::B,
            Side::B => Side::A,
        };
        Ok(())
    }

    fn older_slot(&mut self) -> &mut Slot {
        match self.older {
            Side::A => &mut self.a,
            Side::B => &mut self.b,
        }
    }
}

impl Slot {
    fn create(path: PathBuf, seq: u64, payload: &[u8]) -> io::Result<Self> {
        let image = slot_image::render(seq, payload);
        let used = Some(image.len());
        let file = slot_file::make(&path, &slot_image::padded(image, SLOT_BYTES))?;
        Ok(Self {
            path,
            file: Some(file),
            used,
        })
    }

    fn open(path: PathBuf, doubts: &mut Vec<String>) -> (Self, Option<(u64, Vec<u8>)>) {
        let name = path.display().to_string();
        let read = slot_file::read(&path);
        let missing = matches!(&read, Err(error) if error.kind() == io::ErrorKind::NotFound);
        let (found, blank) = match read.map(|bytes| slot_image::parse(&bytes)) {
            Ok(Ok(found)) => (Some(found), false),
            Ok(Err(problem)) => {
                doubts.push(format!("{name} {problem}"));
                (None, problem == slot_image::NEVER_WRITTEN)
            }
            Err(error) => {
                doubts.push(format!("{name} cannot be read ({error})"));
                (None, false)
            }
        };
        if found.is_none()
            && !missing
            && !blank
            && let Err(error) = slot_file::set_aside(&path)
        {
            doubts.push(format!("{name} cannot be set aside ({error})"));
        }
        let used = found
            .as_ref()
            .map(|(seq, payload)| slot_image::render(*seq, payload).len());
        let mut slot = Self {
            path,
            file: None,
            used,
        };
        if let Err(error) = slot.reach()
            && found.is_none()
        {
            doubts.push(format!("{name} cannot be made ({error})"));
        }
        (slot, found)
    }

    /// Whether what was written here would be read back.
    fn counts(&self) -> bool {
        self.used.is_some()
            && self
                .file
                .as_ref()
                .is_some_and(|file| slot_file::stands(file, &self.path))
    }

    fn write(&mut self, seq: u64, payload: &[u8]) -> io::Result<()> {
        self.reach()?;
        let Some(file) = &self.file else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let image = slot_image::render(seq, payload);
        let used = image.len();
        // Everything when it is not known what stands there, else as much as the longer of old and new.
        let length = self.used.unwrap_or(SLOT_BYTES);
        self.used = None;
        file.write_all_at(&slot_image::padded(image, length), 0)?;
        file.sync_data()?;
        self.used = Some(used);
        Ok(())
    }

    /// Makes sure that a file of the right size stands open for writing under the right name.
    fn reach(&mut self) -> io::Result<()> {
        if self
            .file
            .as_ref()
            .is_some_and(|file| slot_file::stands(file, &self.path))
        {
            return Ok(());
        }
        self.file = None;
        match slot_file::open(&self.path, OFlags::RDWR) {
            Ok(file) if slot_file::stands(&file, &self.path) => self.file = Some(file),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(_) => slot_file::set_aside(&self.path)?,
            Err(_) => {}
        }
        if self.file.is_none() {
            self.used = None;
            let blank = slot_image::padded(Vec::new(), SLOT_BYTES);
            self.file = Some(slot_file::make(&self.path, &blank)?);
        }
        Ok(())
    }
}

fn check(payload: &[u8]) -> io::Result<()> {
    if payload.len() <= MAX_PAYLOAD {
        return Ok(());
    }
    let text = format!("state of {} bytes does not fit a slot", payload.len());
    Err(io::Error::new(io::ErrorKind::InvalidInput, text))
}

fn paths(dir: &Path, stem: &str) -> io::Result<(PathBuf, PathBuf)> {
    if stem.is_empty() || stem.contains(['/', '\0']) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok((dir.join(format!("{stem}.a")), dir.join(format!("{stem}.b"))))
}
