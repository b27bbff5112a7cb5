//! Looks at the certificates providers see, before they end: an expired one makes every webhook fail and says nothing here.
//!
//! Files, not addresses: to see what a public address serves would take names and the internet.

use crate::clock;
use crate::not_after::earliest;
use crate::switch::Switch;
use kill_wire::Timestamp;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(3600);
const DAY_MS: u64 = 86_400_000;
/// Days before the end at which it becomes an alarm, and a more urgent one.
const STAGES: [u64; 3] = [2, 7, 21];
/// Longest file that is read, in bytes.
const MAX_BYTES: u64 = 256 * 1024;

/// Looks until shutdown.
pub(crate) async fn watch(switch: Arc<Switch>) {
    if switch.wishes.certificates.is_empty() {
        return;
    }
    loop {
        for path in &switch.wishes.certificates {
            let file = path.clone();
            // On another thread: a disk that hangs must not hold up this one.
            let reading = tokio::task::spawn_blocking(move || read(&file));
            let text = reading.await.unwrap_or_else(|why| Err(why.to_string()));
            let shown = path.display().to_string();
            // A name for each stage, so that each is told.
            let (stage, what) = stage(&shown, text.as_deref(), clock::now());
            for other in STAGES {
                let name = format!("certificate {shown} {other}");
                let now = stage == other;
                switch.alarms.set(&name, what.clone().filter(|_| now));
            }
        }
        tokio::select! {
            () = switch.stop.cancelled() => return,
            () = sleep(EVERY) => {}
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = File::open(path).map_err(|why| why.to_string())?;
    let read = file.take(MAX_BYTES).read_to_string(&mut text);
    read.map(|_| text).map_err(|why| why.to_string())
}

/// How urgent it is, and what to say; an unreadable file is as urgent as can be.
fn stage(file: &str, text: Result<&str, &String>, now: Timestamp) -> (u64, Option<String>) {
    let most = STAGES.iter().copied().min().unwrap_or_default();
    let end = match text {
        Ok(text) => match earliest(text) {
            Some(end) => end,
            None => {
                return (
                    most,
                    Some(format!("{file} holds no certificate that can be read")),
                );
            }
        },
        Err(why) => {
            return (
                most,
                Some(format!("certificate {file} cannot be read: {why}")),
            );
        }
    };
    if end <= now {
        let what = format!("certificate {file} has expired: no webhook gets through");
        return (most, Some(what));
    }
    let left = end.since(now);
    match STAGES.into_iter().find(|days| left <= days * DAY_MS) {
        Some(days) => {
            let what = format!("certificate {file} ends in {} days", left.div_ceil(DAY_MS));
            (days, Some(what))
        }
        None => (u64::MAX, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::not_after::tests::pem;

    #[test]
    fn the_end_is_said_at_21_7_and_2_days_and_after_it() {
        let text = pem(0x17, "261121104500Z");
        let end = earliest(&text).unwrap();
        for (days_before, expected) in [(22, u64::MAX), (21, 21), (8, 21), (7, 7), (2, 2), (0, 2)] {
            let now = Timestamp::from_millis(end.millis() - days_before * DAY_MS);
            let (stage, what) = stage("x.pem", Ok(&text), now);
            assert_eq!(stage, expected, "{days_before} days before");
            assert_eq!(what.is_some(), expected != u64::MAX);
        }
        let (_, what) = stage("x.pem", Ok(&text), end);
        assert!(what.unwrap().contains("has expired"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_an_alarm() {
        let now = Timestamp::from_millis(0);
        assert!(stage("x.pem", Ok("hello"), now).1.is_some());
        assert!(stage("x.pem", Err(&"gone".to_owned()), now).1.is_some());
    }
}
