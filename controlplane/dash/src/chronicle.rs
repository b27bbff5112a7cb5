//! The kill switch's journal as the dashboard reads it: the plain file, never the database.
//!
//! Only what was appended since the last look is read. Kept are each incident with the places of its lines, and the place of
//! every 64th line; the lines themselves stay in the file. Nothing here checks the chain: that is asked for by name.

mod entry;

pub(crate) use entry::{Entry, Event};

use kill_wire::{Incident, IncidentEnd, IncidentRecord, Timestamp};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Longest line that is read, in bytes; the kill switch writes none that is longer.
const MAX_LINE: u64 = 256 * 1024;

/// The place of every so many lines is kept.
const STEP: u64 = 64;

/// Most incidents kept; older ones are in the file.
const INCIDENTS: usize = 50_000;

/// Most lines of one incident that are shown: a proof more or less says nothing new.
const LINES: usize = 64;

/// Lines that are read ahead before somebody who waits for the journal gets a turn.
const PIECE: usize = 1024;

/// Where the journal lies, who checks its chain, and what was read of it. Copies share what was read.
#[derive(Clone, Debug)]
pub struct JournalFile {
    pub(crate) path: PathBuf,
    pub(crate) verify: fn(&Path) -> Result<JournalHolds, String>,
    pub(crate) chronicle: Arc<Chronicle>,
}

impl JournalFile {
    /// `verify` checks the whole chain: the dashboard knows no format but JSON lines.
    #[must_use]
    pub fn new(path: PathBuf, verify: fn(&Path) -> Result<JournalHolds, String>) -> Self {
        Self {
            path,
            verify,
            chronicle: Arc::default(),
        }
    }

    /// Reads what there is, so that the first look at a page need not. Blocks, and ends early once `ended` says so. What cannot
    /// be read is no trouble here: who looks at a page is told.
    pub fn read_ahead(&self, ended: impl Fn() -> bool) {
        while !ended() {
            match self.chronicle.read_piece(&self.path) {
                Ok(More::Perhaps) => std::thread::yield_now(),
                Ok(More::Not) | Err(_) => return,
            }
        }
    }
}

/// A chain that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalHolds {
    /// Entries in it.
    pub entries: u64,
    /// Hash of the last.
    pub last_hash: String,
    /// Bytes of an unfinished last line that was never acknowledged.
    pub torn_bytes: u64,
}

/// Whether more may stand in the file than was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum More {
    Perhaps,
    Not,
}

/// What is known of the file so far.
#[derive(Debug, Default)]
pub(crate) struct Chronicle(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    /// Bytes that were read: whole lines only.
    end: u64,
    lines: u64,
    /// Where line 1, 65, 129, … begin.
    marks: Vec<u64>,
    incidents: BTreeMap<u32, Told>,
}

#[derive(Debug)]
struct Told {
    record: IncidentRecord,
    /// Where its lines begin.
    at: Vec<u64>,
}

/// One page of incidents, newest first.
#[derive(Debug, Default)]
pub(crate) struct IncidentPage {
    pub(crate) rows: Vec<IncidentRecord>,
    pub(crate) all: usize,
    /// The next page holds what is older than this.
    pub(crate) next: Option<u32>,
}

/// One page of the journal, newest first.
#[derive(Debug, Default)]
pub(crate) struct JournalPage {
    pub(crate) rows: Vec<Entry>,
    pub(crate) all: u64,
    pub(crate) next: Option<u64>,
}

impl Chronicle {
    fn read_piece(&self, path: &Path) -> io::Result<More> {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        book.read_some(path, PIECE)
    }

    /// Lines that were read, of whatever kind; none while somebody reads, since nobody is kept waiting here.
    pub(crate) fn lines_read(&self) -> Option<u64> {
        self.0.try_lock().ok().map(|book| book.lines)
    }

    /// Incidents with a number below `before`, `limit` of them. Blocks while the file is read.
    pub(crate) fn incidents(
        &self,
        path: &Path,
        before: Option<u32>,
        limit: usize,
    ) -> io::Result<IncidentPage> {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        book.read_on(path)?;
        let older = book.incidents.range(..before.unwrap_or(u32::MAX));
        let mut rows: Vec<IncidentRecord> = older
            .rev()
            .take(limit.saturating_add(1))
            .map(|(_, told)| told.record.clone())
            .collect();
        let more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().map(|row| row.incident.get());
        Ok(IncidentPage {
            rows,
            all: book.incidents.len(),
            next: last.filter(|_| more),
        })
    }

    /// One incident and its lines in their order; none where there is no such incident. Blocks.
    pub(crate) fn incident(
        &self,
        path: &Path,
        number: u32,
    ) -> io::Result<Option<(IncidentRecord, Vec<Entry>)>> {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        book.read_on(path)?;
        let Some(told) = book.incidents.get(&number) else {
            return Ok(None);
        };
        let mut file = BufReader::new(File::open(path)?);
        let mut entries = Vec::new();
        for at in &told.at {
            file.seek(SeekFrom::Start(*at))?;
            let mut line = Vec::new();
            file.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
            entries.extend(Entry::read(&line));
        }
        Ok(Some((told.record.clone(), entries)))
    }

