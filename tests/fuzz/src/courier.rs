//! What the courier and `kill-gammu` read from outside. The first byte says what it is; the rest is as it would come.
//!
//! Files that stand alone are built into this program; the rest is reached by `kill_courier::fuzzing`.
#![no_main]

#[path = "../../../killswitch/courier/src/gammu/inbox.rs"]
#[allow(dead_code, reason = "not all of it is asked here")]
mod inbox;
#[path = "../../../killswitch/courier/src/stamp.rs"]
#[allow(dead_code, reason = "not all of it is asked here")]
mod stamp;

use kill_courier::{ChannelSettings, check, fuzzing, settings};
use kill_gammu::{MAX_NOTICE_LINE, Notice};
use kill_inbound::Channel;
use kill_wire::Timestamp;
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

/// Ends every secret that settings are given.
const SECRET: &str = "9JQkfjQ5Secret";

fn cut(data: &[u8], at: u8) -> (&[u8], &[u8]) {
    let end = data.iter().position(|byte| *byte == at).unwrap_or(data.len());
    let (first, rest) = data.split_at(end);
    (first, rest.get(1..).unwrap_or_default())
}

fn telegram(answer: &[u8]) {
    let Some((numbers, next)) = fuzzing::telegram(answer) else { return };
    let newest = numbers.iter().max().copied();
    assert_eq!(next, newest.map(|number| number.saturating_add(1)));
}

/// However a stream is cut into lines, nothing of it is lost and none is endless.
fn ntfy(stream: &[u8]) {
    let mut read = stream.to_vec();
    let mut lines = Vec::new();
    while let Ok(Some(line)) = fuzzing::ntfy_line(&mut read) {
        assert!(line.ends_with(b"\n"));
        if let Some((id, _)) = fuzzing::ntfy(&line) {
            assert!((1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        }
        lines.extend(line);
    }
    lines.extend(read);
    assert_eq!(lines, stream);
}

fn sqs(answer: &[u8]) {
    let held: usize = fuzzing::sqs(answer).unwrap_or_default().iter().map(String::len).sum();
    assert!(held <= answer.len());
}

/// Status as a number, `Retry-After`, body, a line each.
fn answer(data: &[u8]) {
    let (status, rest) = cut(data, b'\n');
    let (wait, body) = cut(rest, b'\n');
    let Some(status) = std::str::from_utf8(status).ok().and_then(|status| status.parse().ok()) else { return };
    for (why, wait) in fuzzing::answer(status, wait, body) {
        assert!(why.len() < 120 && why.is_ascii() && !why.contains(char::is_control), "{why:?}");
        assert!(wait.is_none_or(|wait| wait <= Duration::from_secs(300)), "{wait:?}");
    }
}

fn endpoint(data: &[u8]) {
    let Ok(address) = std::str::from_utf8(data) else { return };
    if let Some((host, of_root)) = fuzzing::endpoint(address) {
        assert!(!host.is_empty() && host == of_root && !host.contains(['@', '/']), "{host} {of_root}");
    }
}

/// Topic, a line; then the content. A topic that begins with `!` was retained.
fn mqtt(data: &[u8]) {
    static SETTINGS: OnceLock<ChannelSettings> = OnceLock::new();
    let settings = SETTINGS.get_or_init(|| channel("mqtt", [("buttons", "LLM,rag-api")]));
    let (topic, content) = cut(data, b'\n');
    let topic = String::from_utf8_lossy(topic);
    let retained = topic.starts_with('!');
    let topic = topic.trim_start_matches('!');
    let (press, text) = fuzzing::mqtt(settings, topic, content, retained);
    assert!(!retained || press.is_none() && text.is_none());
    if let Some(scope) = press {
        // Without a button for everything, no press cuts what was not asked for.
        assert_eq!(topic.to_ascii_lowercase(), format!("portcullis/house/cut/{}", scope.to_string().to_ascii_lowercase()));
        assert!(["LLM", "rag-api"].contains(&scope.to_string().as_str()));
    }
    if let Some((text, id)) = text {
        assert!(text.len() <= 4096 && topic == "portcullis/house/text");
        assert!(id.is_none_or(|id| id.len() == 32));
    }
}

fn channel<const N: usize>(kind: &str, values: [(&str, &str); N]) -> ChannelSettings {
    let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
    ChannelSettings { name: "any".to_owned(), kind: kind.to_owned(), values: values.into(), secrets: Vec::new() }
}

/// The kind, then `name=value` of its settings and `secret=value`, each ended by an empty line.
fn configured(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parts = text.split("\n\n");
    let Some(kind) = Channel::KINDS.iter().find(|kind| Some(**kind) == parts.clone().next()) else { return };
    let mut channel = channel(kind, []);
    for (name, value) in parts.by_ref().skip(1).filter_map(|part| part.split_once('=')) {
        let secret = |value: &str| if value.contains("-----") { value.to_owned() } else { format!("{value}{SECRET}") };
        if name == "secret" {
            channel.secrets.push(secret(value).into());
        } else if let Some(setting) = settings(kind).iter().find(|setting| setting.name == name) {
            let value = if setting.file { secret(value) } else { value.to_owned() };
            channel.values.insert(name.to_owned(), value);
        }
    }
    if let Err(why) = check(&channel) {
        assert!(!why.is_empty() && why.len() < 400, "{why}");
        assert!(text.contains(SECRET) || !why.contains(SECRET), "a secret: {why}");
    }
    assert!(text.contains(SECRET) || !format!("{channel:?}").contains(SECRET));
}

/// What ModemManager writes; in UTC it is written the same again, but for days and seconds that no clock shows.
fn stamped(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Some(at) = stamp::read_iso_8601(text) else { return };
    let plain = |text: &str| text.chars().filter(|c| !"-:".contains(*c)).take(15).collect::<String>();
    let (local, offset) = text.split_at(19);
    assert!(stamp::read_offset(offset).is_some_and(|east| east.abs() < 20 * 60));
    let local = plain(local);
    if offset == "Z" && &local[6..8] <= "28" && &local[13..] < "60" {
        assert_eq!(plain(&at.to_string()), local);
    }
}

/// `NAME=value`, each ended by a zero byte, as the kernel passes them.
fn environment(data: &[u8]) {
    let variables = data.split(|byte| *byte == 0);
    let variables: BTreeMap<&[u8], &[u8]> = variables.map(|one| cut(one, b'=')).collect();
    let lookup = |name: &str| variables.get(name.as_bytes()).map(|value| OsStr::from_bytes(value).to_owned());
    let Ok(notice) = Notice::from_environment(lookup) else { return };
    assert!(notice.text.len() <= 8 * 1024 && notice.sender.len() <= 64 && notice.phone.len() <= 64);
    let line = serde_json::to_string(&notice).unwrap();
    assert!(line.len() < MAX_NOTICE_LINE && !line.contains('\n'));
    assert_eq!(serde_json::from_str::<Notice>(&line).unwrap(), notice);
}

fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| std::env::temp_dir().join(format!("fuzz-inbox-{}", std::process::id())))
}

