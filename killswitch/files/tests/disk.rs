//! A full and a read-only file system, really mounted; skipped with a reason where mounting is not permitted.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kill_files::{Loaded, Reserve, Slots, write_atomic};
use std::io::ErrorKind;
use std::path::Path;

/// A small memory file system, unmounted when dropped.
struct Mount {
    dir: tempfile::TempDir,
}

#[expect(clippy::disallowed_methods, reason = "a test mounts a file system")]
fn run(program: &str, words: &[&str]) -> Result<(), String> {
    let output = std::process::Command::new(program)
        .args(words)
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

impl Mount {
    fn new() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().to_str().unwrap().to_owned();
        match run("mount", &["-t", "tmpfs", "-o", "size=1m", "tmpfs", &path]) {
            Ok(()) => Some(Self { dir }),
            Err(why) => {
                eprintln!("skipped: no file system can be mounted here: {why}");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn fill(&self) {
        let file = std::fs::File::create(self.path().join("filler")).unwrap();
        let error = std::io::copy(&mut std::io::repeat(b'x'), &mut &file).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
    }

    fn read_only(&self) {
        let path = self.path().to_str().unwrap();
        run("mount", &["-o", "remount,ro", path]).unwrap();
    }

    fn writable(&self) {
        let path = self.path().to_str().unwrap();
        run("mount", &["-o", "remount,rw", path]).unwrap();
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let path = self.path().to_str().unwrap();
        run("umount", &["-l", path]).unwrap();
    }
}

#[test]
fn a_full_disk_stops_no_write_into_slots() {
    let Some(mount) = Mount::new() else { return };
    let mut slots = Slots::create(mount.path(), "latch", b"zero").unwrap();
    let mut reserve = Reserve::create(mount.path(), 100_000).unwrap();
    mount.fill();
    for n in 0..20 {
        slots.write("x".repeat(n * 3000).as_bytes()).unwrap();
    }
    slots.write(b"last").unwrap();
    let (_, loaded) = Slots::open(mount.path(), "latch").unwrap();
    assert_eq!(loaded, Loaded::Good(b"last".to_vec()));
    let people = mount.path().join("people.json");
    let error = write_atomic(&people, &[b'p'; 9000], 0o600).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert!(!mount.path().join(".people.json.new").exists());
    reserve.release().unwrap();
    write_atomic(&people, &[b'p'; 9000], 0o600).unwrap();
    mount.fill();
    assert_eq!(reserve.refill().unwrap_err().kind(), ErrorKind::StorageFull);
    assert!(!reserve.held());
    std::fs::remove_file(mount.path().join("filler")).unwrap();
    reserve.refill().unwrap();
}

#[test]
fn a_damaged_slot_on_a_full_disk_is_doubt_and_comes_back_when_there_is_room() {
    let Some(mount) = Mount::new() else { return };
    drop(Slots::create(mount.path(), "latch", b"zero").unwrap());
    std::fs::write(mount.path().join("latch.a"), "").unwrap();
    mount.fill();
    let (mut slots, loaded) = Slots::open(mount.path(), "latch").unwrap();
    assert!(
        matches!(
            loaded,
            Loaded::Doubtful {
                newest: Some(_),
                ..
            }
        ),
        "{loaded:?}"
    );
    assert!(slots.write(b"one").is_err());
    std::fs::remove_file(mount.path().join("filler")).unwrap();
    slots.write(b"two").unwrap();
    let (_, loaded) = Slots::open(mount.path(), "latch").unwrap();
    assert_eq!(loaded, Loaded::Good(b"two".to_vec()));
}

#[test]
fn a_read_only_disk_can_be_read_and_takes_writes_once_it_is_writable() {
    let Some(mount) = Mount::new() else { return };
    drop(Slots::create(mount.path(), "latch", b"zero").unwrap());
    mount.read_only();
    let (mut slots, loaded) = Slots::open(mount.path(), "latch").unwrap();
    assert_eq!(loaded, Loaded::Good(b"zero".to_vec()));
    assert_eq!(
        slots.write(b"one").unwrap_err().kind(),
        ErrorKind::ReadOnlyFilesystem
    );
    mount.writable();
    slots.write(b"two").unwrap();
    let (_, loaded) = Slots::open(mount.path(), "latch").unwrap();
    assert_eq!(loaded, Loaded::Good(b"two".to_vec()));
}