    /// Lines with a number below `before`, `limit` of them. Blocks.
    pub(crate) fn lines(
        &self,
        path: &Path,
        before: Option<u64>,
        limit: u64,
    ) -> io::Result<JournalPage> {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        book.read_on(path)?;
        let last = before.map_or(book.lines, |n| n.saturating_sub(1).min(book.lines));
        let first = last.saturating_sub(limit);
        let mark = usize::try_from(first / STEP).unwrap_or(usize::MAX);
        let Some(start) = book.marks.get(mark).copied() else {
            return Ok(JournalPage::default());
        };
        let mut file = BufReader::new(File::open(path)?);
        file.seek(SeekFrom::Start(start))?;
        let mut rows = Vec::new();
        let mut line = Vec::new();
        for at in first / STEP * STEP..last {
            line.clear();
            file.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
            if at >= first {
                rows.extend(Entry::read(&line));
            }
        }
        rows.reverse();
        Ok(JournalPage {
            rows,
            all: book.lines,
            next: (first > 0).then_some(first + 1),
        })
    }
}

impl Book {
    fn read_on(&mut self, path: &Path) -> io::Result<()> {
        self.read_some(path, usize::MAX).map(|_| ())
    }

    /// At most `most` more lines.
    fn read_some(&mut self, path: &Path, most: usize) -> io::Result<More> {
        let mut file = File::open(path)?;
        if file.metadata()?.len() < self.end {
            // Another file in its place, or a torn line taken off: begin anew.
            *self = Self::default();
        }
        file.seek(SeekFrom::Start(self.end))?;
        let mut file = BufReader::with_capacity(256 * 1024, file);
        let mut line = Vec::new();
        for _ in 0..most {
            line.clear();
            let read = file.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
            if line.last() != Some(&b'\n') {
                // The end, or a line that is being written.
                return Ok(More::Not);
            }
            self.take(&line);
            self.end = self.end.saturating_add(read as u64);
        }
        Ok(More::Perhaps)
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each kind of entry")]
    fn take(&mut self, line: &[u8]) {
        if self.lines.is_multiple_of(STEP) {
            self.marks.push(self.end);
        }
        self.lines += 1;
        let Some(entry) = Entry::read(line) else {
            return;
        };
        let (at, end) = (entry.at, self.end);
        match entry.event {
            Event::Cut {
                repeated: true,
                incident,
                ..
            } => self.note(incident, end),
            Event::Cut {
                incident,
                scope,
                by,
                via,
                why,
                ..
            } => {
                self.begin(incident, scope, at, format!("{by} ({via})"), why);
            }
            Event::PeerCut {
                incident,
                scope,
                peer,
            } => {
                self.begin(
                    incident,
                    scope,
                    at,
                    format!("kill switch {peer}"),
                    String::new(),
                );
            }
            Event::Proved {
                incident,
                streams,
                ref proof,
                ..
            } => {
                self.note(incident, end);
                if let Some(told) = self.incidents.get_mut(&incident.get()) {
                    let record = &mut told.record;
                    record.streams = record.streams.saturating_add(streams);
                    if record.proof.is_none() || proof.probes > 0 {
                        record.proof = Some(proof.clone());
                    }
                }
            }
            Event::Restored {
                incident, by, via, ..
            } => {
                self.end(
                    incident,
                    Some(IncidentEnd {
                        at,
                        by: format!("{by} ({via})"),
                    }),
                );
            }
            Event::PeerRestored { incident, peer, .. } => {
                let by = format!("kill switch {peer}");
                self.end(incident, Some(IncidentEnd { at, by }));
            }
            Event::NotRestored { incident, .. } => self.end(incident, None),
            Event::Held { incident, .. } => self.note(incident, end),
            Event::Started { .. }
            | Event::Feigned { .. }
            | Event::CheckedIn { .. }
            | Event::CheckInDue { .. }
            | Event::Drilled { .. }
            | Event::Alarm { .. }
            | Event::Refused { .. }
            | Event::Agent { .. }
            | Event::Channel { .. }
            | Event::Unlocked
            | Event::People { .. }
            | Event::Other => {}
        }
    }

    fn begin(
        &mut self,
        incident: Incident,
        scope: kill_wire::Scope,
        since: Timestamp,
        by: String,
        why: String,
    ) {
        let record = IncidentRecord {
            incident,
            scope,
            since,
            by,
            why,
            proof: None,
            streams: 0,
            ended: None,
        };
        let at = vec![self.end];
        self.incidents.insert(incident.get(), Told { record, at });
        if self.incidents.len() > INCIDENTS {
            self.incidents.pop_first();
        }
    }

    fn end(&mut self, incident: Incident, ended: Option<IncidentEnd>) {
        self.note(incident, self.end);
        if let Some(told) = self.incidents.get_mut(&incident.get()) {
            told.record.ended = ended;
        }
    }

    fn note(&mut self, incident: Incident, line: u64) {
        if let Some(told) = self.incidents.get_mut(&incident.get())
            && told.at.len() < LINES
        {
            told.at.push(line);
        }
    }
}

#[cfg(test)]
mod tests;
