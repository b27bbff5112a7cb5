//! What was written last is read back, or it is called doubtful; no damage passes for good state.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kill_files::{Loaded, MAX_PAYLOAD, SLOT_BYTES, Slots};
use proptest::prelude::*;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

fn open(dir: &Path) -> (Slots, Loaded) {
    Slots::open(dir, "latch").unwrap()
}

fn good(text: &str) -> Loaded {
    Loaded::Good(text.as_bytes().to_vec())
}

fn doubt(loaded: &Loaded) -> Option<&[u8]> {
    match loaded {
        Loaded::Good(payload) => panic!("good: {:?}", String::from_utf8_lossy(payload)),
        Loaded::Doubtful { newest, why } => {
            assert!(!why.is_empty());
            newest.as_deref()
        }
    }
}

/// Leaves `one` in slot `a` and `two`, the newest, in slot `b`.
fn written(dir: &Path) {
    let mut slots = Slots::create(dir, "latch", b"zero").unwrap();
    slots.write(b"one").unwrap();
    slots.write(b"two").unwrap();
    let text = |name| std::fs::read_to_string(dir.join(name)).unwrap();
    assert!(text("latch.a").contains("seq 2\n") && text("latch.a").contains("one"));
    assert!(text("latch.b").contains("seq 3\n") && text("latch.b").contains("two"));
}

#[test]
fn the_newest_write_is_read_back_each_time() {
    let dir = tempfile::tempdir().unwrap();
    drop(Slots::create(dir.path(), "latch", b"zero").unwrap());
    assert_eq!(open(dir.path()).1, good("zero"));
    for n in 0..7 {
        let (mut slots, _) = open(dir.path());
        // Longer, then shorter: nothing of the longer one may stay behind.
        let text = "x".repeat(if n % 3 == 0 { 9000 } else { n });
        slots.write(text.as_bytes()).unwrap();
        slots.write(format!("{text}.").as_bytes()).unwrap();
        assert_eq!(open(dir.path()).1, good(&format!("{text}.")));
    }
}

#[test]
fn slots_are_private_allocated_and_never_made_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut slots = Slots::create(dir.path(), "latch", b"zero").unwrap();
    for name in ["latch.a", "latch.b"] {
        let meta = std::fs::metadata(dir.path().join(name)).unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, 0o600);
        assert_eq!(meta.len(), SLOT_BYTES as u64);
        assert!(meta.blocks() * 512 >= SLOT_BYTES as u64);
    }
    assert!(Slots::create(dir.path(), "latch", b"other").is_err());
    assert!(slots.write(&vec![0; MAX_PAYLOAD + 1]).is_err());
    slots.write(&vec![0xff; MAX_PAYLOAD]).unwrap();
    assert_eq!(open(dir.path()).1, Loaded::Good(vec![0xff; MAX_PAYLOAD]));
    assert!(Slots::open(dir.path(), "../latch").is_err());
}

#[test]
fn every_damaged_byte_of_either_slot_is_doubt() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path());
    for (name, left) in [("latch.a", "two"), ("latch.b", "one")] {
        let path = dir.path().join(name);
        let whole = std::fs::read(&path).unwrap();
        // Every byte that means something, then padding near the start and the very end.
        for at in (0..220).chain([4096, SLOT_BYTES / 2, SLOT_BYTES - 1]) {
            for bit in [1_u8, 0x80] {
                let mut bytes = whole.clone();
                bytes[at] ^= bit;
                std::fs::write(&path, &bytes).unwrap();
                let (_, loaded) = open(dir.path());
                assert_eq!(doubt(&loaded), Some(left.as_bytes()), "{name} byte {at}");
                // The damaged file is kept for someone to look at, and the doubt outlives a restart.
                let aside = dir.path().join(format!("{name}.bad-1"));
                assert_eq!(std::fs::read(&aside).unwrap(), bytes);
                assert_eq!(doubt(&open(dir.path()).1), Some(left.as_bytes()));
                std::fs::remove_file(&aside).unwrap();
            }
        }
        std::fs::write(&path, &whole).unwrap();
        assert_eq!(open(dir.path()).1, good("two"));
    }
}

#[test]
fn a_slot_cut_short_or_too_long_is_doubt() {
    for length in [
        0,
        1,
        60,
        117,
        4096,
        SLOT_BYTES - 1,
        SLOT_BYTES + 1,
        10 * SLOT_BYTES,
    ] {
        let dir = tempfile::tempdir().unwrap();
        written(dir.path());
        let file = std::fs::File::options()
            .write(true)
            .open(dir.path().join("latch.b"))
            .unwrap();
        file.set_len(length as u64).unwrap();
        let (mut slots, loaded) = open(dir.path());
        assert_eq!(doubt(&loaded), Some(&b"one"[..]), "{length}");
        slots.write(b"three").unwrap();
        assert_eq!(open(dir.path()).1, good("three"));
    }
}

