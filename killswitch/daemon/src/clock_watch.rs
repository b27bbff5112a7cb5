//! Notices a clock that jumps, or that was wrong from the start: codes are made from the time, cards are not.

use crate::clock;
use crate::switch::Switch;
use kill_wire::Timestamp;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use tokio::time::sleep;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(5);
/// Further than this, and codes of the moment may be refused.
const JUMP_MS: i64 = 5_000;
/// How long a jump is shown.
const SHOWN_MS: i64 = 3_600_000;

/// Watches until shutdown.
pub(crate) async fn watch(switch: Arc<Switch>) {
    let mut before = offset();
    let mut shown: Option<(String, i64)> = None;
    loop {
        let now = offset();
        if let Some(jump) = jumped(before, now) {
            tracing::warn!(jump_ms = jump, "The clock was set.");
            let what = format!(
                "the clock was set by {:+} s: check it, codes hang on it",
                jump / 1000
            );
            shown = Some((what, boot_ms()));
        }
        before = now;
        shown = shown.filter(|(_, at)| boot_ms() - at < SHOWN_MS);
        switch
            .alarms
            .set("clock jump", shown.as_ref().map(|(what, _)| what.clone()));
        let late = behind(switch.newest_file, clock::now());
        switch.alarms.set("clock behind", late);
        tokio::select! {
            () = switch.stop.cancelled() => return,
            () = sleep(LOOK) => {}
        }
    }
}

/// What the newest file of the state says: the clock was at least there once. Read at the start, before anything is written.
pub(crate) fn newest_file(dir: &Path) -> Option<Timestamp> {
    let files = fs::read_dir(dir).ok()?.flatten();
    let changed = files.filter_map(|file| file.metadata().ok()?.modified().ok());
    let since = changed.max()?.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::from_millis(
        u64::try_from(since.as_millis()).ok()?,
    ))
}

fn behind(newest: Option<Timestamp>, now: Timestamp) -> Option<String> {
    let newest = newest?;
    let late = newest.since(now);
    (late > JUMP_MS.unsigned_abs()).then(|| {
        format!("the clock is wrong: it was {newest} already. Codes may not fit, cards do")
    })
}

fn jumped(before: i64, now: i64) -> Option<i64> {
    let jump = now - before;
    (jump.abs() > JUMP_MS).then_some(jump)
}

fn boot_ms() -> i64 {
    i64::try_from(clock::since_boot().as_millis()).unwrap_or(i64::MAX)
}

/// What the clock on the wall says, less what nobody can set, in milliseconds.
fn offset() -> i64 {
    i64::try_from(clock::now().millis()).unwrap_or(i64::MAX) - boot_ms()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_drifts_is_left_alone_and_one_that_jumps_is_not() {
        assert_eq!(jumped(1_000, 5_900), None);
        assert_eq!(jumped(1_000, 61_000), Some(60_000));
        assert_eq!(jumped(61_000, 1_000), Some(-60_000));
    }

    #[test]
    fn a_clock_behind_the_newest_file_is_wrong() {
        let at = |seconds: u64| Timestamp::from_millis(seconds * 1_000);
        assert_eq!(behind(None, at(100)), None);
        assert_eq!(behind(Some(at(104)), at(100)), None);
        assert!(behind(Some(at(200)), at(100)).is_some());
        assert_eq!(behind(Some(at(200)), at(300)), None);
    }
}
