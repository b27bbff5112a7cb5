//! What somebody should know before the day it matters: said in the state, journalled, and told by text once a day.

use crate::clock;
use crate::drill;
use crate::event::Event;
use crate::switch::Switch;
use crate::tell;
use kill_core::Reply;
use kill_wire::{AgentState, Timestamp};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::sleep;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(10);
/// What has gone again by then was no alarm.
const LASTS_MS: u64 = 120_000;
/// The same alarm is told again after this long.
const AGAIN_MS: u64 = 86_400_000;
/// Texts a day, all alarms together.
const TEXTS_A_DAY: usize = 10;
/// An agent silent for this long is down, not restarting.
const DOWN_MS: u64 = 300_000;

/// What the watchers found, each under a name of its own.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    all: Mutex<BTreeMap<String, String>>,
    /// When texts were passed on for others.
    passed: Mutex<VecDeque<Timestamp>>,
}

impl Alarms {
    /// It is so, or it is over.
    pub(crate) fn set(&self, name: &str, what: Option<String>) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        match what {
            Some(what) => all.insert(name.to_owned(), what),
            None => all.remove(name),
        };
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> BTreeMap<String, String> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.clone()
    }

    /// Whether one more text may be passed on for others today; counts it.
    fn may_pass(&self, now: Timestamp) -> bool {
        let mut passed = self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        passed.retain(|at| now.since(*at) < AGAIN_MS);
        let may = passed.len() < TEXTS_A_DAY;
        if may {
            passed.push_back(now);
        }
        may
    }
}

/// Tells everybody what somebody at the lever says, as an alarm that is its own. Gives how many people there is a way to;
/// none when as many texts as a day allows were sent.
pub(crate) fn pass_on(switch: &Switch, by: &str, text: &str, now: Timestamp) -> Option<u32> {
    if !switch.alarms.may_pass(now) {
        return None;
    }
    // The prefix says that it is no answer of the kill switch: hosts may have chosen some of the words.
    let text = Reply::from(format!("ALERT: {text}"));
    let told = tell::everyone(switch, text.as_str());
    let by = Reply::from(by.to_owned());
    tracing::warn!(%by, told, "A text was passed on.");
    let what = format!("{by}: {text}");
    switch.note(Event::Alarm { what });
    Some(told)
}

/// When an alarm began, and when it was told.
#[derive(Clone, Copy, Debug)]
struct Since {
    began: Timestamp,
    told: Option<Timestamp>,
}

/// Tells what lasts, until shutdown.
pub(crate) async fn tell(switch: Arc<Switch>) {
    let mut known = BTreeMap::new();
    loop {
        let now = clock::now();
        for what in due(&mut known, &present(&switch, now), now) {
            let text = Reply::from(format!("ALARM: {what}"));
            let told = tell::everyone(&switch, text.as_str());
            tracing::warn!(what, told, "Alarm.");
            switch.note(Event::Alarm { what });
        }
        tokio::select! {
            () = switch.stop.cancelled() => return,
            () = sleep(LOOK) => {}
        }
    }
}

/// Everything that is an alarm now, by name.
fn present(switch: &Switch, now: Timestamp) -> BTreeMap<String, String> {
    let mut all = switch.alarms.all();
    if let Some(problem) = switch.recorder.status().problem {
        all.insert("disk".to_owned(), problem);
    }
    for channel in switch.channels().iter() {
        let name = channel.name();
        if let Some(problem) = switch.book().of(name).problem() {
            all.insert(
                format!("channel {name}"),
                format!("channel {name}: {problem}"),
            );
        }
    }
    for link in &switch.links {
        let AgentState { address, heard, .. } = link.health.get();
        if now.since(heard.unwrap_or(switch.started)) > DOWN_MS {
            let what = format!("agent {address} has confirmed nothing for five minutes");
            all.insert(format!("agent {address}"), what);
        }
    }
    all.extend(silent(switch, now));
    if switch.core().memory().restore_locked() {
        let what = "RESTORE is locked after too many wrong codes: somebody guesses";
        all.insert("locked".to_owned(), what.to_owned());
    }
    all
}

