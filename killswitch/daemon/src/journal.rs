//! The record of what was asked, decided and done: one JSON line an entry, each bound to the one before by SHA-256.
//!
//! The hash covers the line's own bytes up to `,"hash":`, closed with `}`; so a line can be checked with
//! `sha256sum` and nothing else. A last line without its newline was never acknowledged and is taken off at opening.

use crate::event::Event;
use data_encoding::HEXLOWER;
use kill_wire::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const HASH: &str = ",\"hash\":\"";
/// Longest line in bytes that is read back.
const MAX_LINE: usize = 256 * 1024;

/// Where the chain ends: number and hash of its last entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Entries so far.
    pub n: u64,
    /// Hash of the last one; empty before the first.
    pub hash: String,
}

/// One entry as it is read back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Its number, from 1.
    pub n: u64,
    /// RFC 3339, for people.
    pub time: String,
    /// The same instant.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
    /// Hash of the entry before.
    pub prev: String,
}

/// The chain does not hold from this line on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Line number, from 1.
    pub line: u64,
    /// What is wrong there.
    pub why: String,
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "journal line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for Broken {}

/// A chain that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Entries in it.
    pub entries: u64,
    /// Hash of the last.
    pub last_hash: String,
    /// Bytes of an unfinished last line that was never acknowledged.
    pub torn_bytes: u64,
}

/// Checks the whole chain, without changing the file.
pub fn verify(path: &Path) -> Result<Verified, Broken> {
    let (head, _, torn) = read(path, |_| ())?;
    Ok(Verified {
        entries: head.n,
        last_hash: head.hash,
        torn_bytes: torn,
    })
}

/// The file, open for appending.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    head: Head,
    /// Length of the good part in bytes: a line that could not be written whole is cut off again.
    end: u64,
}

impl Journal {
    /// Makes an empty journal; fails if one is there.
    pub(crate) fn create(path: &Path) -> io::Result<()> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?
            .sync_all()
    }

    /// Checks the chain, hands every entry to `each`, and takes off a torn last line.
    pub(crate) fn open(path: &Path, each: impl FnMut(&Entry)) -> Result<Self, Broken> {
        let (head, end, torn) = read(path, each)?;
        let broken = |why: io::Error| Broken {
            line: head.n + 1,
            why: format!("cannot be opened for writing: {why}"),
        };
        let mut file = OpenOptions::new().write(true).open(path).map_err(broken)?;
        if torn > 0 {
            file.set_len(end).map_err(broken)?;
        }
        file.seek(SeekFrom::Start(end)).map_err(broken)?;
        Ok(Self { file, head, end })
    }

    pub(crate) fn head(&self) -> &Head {
        &self.head
    }

    /// Appends and syncs; on failure the file is as it was before.
    pub(crate) fn append(&mut self, at: Timestamp, event: &Event) -> io::Result<()> {
        let entry = Entry {
            n: self.head.n + 1,
            time: at.to_string(),
            at,
            event: event.clone(),
            prev: self.head.hash.clone(),
        };
        let body = serde_json::to_string(&entry)?;
        let hash = hash_of(&body);
        let open = body.strip_suffix('}').unwrap_or(&body);
        let line = format!("{open}{HASH}{hash}\"}}\n");
        let written = self
            .file
            .write_all(line.as_bytes())
            .and_then(|()| self.file.sync_data());
        if let Err(why) = written {
            self.file.set_len(self.end)?;
            self.file.seek(SeekFrom::Start(self.end))?;
            return Err(why);
        }
        self.end += line.len() as u64;
        self.head = Head { n: entry.n, hash };
        Ok(())
    }
}

fn hash_of(body: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(body.as_bytes()))
}

/// Reads whole lines; gives the head, the length of the good part, and the bytes of a torn last line.
fn read(path: &Path, mut each: impl FnMut(&Entry)) -> Result<(Head, u64, u64), Broken> {
    let mut head = Head::default();
    let mut end = 0;
    let at = |head: &Head, why: String| Broken {
        line: head.n + 1,
        why,
    };
    let file = File::open(path).map_err(|why| at(&head, format!("cannot be read: {why}")))?;
    let mut lines = BufReader::new(file);
    loop {
        let mut line = Vec::new();
        let read = io::Read::take(&mut lines, MAX_LINE as u64)
            .read_until(b'\n', &mut line)
            .map_err(|why| at(&head, format!("cannot be read: {why}")))?;
        if line.pop_if(|last| *last == b'\n').is_none() {
            return if read < MAX_LINE {
                Ok((head, end, read as u64))
            } else {
                Err(at(&head, "is too long".to_owned()))
            };
        }
        let entry = check(&line, &head).map_err(|why| at(&head, why.to_owned()))?;
        each(&entry.0);
        head = Head {
            n: entry.0.n,
            hash: entry.1,
        };
        end += read as u64;
    }
}

fn check(line: &[u8], head: &Head) -> Result<(Entry, String), &'static str> {
    let text = std::str::from_utf8(line).map_err(|_| "is not text")?;
    let (open, hash) = text.rsplit_once(HASH).ok_or("has no hash")?;
    let hash = hash.strip_suffix("\"}").ok_or("has no hash")?;
    let body = format!("{open}}}");
    if hash_of(&body) != hash {
        return Err("was changed: its hash does not fit");
    }
    let entry: Entry = serde_json::from_str(&body).map_err(|_| "is no journal entry")?;
    if entry.n != head.n + 1 || entry.prev != head.hash {
        return Err("does not follow from the line before: something was taken out or put in");
    }
    Ok((entry, hash.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn event(text: &str) -> Event {
        Event::Refused {
            via: text.to_owned(),
            why: "no code in it".to_owned(),
            unwritten: 0,
        }
    }

    fn three() -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        Journal::create(&path).unwrap();
        let mut journal = Journal::open(&path, |_| ()).unwrap();
        for text in ["a", "b", "c"] {
            journal
                .append(Timestamp::from_millis(1_000), &event(text))
                .unwrap();
        }
        (dir, path)
    }

    #[test]
    fn a_chain_that_was_written_holds() {
        let (_dir, path) = three();
        let verified = verify(&path).unwrap();
        assert_eq!((verified.entries, verified.torn_bytes), (3, 0));
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let (_dir, path) = three();
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() - 1 {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&path, &bad).unwrap();
            assert!(verify(&path).is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_line_taken_out_or_moved_is_noticed() {
        let (_dir, path) = three();
        let good = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = good.lines().collect();
        for bad in [
            vec![lines[0], lines[2]],
            vec![lines[1], lines[2]],
            vec![lines[1], lines[0], lines[2]],
            vec![lines[0], lines[0]],
        ] {
            fs::write(&path, bad.join("\n") + "\n").unwrap();
            assert!(verify(&path).is_err());
        }
    }

    #[test]
    fn a_torn_last_line_is_taken_off_and_the_chain_goes_on() {
        let (_dir, path) = three();
        let good = fs::read(&path).unwrap();
        let second = good
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'\n')
            .nth(1)
            .unwrap()
            .0;
        for cut in [second + 2, good.len() - 2] {
            fs::write(&path, &good[..cut]).unwrap();
            assert_eq!(verify(&path).map(|verified| verified.entries), Ok(2));
            let mut journal = Journal::open(&path, |_| ()).unwrap();
            journal
                .append(Timestamp::from_millis(2_000), &event("d"))
                .unwrap();
            assert_eq!(
                verify(&path).map(|verified| (verified.entries, verified.torn_bytes)),
                Ok((3, 0))
            );
        }
    }
}