#[test]
fn a_missing_slot_is_doubt_until_the_next_write() {
    for (name, left) in [("latch.a", "two"), ("latch.b", "one")] {
        let dir = tempfile::tempdir().unwrap();
        written(dir.path());
        std::fs::remove_file(dir.path().join(name)).unwrap();
        drop(open(dir.path()));
        let (mut slots, loaded) = open(dir.path());
        assert_eq!(doubt(&loaded), Some(left.as_bytes()));
        slots.write(b"three").unwrap();
        assert_eq!(open(dir.path()).1, good("three"));
    }
}

#[test]
fn no_slot_at_all_is_doubt_and_one_write_mends_both() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path());
    for name in ["latch.a", "latch.b"] {
        std::fs::write(dir.path().join(name), "garbage").unwrap();
    }
    let (mut slots, loaded) = open(dir.path());
    assert_eq!(doubt(&loaded), None);
    slots.write(b"fresh").unwrap();
    assert_eq!(open(dir.path()).1, good("fresh"));
    std::fs::remove_dir_all(dir.path()).unwrap();
    let (mut slots, loaded) = open(dir.path());
    assert_eq!(doubt(&loaded), None);
    slots.write(b"again").unwrap();
    assert_eq!(open(dir.path()).1, good("again"));
}

#[test]
fn an_older_copy_of_one_slot_is_doubt() {
    let dir = tempfile::tempdir().unwrap();
    let mut slots = Slots::create(dir.path(), "latch", b"zero").unwrap();
    let old = std::fs::read(dir.path().join("latch.b")).unwrap();
    for text in ["one", "two", "three", "four"] {
        slots.write(text.as_bytes()).unwrap();
    }
    std::fs::write(dir.path().join("latch.b"), old).unwrap();
    let (mut slots, loaded) = open(dir.path());
    assert_eq!(doubt(&loaded), Some(&b"three"[..]));
    slots.write(b"five").unwrap();
    assert_eq!(open(dir.path()).1, good("five"));
}

#[test]
fn odd_things_in_place_of_a_slot_are_doubt_not_a_trap() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path());
    let target = dir.path().join("elsewhere");
    std::fs::copy(dir.path().join("latch.b"), &target).unwrap();
    std::fs::remove_file(dir.path().join("latch.b")).unwrap();
    std::os::unix::fs::symlink(&target, dir.path().join("latch.b")).unwrap();
    assert_eq!(doubt(&open(dir.path()).1), Some(&b"one"[..]));
    std::fs::remove_file(dir.path().join("latch.b")).unwrap();
    std::fs::create_dir(dir.path().join("latch.b")).unwrap();
    let (mut slots, loaded) = open(dir.path());
    assert_eq!(doubt(&loaded), Some(&b"one"[..]));
    slots.write(b"three").unwrap();
    assert_eq!(open(dir.path()).1, good("three"));
    rustix::fs::mknodat(
        rustix::fs::CWD,
        dir.path().join("pipe.a"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    let (_, loaded) = Slots::open(dir.path(), "pipe").unwrap();
    assert_eq!(doubt(&loaded), None);
}

#[test]
fn a_write_that_breaks_off_costs_only_the_older_slot() {
    let long = "L".repeat(6000);
    for prefix in [1, 18, 30, 100, 117, 121, 3000, 6107] {
        let dir = tempfile::tempdir().unwrap();
        written(dir.path());
        // What a write of `long` would have put into the older slot, up to where it broke off.
        let other = tempfile::tempdir().unwrap();
        written(other.path());
        open(other.path()).0.write(long.as_bytes()).unwrap();
        let image = std::fs::read(other.path().join("latch.a")).unwrap();
        let file = std::fs::File::options()
            .write(true)
            .open(dir.path().join("latch.a"))
            .unwrap();
        file.write_all_at(&image[..prefix], 0).unwrap();
        let (mut slots, loaded) = open(dir.path());
        match (&loaded, prefix) {
            // Nothing but the same first bytes were written: nothing changed.
            (Loaded::Good(payload), 1 | 18) => assert_eq!(payload, b"two"),
            _ => assert_eq!(doubt(&loaded), Some(&b"two"[..]), "{prefix}"),
        }
        slots.write(b"three").unwrap();
        assert_eq!(open(dir.path()).1, good("three"));
    }
}

#[test]
fn slots_deleted_or_replaced_while_open_are_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut slots = Slots::create(dir.path(), "latch", b"zero").unwrap();
    std::fs::remove_file(dir.path().join("latch.a")).unwrap();
    std::fs::write(dir.path().join("latch.b"), "cut short").unwrap();
    slots.write(b"one").unwrap();
    assert_eq!(open(dir.path()).1, good("one"));
    slots.write(b"two").unwrap();
    assert_eq!(open(dir.path()).1, good("two"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_garbage_is_ever_good(a in proptest::collection::vec(any::<u8>(), 0..400), b in ".{0,80}") {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("latch.a"), a).unwrap();
        std::fs::write(dir.path().join("latch.b"), format!("portcullis-slot 1\nseq {b}")).unwrap();
        let (_, loaded) = open(dir.path());
        prop_assert_eq!(doubt(&loaded), None);
    }
}
