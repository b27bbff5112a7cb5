//! A crash after any byte of a write, and files that are no buffer.

use crate::{line, push, push_many, reports};
use host_facts::{Buffer, Found};
use std::path::Path;

/// What a buffer says after it was opened: what it hands out, and which number comes next.
type State = (Vec<u64>, u64);

fn state(path: &Path) -> State {
    let buffer = Buffer::open(path, 1 << 20).unwrap();
    let there = reports(&buffer, 0)
        .iter()
        .map(|report| report.seq)
        .collect();
    (there, buffer.next_seq())
}

/// Does one thing to a buffer and then, for each byte at which the disk may have stopped, looks what a restart finds.
fn at_every_byte(prepare: impl Fn(&mut Buffer), act: impl Fn(&mut Buffer)) -> (State, State) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("reports");
    let mut buffer = Buffer::open(&path, 1 << 20).unwrap();
    prepare(&mut buffer);
    let old = std::fs::read(&path).unwrap();
    act(&mut buffer);
    drop(buffer);
    let new = std::fs::read(&path).unwrap();
    let after = state(&path);
    std::fs::write(&path, &old).unwrap();
    let before = state(&path);
    assert_ne!(before, after);
    let differs = |at: &usize| old.get(*at) != new.get(*at);
    let (first, last) = (
        (0..new.len()).find(differs).unwrap(),
        (0..new.len()).rev().find(differs).unwrap(),
    );
    for stopped in first..=last + 1 {
        // What was written so far, and what stood behind it before.
        let mut torn = new.get(..stopped).unwrap().to_vec();
        torn.extend_from_slice(old.get(stopped..).unwrap_or_default());
        std::fs::write(&path, &torn).unwrap();
        let found = state(&path);
        assert!(
            found == before || found == after,
            "stopped at {stopped}: {found:?}"
        );
    }
    (before, after)
}

#[test]
fn a_crash_at_any_byte_of_a_push_loses_at_most_that_report() {
    let (before, after) = at_every_byte(
        |buffer| push_many(buffer, 3, 5),
        |buffer| push_many(buffer, 1, 5),
    );
    assert_eq!(before, (vec![1, 2, 3], 4));
    assert_eq!(after, (vec![1, 2, 3, 4], 5));
}

#[test]
fn a_crash_at_any_byte_of_taking_note_hands_out_too_much_and_never_too_little() {
    let (before, after) = at_every_byte(
        |buffer| push_many(buffer, 5, 5),
        |buffer| buffer.through(3).unwrap(),
    );
    assert_eq!((before.0.len(), before.1), (5, 6));
    assert_eq!(after, (vec![4, 5], 6));
}

#[test]
fn a_crash_when_all_is_done_with_never_turns_the_numbers_back() {
    let (before, after) = at_every_byte(
        |buffer| push_many(buffer, 5, 5),
        |buffer| buffer.through(5).unwrap(),
    );
    assert_eq!((before.0.len(), before.1), (5, 6));
    assert_eq!(after, (vec![], 6));
    // The next report takes the place of the first.
    let (before, after) = at_every_byte(
        |buffer| {
            push_many(buffer, 5, 5);
            buffer.through(5).unwrap();
        },
        |buffer| push_many(buffer, 1, 5),
    );
    assert_eq!(before, (vec![], 6));
    assert_eq!(after, (vec![6], 7));
}

#[test]
fn a_crash_while_reports_are_packed_together_loses_none_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("reports");
    let mut buffer = Buffer::open(&path, 1 << 20).unwrap();
    push_many(&mut buffer, 64, 5);
    let old = std::fs::read(&path).unwrap();
    // The 65th comes behind the batch that the 64 before it are packed into.
    push(&mut buffer, 5);
    drop(buffer);
    let new = std::fs::read(&path).unwrap();
    let all: Vec<u64> = (1..=64).collect();
    for stopped in (old.len()..=new.len()).step_by(3).chain([new.len()]) {
        std::fs::write(&path, &new[..stopped]).unwrap();
        let (found, next) = state(&path);
        assert_eq!(found[..64], all, "stopped at {stopped}");
        assert_eq!(next, if stopped == new.len() { 66 } else { 65 });
    }
}

#[test]
fn a_bit_that_flips_costs_what_stands_behind_it_and_no_panic() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("reports");
    let mut buffer = Buffer::open(&path, 1 << 20).unwrap();
    push_many(&mut buffer, 4, 5);
    drop(buffer);
    let whole = std::fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(2) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&path, &bytes).unwrap();
        let (found, next) = state(&path);
        assert!(
            found.iter().copied().eq(1..=found.len() as u64),
            "{found:?}"
        );
        assert!(next > found.len() as u64);
    }
}

#[test]
fn garbage_is_called_so_and_the_numbers_go_on_once_somebody_says_how_far_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("reports");
    for garbage in [&b"hello"[..], &[0xff; 5000], &[0; 2048]] {
        std::fs::write(&path, garbage).unwrap();
        let mut buffer = Buffer::open(&path, 1 << 20).unwrap();
        assert_eq!((buffer.found(), buffer.next_seq()), (Found::Garbage, 1));
        push(&mut buffer, 5);
        buffer.through(8640).unwrap();
        assert_eq!((buffer.next_seq(), buffer.waiting()), (8641, 0));
        push(&mut buffer, 5);
        drop(buffer);
        let buffer = Buffer::open(&path, 1 << 20).unwrap();
        assert_eq!((buffer.found(), buffer.next_seq()), (Found::Buffer, 8642));
    }
    std::fs::remove_file(&path).unwrap();
    assert_eq!(
        Buffer::open(&path, 1 << 20).unwrap().found(),
        Found::Nothing
    );
}

#[test]
fn what_is_no_report_or_has_another_number_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut buffer = Buffer::open(dir.path().join("reports"), 1 << 20).unwrap();
    for wrong in [
        line(2, 0),
        line(0, 0),
        "{}".into(),
        format!("{}\n", line(1, 0)),
    ] {
        assert!(buffer.push(wrong.as_bytes()).is_err(), "{wrong}");
    }
    assert_eq!((buffer.next_seq(), push(&mut buffer, 0)), (1, 1));
}

#[test]
fn two_programs_never_have_it_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("reports");
    let first = Buffer::open(&path, 1 << 20).unwrap();
    assert!(Buffer::open(&path, 1 << 20).is_err());
    drop(first);
    assert!(Buffer::open(&path, 1 << 20).is_ok());
}
