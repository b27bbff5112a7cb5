//! A day without anybody to take the reports, too little room, and a disk that takes no more.

use crate::{follows, line, push, push_many, reports, size};
use host_facts::Buffer;
use std::path::Path;

const MAX: u64 = 2_000_000;

#[test]
fn with_too_little_room_the_old_is_thinned_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("reports");
    let mut buffer = Buffer::open(&path, 150_000).unwrap();
    let mut most = 0;
    for _ in 0..6000 {
        push(&mut buffer, 60);
        most = most.max(size(&path));
    }
    assert!(most <= 150_000, "{most} bytes");
    let there = reports(&buffer, 0);
    let count = follows(&there, 0, 6001);
    assert!((600..5900).contains(&count), "{count} reports are left");
    // What is new is all there, what is old is one of six.
    assert!(there.iter().rev().take(200).all(|report| report.gap == 0));
    assert!(there.iter().any(|report| report.gap == 5));
    drop(buffer);
    let buffer = Buffer::open(&path, 150_000).unwrap();
    assert_eq!(reports(&buffer, 0), there);
    // Once it is taken, so is the room.
    let mut buffer = buffer;
    buffer.through(6000).unwrap();
    push(&mut buffer, 60);
    assert_eq!(reports(&buffer, 6000).len(), 1);
}

#[test]
fn with_room_for_hardly_anything_the_newest_is_still_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("reports");
    let mut buffer = Buffer::open(&path, 0).unwrap();
    for seq in 1..=300_u64 {
        // Nothing that could be packed: 12 KB of figures that never repeat.
        let mut noise = seq;
        let digests: Vec<String> = (0..64)
            .map(|_| {
                noise = noise
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                format!(
                    r#"{{"what":"{noise:x}{:x}","why":"{:x}"}}"#,
                    noise.rotate_left(7) ^ 0x5555,
                    noise.swap_bytes()
                )
            })
            .collect();
        let facts = format!(r#""facts":{{"unknown":[{}]}}"#, digests.join(","));
        let whole = line(seq, 0);
        let (head, _) = whole.split_once(r#""facts""#).unwrap();
        buffer.push(format!("{head}{facts}}}").as_bytes()).unwrap();
        assert!(size(&path) <= 128 * 1024);
    }
    let there = reports(&buffer, 0);
    assert!(follows(&there, 0, 301) >= 3);
}

#[test]
fn a_part_is_never_more_than_asked_for_but_for_one_report() {
    let dir = tempfile::tempdir().unwrap();
    let mut buffer = Buffer::open(dir.path().join("reports"), MAX).unwrap();
    push_many(&mut buffer, 200, 40);
    let (mut done, mut parts) = (0, 0);
    loop {
        let part = buffer.after(done, 5000).unwrap();
        if part.is_empty() {
            break;
        }
        assert!(part.len() <= 5000);
        parts += 1;
        done = crate::parsed(&part).last().unwrap().seq;
        buffer.through(done).unwrap();
    }
    assert_eq!(done, 200);
    assert!(parts > 5);
    push(&mut buffer, 40);
    assert_eq!(crate::parsed(&buffer.after(200, 1).unwrap()).len(), 1);
}

/// A filesystem of its own that is soon full; none where this user may not mount.
#[expect(clippy::disallowed_methods, reason = "a test mounts a file system")]
fn small_disk(at: &Path) -> Option<Mounted> {
    let done = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=256k", "portcullis-test"])
        .arg(at)
        .status();
    done.is_ok_and(|status| status.success())
        .then(|| Mounted(at.to_owned()))
}

struct Mounted(std::path::PathBuf);

impl Drop for Mounted {
    #[expect(clippy::disallowed_methods, reason = "a test unmounts what it mounted")]
    fn drop(&mut self) {
        drop(std::process::Command::new("umount").arg(&self.0).status());
    }
}

#[test]
fn a_full_disk_takes_nothing_from_a_host_whose_reports_are_taken() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = small_disk(dir.path()) else {
        eprintln!("skipped: this user may not mount a filesystem");
        return;
    };
    let mut buffer = Buffer::open(dir.path().join("reports"), MAX).unwrap();
    for _ in 0..3 {
        let seq = push(&mut buffer, 40);
        buffer.through(seq).unwrap();
    }
    std::fs::write(dir.path().join("filler"), vec![1; 1 << 20]).unwrap_err();
    for _ in 0..50 {
        let seq = push(&mut buffer, 40);
        assert_eq!(reports(&buffer, seq - 1).len(), 1);
        buffer.through(seq).unwrap();
    }
    // Nobody takes them any more: the first finds the place of the one before it, the others none.
    let mut refused = 0;
    for _ in 0..40 {
        let seq = buffer.next_seq();
        refused += usize::from(buffer.push(line(seq, 40).as_bytes()).is_err());
    }
    assert!(refused > 20, "{refused}");
    let next = buffer.next_seq();
    assert_eq!(next, 94);
    assert!(follows(&reports(&buffer, 53), 53, next) >= 16);
    std::fs::remove_file(dir.path().join("filler")).unwrap();
    push(&mut buffer, 40);
    let there = reports(&buffer, 53);
    drop(buffer);
    let buffer = Buffer::open(dir.path().join("reports"), MAX).unwrap();
    assert_eq!(reports(&buffer, 53), there);
    assert!(there.iter().any(|report| report.gap > 0));
    drop((buffer, disk));
}
