//! The state folder: making it, opening it, and saying what is wrong with it. Doubt comes up cut.

use crate::incidents::Incidents;
use crate::journal::{Head, Journal};
use crate::recorder::{Files, SlotForm};
use anyhow::Context as _;
use data_encoding::HEXLOWER;
use kill_core::{Memory, People};
use kill_files::{Loaded, Reserve, Slots};
use kill_wire::SigningKey;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const STEM: &str = "latch";
const RESERVE_BYTES: u64 = 1024 * 1024;

/// File names inside the state folder.
pub(crate) fn journal_file(dir: &Path) -> PathBuf {
    dir.join("journal.jsonl")
}

/// The people and their keys.
pub(crate) fn people_file(dir: &Path) -> PathBuf {
    dir.join("people.json")
}

fn key_file(dir: &Path) -> PathBuf {
    dir.join("order.key")
}

/// Makes a fresh state in an existing folder: key, latch, journal, reserve. Fails if any of it is there.
pub fn create_state(dir: &Path, order_key: &SigningKey) -> io::Result<()> {
    let hex = Zeroizing::new(HEXLOWER.encode(order_key.as_bytes()) + "\n");
    kill_files::write_atomic(&key_file(dir), hex.as_bytes(), 0o600)?;
    Journal::create(&journal_file(dir))?;
    Slots::create(dir, STEM, &slot(&Memory::fresh())?)?;
    Reserve::create(dir, RESERVE_BYTES)?;
    Ok(())
}

fn slot(memory: &Memory) -> io::Result<Vec<u8>> {
    let memory: Box<serde_json::value::RawValue> = serde_json::from_str(&memory.to_json())?;
    Ok(serde_json::to_vec_pretty(&SlotForm {
        journal: Head::default(),
        memory,
    })?)
}

/// What was found at start.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) memory: Memory,
    pub(crate) people: People,
    pub(crate) incidents: Incidents,
    pub(crate) files: Files,
    /// Each is a reason to come up cut.
    pub(crate) doubts: Vec<String>,
}

/// Reads the key that signs orders. Without it no order can be made, and the agents' lease closes everything.
pub(crate) fn read_key(dir: &Path) -> Result<SigningKey, String> {
    let file = key_file(dir);
    let text = fs::read_to_string(&file)
        .map(Zeroizing::new)
        .map_err(|why| format!("{}: {why}", file.display()))?;
    let raw = HEXLOWER
        .decode(text.trim().as_bytes())
        .map(Zeroizing::new)
        .ok();
    let seed: Option<[u8; 32]> = raw.and_then(|raw| raw.as_slice().try_into().ok());
    seed.map(|seed| SigningKey::from_bytes(&seed))
        .ok_or_else(|| format!("{}: expected 64 hexadecimal digits", file.display()))
}

/// Keeps every other process away from this folder for as long as it is held; the kernel gives it back however the process
/// ends. Two kill switches of one key and one number would order past each other.
pub(crate) fn lock(dir: &Path) -> anyhow::Result<fs::File> {
    let file = key_file(dir);
    let held = fs::File::open(&file).with_context(|| format!("cannot open {}", file.display()))?;
    match held.try_lock() {
        Err(fs::TryLockError::WouldBlock) => anyhow::bail!(
            "the kill switch of {} runs already in another process; stop it first",
            dir.display()
        ),
        // A file system without locks is no reason to have no kill switch.
        Err(fs::TryLockError::Error(why)) => {
            tracing::warn!(%why, "The state folder cannot be locked.");
        }
        Ok(()) => {}
    }
    Ok(held)
}

/// Reads people and keys.
pub(crate) fn read_people(file: &Path) -> Result<People, String> {
    let text = fs::read_to_string(file)
        .map(Zeroizing::new)
        .map_err(|why| format!("{}: {why}", file.display()))?;
    People::parse(&text).map_err(|why| format!("{}: {why}", file.display()))
}

/// Opens everything there is. Never fails: what is missing or garbled becomes a doubt.
pub(crate) fn open(dir: &Path) -> Opened {
    let mut doubts = Vec::new();
    let (slots, kept) = open_slots(dir, &mut doubts);
    let (memory, head) = kept.unwrap_or_else(|| (Memory::fresh(), Head::default()));
    let people = read_people(&people_file(dir)).unwrap_or_else(|why| {
        doubts.push(format!("people cannot be read: {why}"));
        People::default()
    });
    let mut incidents = Incidents::default();
    let journal = open_journal(dir, &head, &mut incidents, &mut doubts);
    // A restore that was journalled and never in force: the latch says what is.
    for latch in memory.latches().as_slice() {
        incidents.goes_on(latch.incident);
    }
    let reserve = Reserve::create(dir, RESERVE_BYTES).ok();
    Opened {
        memory,
        people,
        incidents,
        files: Files::new(slots, journal, reserve),
        doubts,
    }
}

fn open_slots(
    dir: &Path,
    doubts: &mut Vec<String>,
) -> (Result<Slots, String>, Option<(Memory, Head)>) {
    match Slots::open(dir, STEM) {
        Ok((slots, Loaded::Good(payload))) => {
            let kept = parse(&payload);
            if let Err(why) = &kept {
                doubts.push(format!("latch file: {why}"));
            }
            (Ok(slots), kept.ok())
        }
        Ok((slots, Loaded::Doubtful { newest, why })) => {
            doubts.push(format!("latch file: {why}"));
            (Ok(slots), newest.and_then(|payload| parse(&payload).ok()))
        }
        Err(why) => {
            let why = format!("latch file cannot be opened: {why}");
            doubts.push(why.clone());
            (Err(why), None)
        }
    }
}

fn parse(payload: &[u8]) -> Result<(Memory, Head), String> {
    let form: SlotForm<&serde_json::value::RawValue> =
        serde_json::from_slice(payload).map_err(|why| why.to_string())?;
    let memory = Memory::parse(form.memory.get().as_bytes()).map_err(|why| why.to_string())?;
    Ok((memory, form.journal))
}

fn open_journal(
    dir: &Path,
    head: &Head,
    incidents: &mut Incidents,
    doubts: &mut Vec<String>,
) -> Result<Journal, String> {
    let file = journal_file(dir);
    let mut reached = head.n == 0;
    let opened = Journal::open(&file, |entry| {
        incidents.take(entry.at, &entry.event);
        reached |= entry.n == head.n;
    });
    match opened {
        Ok(journal) if reached && holds(&journal, head) => Ok(journal),
        Ok(journal) => {
            doubts.push(format!("journal ends at entry {} but the latch file knows entry {}: it was cut short or replaced", journal.head().n, head.n));
            Ok(journal)
        }
        Err(broken) => {
            doubts.push(broken.to_string());
            start_anew(&file)
        }
    }
}

/// The same number with another hash is another journal. A journal further on than the latch file is the usual crash.
fn holds(journal: &Journal, head: &Head) -> bool {
    journal.head().n != head.n || journal.head().hash == head.hash
}

/// Puts a broken journal aside, untouched, and begins a new one.
fn start_anew(file: &Path) -> Result<Journal, String> {
    let aside = (1..1000)
        .map(|n| file.with_extension(format!("jsonl.bad-{n}")))
        .find(|aside| !aside.exists());
    if let Some(aside) = aside.filter(|_| file.exists()) {
        fs::rename(file, aside)
            .map_err(|why| format!("a broken journal cannot be put aside: {why}"))?;
    }
    Journal::create(file).map_err(|why| format!("a new journal cannot be made: {why}"))?;
    Journal::open(file, |_| ()).map_err(|broken| broken.to_string())
}