/// Files of gammu-smsd: a name, a zero byte, the content, and two zero bytes before the next.
fn files(data: &[u8]) {
    let folder = folder();
    std::fs::remove_dir_all(folder).ok();
    std::fs::create_dir_all(folder).unwrap();
    let mut rest = data;
    for _ in 0..4 {
        let (name, after) = cut(rest, 0);
        let end = after.windows(2).position(|two| two == [0, 0]).unwrap_or(after.len());
        let (content, next) = after.split_at(end);
        rest = next.get(2..).unwrap_or_default();
        if !name.is_empty() && name.len() < 200 && !name.contains(&b'/') {
            let name: OsString = OsStr::from_bytes(name).to_owned();
            std::fs::write(folder.join(name), content).ok();
        }
    }
    let found = inbox::look(folder).unwrap();
    for message in &found.messages {
        assert!(message.id.len() == 32 && !message.files.is_empty());
        for file in &message.files {
            let name = file.file_name().unwrap().to_string_lossy();
            assert!(file.parent() == Some(folder) && name.starts_with("IN") && name.contains(&message.sender));
        }
        let now = Timestamp::from_millis(1_795_248_127_000);
        let sent = message.written.and_then(|written| stamp::believed(written, &[60, 120], now));
        assert!(sent.is_none_or(|sent| sent.since(now) <= 120_000));
    }
    if let Some(why) = &found.problem {
        assert!(why.len() < 200 && !why.contains("_0"), "names a file: {why}");
    }
    assert!(inbox::look(folder).unwrap().messages == found.messages, "a second look finds the same");
}

fn properties(data: &[u8]) {
    if let Some((sender, text, _)) = fuzzing::modem_manager(data) {
        assert!(sender.len() + text.len() <= data.len());
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((what, data)) = data.split_first() else { return };
    match what {
        b't' => telegram(data),
        b'n' => ntfy(data),
        b'q' => sqs(data),
        b'a' => answer(data),
        b'u' => endpoint(data),
        b'm' => mqtt(data),
        b'c' => configured(data),
        b's' => stamped(data),
        b'e' => environment(data),
        b'f' => files(data),
        b'p' => properties(data),
        b'b' => drop(serde_json::from_slice::<Notice>(data)),
        _ => {}
    }
});
