//! gammu-smsd's folders, written as its FILES service writes them, and the socket `kill-gammu` rings at.
//! The real gammu-smsd stands in `tests/stories/test_gammu.py`.

use crate::kill_switch::{KillSwitch, Running, until};
use kill_gammu::Notice;
use kill_wire::ToCourier;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

struct Folders {
    all: tempfile::TempDir,
    inbox: PathBuf,
    outbox: PathBuf,
}

impl Folders {
    fn new() -> Self {
        let all = tempfile::tempdir().unwrap();
        let (inbox, outbox) = (all.path().join("inbox"), all.path().join("outbox"));
        std::fs::create_dir(&inbox).unwrap();
        std::fs::create_dir(&outbox).unwrap();
        Self { all, inbox, outbox }
    }

    fn start(&self, more: &[(&str, String)]) -> Running {
        let mut values = vec![
            ("inbox", self.inbox.display().to_string()),
            ("outbox", self.outbox.display().to_string()),
            ("socket", self.socket().display().to_string()),
        ];
        values.extend_from_slice(more);
        let running = Running::start(self.all.path(), "gammu", &values);
        until("the socket is there", || self.socket().exists());
        running
    }

    fn socket(&self) -> PathBuf {
        self.all.path().join("gammu.sock")
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.inbox.join(name);
        let mut content = vec![0xFE, 0xFF];
        content.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Rings, and gives what is answered.
    fn ring(&self, sender: &str, text: &str) -> String {
        let notice = Notice {
            phone: String::new(),
            sender: sender.into(),
            text: text.into(),
        };
        let mut stream = UnixStream::connect(self.socket()).unwrap();
        let line = serde_json::to_string(&notice).unwrap() + "\n";
        stream.write_all(line.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_nobody_rang_for_is_handed_over_and_deleted_when_taken() {
    let folders = Folders::new();
    let switch = KillSwitch::listen(folders.all.path());
    let _running = folders.start(&[]);
    let file = folders.put("IN20261121_104500_00_+15550001_00.txt", "KILL 12345678");
    let text = switch.text("KILL");
    assert_eq!(text.sender, "+15550001");
    assert_eq!(text.sent, None);
    until("the file is gone", || !file.exists());
    assert_eq!(switch.texts().len(), 1);
}

#[test]
fn what_was_not_taken_stays_and_comes_again_with_the_same_id_after_a_restart() {
    let folders = Folders::new();
    let switch = KillSwitch::listen(folders.all.path());
    switch.take(false);
    let file = folders.put("IN20261121_104500_00_+15550001_00.txt", "KILL 12345678");
    let running = folders.start(&[]);
    let first = switch.text("KILL");
    drop(running);
    assert!(file.exists());
    let before = switch.texts().len();
    switch.take(true);
    let _running = folders.start(&[]);
    until("it came again", || switch.texts().len() > before);
    assert_eq!(switch.texts().last(), Some(&first));
    until("the file is gone", || !file.exists());
}

#[test]
fn a_ring_for_a_message_in_the_folder_hands_it_over_once() {
    let folders = Folders::new();
    let switch = KillSwitch::listen(folders.all.path());
    let _running = folders.start(&[]);
    let file = folders.put("IN20261121_104500_00_+X1_00.txt", "KILL 1234 5678 ü");
    // The name of a file cannot hold `*`, and the daemon's locale no `ü`.
    assert_eq!(folders.ring("+*1", "KILL 1234 5678 ?"), "ok\n");
    until("the file is gone", || !file.exists());
    folders.put("IN20261121_104600_00_+2_00.txt", "STATUS");
    switch.text("STATUS");
    assert_eq!(switch.texts().len(), 2);
}

#[test]
fn a_ring_for_a_message_that_is_nowhere_is_the_message() {
    let folders = Folders::new();
    let switch = KillSwitch::listen(folders.all.path());
    let _running = folders.start(&[]);
    assert_eq!(folders.ring("+15550001", "KILL 12345678"), "ok\n");
    assert_eq!(switch.text("KILL").sender, "+15550001");
    folders.ring("+15550001", "KILL 12345678");
    until("it came again", || switch.texts().len() == 2);
    let texts = switch.texts();
    assert_ne!(
        texts[0].id, texts[1].id,
        "the same words later are another message"
    );
}

#[test]
fn garbage_at_the_socket_harms_nothing() {
    let folders = Folders::new();
    let switch = KillSwitch::listen(folders.all.path());
    let _running = folders.start(&[]);
    for garbage in [&b"\n"[..], b"{}\n", b"\xff\xff", &[b'x'; 70_000]] {
        let mut stream = UnixStream::connect(folders.socket()).unwrap();
        // The other end may hang up in the middle of it.
        stream.write_all(garbage).ok();
        stream.shutdown(std::net::Shutdown::Write).ok();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok();
        assert!(answer.is_empty());
    }
    folders.ring("+1", "STATUS");
    switch.text("STATUS");
    assert_eq!(switch.texts().len(), 1);
}

#[test]
fn the_stamp_in_the_name_is_an_instant_once_the_centre_s_offset_is_known() {
    let folders = Folders::new();
    let switch = KillSwitch::listen(folders.all.path());
    let _running = folders.start(&[("centre_offset", "+01:00".into())]);
    folders.put("IN20240229_003000_00_+1_00.txt", "KILL 12345678");
    let sent = switch.text("KILL").sent;
    assert_eq!(sent.as_deref(), Some("2024-02-28T23:30:00.000Z"));
}

#[test]
fn a_reply_is_a_file_for_gammu_smsd_to_send() {
    let folders = Folders::new();
    let switch = KillSwitch::listen(folders.all.path());
    let _running = folders.start(&[]);
    switch.problem("");
    for (number, to) in [(4_u64, "+15550001"), (5, "Bank")] {
        switch.say(&ToCourier::Reply {
            number,
            channel: "modem".into(),
            to: to.into(),
            text: "CUT ALL".into(),
        });
    }
    switch.wait(|heard| {
        heard
            .contains(&kill_wire::FromCourier::Sent { number: 4 })
            .then_some(())
    });
    let refused = switch.wait(|heard| {
        heard.iter().find_map(|message| {
            if let kill_wire::FromCourier::NotSent { number: 5, why } = message {
                return Some(why.clone());
            }
            None
        })
    });
    assert!(refused.contains("number") && !refused.contains("Bank"));
    assert_eq!(names(&folders.outbox), ["OUTA_+15550001_4.txt"]);
}

#[test]
fn a_folder_that_cannot_be_read_is_said_and_forgotten_when_it_can() {
    let folders = Folders::new();
    let switch = KillSwitch::listen(folders.all.path());
    let away = folders.all.path().join("away");
    std::fs::rename(&folders.inbox, &away).unwrap();
    let _running = folders.start(&[]);
    switch.problem("inbox folder");
    std::fs::rename(&away, &folders.inbox).unwrap();
    switch.problem("");
}