/// Channels by which nothing has come for too long.
pub(crate) fn silent(switch: &Switch, now: Timestamp) -> BTreeMap<String, String> {
    let channels = switch.channels();
    let of = |channel: &kill_inbound::Channel| {
        let page = switch.book().of(channel.name());
        // One that is whole but was never used is for a drill to say.
        page.heard.max(page.drilled)?;
        let why = drill::shown(switch, channel, now).err()?;
        let name = channel.name();
        page.problem()
            .is_none()
            .then(|| (format!("silent {name}"), format!("channel {name}: {why}")))
    };
    let asked = channels.iter().filter(|channel| !channel.pulled());
    asked.filter_map(of).collect()
}

/// What is to be told now: what has lasted, once a day, and of many a few.
fn due(
    known: &mut BTreeMap<String, Since>,
    present: &BTreeMap<String, String>,
    now: Timestamp,
) -> Vec<String> {
    let recent = |since: &Since| since.told.is_some_and(|told| now.since(told) < AGAIN_MS);
    // What comes and goes is told once a day all the same.
    known.retain(|name, since| present.contains_key(name) || recent(since));
    let mut room = TEXTS_A_DAY.saturating_sub(known.values().filter(|since| recent(since)).count());
    let mut told = Vec::new();
    for (name, what) in present {
        let since = known.entry(name.clone()).or_insert(Since {
            began: now,
            told: None,
        });
        if room > 0 && !recent(since) && now.since(since.began) >= LASTS_MS {
            since.told = Some(now);
            room -= 1;
            told.push(what.clone());
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + ms)
    }

    fn one(name: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(name.to_owned(), format!("{name} is wrong"))])
    }

    #[test]
    fn what_lasts_is_told_once_a_day() {
        let mut known = BTreeMap::new();
        assert!(due(&mut known, &one("disk"), at(0)).is_empty());
        assert_eq!(
            due(&mut known, &one("disk"), at(LASTS_MS)),
            ["disk is wrong"]
        );
        assert!(due(&mut known, &one("disk"), at(2 * LASTS_MS)).is_empty());
        let next = due(&mut known, &one("disk"), at(LASTS_MS + AGAIN_MS));
        assert_eq!(next.len(), 1);
    }

    #[test]
    fn what_goes_again_at_once_is_not_told_and_what_flaps_is_told_once() {
        let mut known = BTreeMap::new();
        due(&mut known, &one("disk"), at(0));
        due(&mut known, &BTreeMap::new(), at(1));
        assert!(due(&mut known, &one("disk"), at(LASTS_MS)).is_empty());
        assert_eq!(due(&mut known, &one("disk"), at(2 * LASTS_MS)).len(), 1);
        due(&mut known, &BTreeMap::new(), at(2 * LASTS_MS + 1));
        assert!(due(&mut known, &one("disk"), at(9 * LASTS_MS)).is_empty());
    }

    #[test]
    fn texts_for_others_are_few_a_day() {
        let alarms = Alarms::default();
        let passed = (0..50).filter(|n| alarms.may_pass(at(*n))).count();
        assert_eq!(passed, TEXTS_A_DAY);
        assert!(alarms.may_pass(at(AGAIN_MS)));
    }

    #[test]
    fn of_many_alarms_a_few_are_told() {
        let mut known = BTreeMap::new();
        let many: BTreeMap<String, String> =
            (0..50).map(|n| (n.to_string(), n.to_string())).collect();
        due(&mut known, &many, at(0));
        assert_eq!(due(&mut known, &many, at(LASTS_MS)).len(), TEXTS_A_DAY);
        assert!(due(&mut known, &many, at(2 * LASTS_MS)).is_empty());
    }
}
