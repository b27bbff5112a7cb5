//! The real program, run as gammu-smsd runs it: through a shell, with the message in its environment.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and it runs the program it tests"
)]

use kill_gammu::Notice;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output};

const HELPER: &str = env!("CARGO_BIN_EXE_kill-gammu");

/// As gammu-smsd 1.42 does: the configured line, a space, and the name of the file, to a shell.
fn received(folder: &Path, line: &str, sender: &[u8], text: &[u8]) -> Output {
    let mut command = format!("{line} IN20261121_104500_00_").into_bytes();
    command.extend_from_slice(sender);
    command.extend_from_slice(b"_00.txt ");
    Command::new("/bin/sh")
        .arg("-c")
        .arg(OsStr::from_bytes(&command))
        .current_dir(folder)
        .env("SMS_MESSAGES", "1")
        .env("SMS_1_NUMBER", OsStr::from_bytes(sender))
        .env("SMS_1_TEXT", OsStr::from_bytes(text))
        .env("DECODED_PARTS", "0")
        .output()
        .unwrap()
}

fn documented(socket: &Path) -> String {
    format!("exec {HELPER} {} #", socket.display())
}

#[test]
fn a_message_reaches_the_socket_and_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("gammu.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let courier = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut line = String::new();
        let mut reader = BufReader::new(stream);
        reader.read_line(&mut line).unwrap();
        reader.into_inner().write_all(b"ok\n").unwrap();
        serde_json::from_str::<Notice>(&line).unwrap()
    });
    let output = received(
        folder.path(),
        &documented(&socket),
        b"+15550001",
        b"KILL \xff",
    );
    assert!(output.status.success());
    assert!(output.stderr.is_empty());
    let notice = courier.join().unwrap();
    assert_eq!(notice.sender, "+15550001");
    assert_eq!(notice.text, "KILL \u{fffd}");
}

#[test]
fn without_a_courier_it_ends_well_and_says_nothing_of_the_message() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("gammu.sock");
    let silent = UnixListener::bind(&socket).unwrap();
    let nobody = folder.path().join("nobody.sock");
    for socket in [&socket, &nobody] {
        let output = received(folder.path(), &documented(socket), b"+15550001", b"KILL 1");
        assert!(output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("inbox"), "{said}");
        assert!(!said.contains("KILL") && !said.contains("15550001"));
    }
    drop(silent);
}

/// What a sender could write, in its name or in its text, to have a shell run `touch`.
const HOSTILE: [&[u8]; 10] = [
    b"$(touch hit)",
    b"`touch hit`",
    b";touch hit;",
    b"\ntouch hit #",
    b"\n\ntouch hit\n",
    b"\"; touch hit; \"",
    b"'; touch hit; '",
    b"| touch hit",
    b"&& touch hit &",
    b"\\\ntouch hit\n\xff",
];

#[test]
fn a_hostile_name_or_text_starts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let line = documented(&folder.path().join("nobody.sock"));
    for bad in HOSTILE {
        received(folder.path(), &line, bad, b"KILL");
        received(folder.path(), &line, b"+15550001", bad);
        received(folder.path(), &line, bad, bad);
    }
    assert!(!folder.path().join("hit").exists());
}

#[test]
fn the_line_without_exec_and_hash_would_run_what_a_sender_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let line = format!("{HELPER} {}/nobody.sock", folder.path().display());
    received(folder.path(), &line, b"$(touch hit)", b"KILL");
    assert!(folder.path().join("hit").exists());
}

#[test]
fn a_program_that_is_not_there_starts_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    for bad in HOSTILE {
        received(folder.path(), "exec ./missing a.sock #", bad, bad);
    }
    assert!(!folder.path().join("hit").exists());
}
