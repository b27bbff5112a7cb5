//! What people read besides cuts and restores: one GSM-7 segment each.

use crate::segment::{Reply, may, must};
use crate::{CheckInStep, Then};
use kill_wire::{DrillState, Latch, Scope, Timestamp};

/// To the first of two people.
pub(crate) fn held(latch: &Latch, until: Timestamp) -> Reply {
    let Latch {
        incident, scope, ..
    } = latch;
    Reply::of(&[must(format!(
        "RESTORE held: 1 of 2 people. Second member must text RESTORE {scope} code by {}. {incident}",
        minute(until)
    ))])
}

/// To whoever checked in.
pub(crate) fn checked_in(initials: &str, now: Timestamp, next: Option<Timestamp>) -> Reply {
    let next = next.map_or_else(
        || " No check-in is asked for.".to_owned(),
        |next| format!(" Next by {}.", day(next)),
    );
    Reply::of(&[
        must(format!(
            "OK {} checked in {}.",
            short(initials, 3),
            now.clock()
        )),
        must(next),
    ])
}

/// To the others, when somebody restores under duress.
pub(crate) fn duress(initials: &str, scope: &Scope, now: Timestamp) -> Reply {
    Reply::of(&[must(format!(
        "DURESS: {} used a duress code for RESTORE {scope} {}. Nothing was opened. They were told it was.",
        short(initials, 3),
        now.clock()
    ))])
}

/// To everybody with a number, when who holds keys is about to change; `what` in the words of whoever changes it.
#[must_use]
pub fn people_change(what: &str, by: &str, now: Timestamp) -> Reply {
    Reply::of(&[must(format!(
        "KEYS CHANGE: {} by a RESTORE code of {} {}. If that is wrong: KILL, then look at who holds keys.",
        short(what, 48),
        short(by, 24),
        now.clock()
    ))])
}

/// To everybody with a number, when nobody checked in.
#[must_use]
pub fn check_in_warning(step: &CheckInStep, then: &Then) -> Reply {
    let follows = match then {
        Then::Warn => "another warning comes".to_owned(),
        Then::Cut(scope) => format!("{scope} is cut"),
    };
    Reply::of(&match step {
        CheckInStep::WarnFirst { next } => vec![must(format!(
            "CHECK-IN is due: text OK code by {}, or a second warning comes.",
            day(*next)
        ))],
        CheckInStep::WarnSecond { next } => vec![must(format!(
            "CHECK-IN missed, last warning: text OK code by {}, or {follows}.",
            day(*next)
        ))],
        CheckInStep::Act(Then::Warn) => {
            vec![must("CHECK-IN missed. Nobody is there; nothing was cut.")]
        }
        CheckInStep::Act(Then::Cut(scope)) => {
            vec![must(format!(
                "CHECK-IN missed. Nobody is there: {scope} is being cut."
            ))]
        }
    })
}

/// What a drill found.
#[must_use]
pub fn drill_reply(drill: &DrillState) -> Reply {
    let DrillState {
        at,
        by,
        channels,
        agents,
        probes,
        failed,
    } = drill;
    let mut parts = vec![must(format!(
        "DRILL {}. Nothing was cut. Channels {}/{}, agents {}/{}, probes {}/{}.",
        at.clock(),
        channels.0,
        channels.1,
        agents.0,
        agents.1,
        probes.0,
        probes.1
    ))];
    if let Some(first) = failed.first() {
        parts.push(may(format!(" FAILED: {}", short(first, 40))));
        let more = failed.len() - 1;
        parts.push(may(if more > 0 {
            format!(" +{more}.")
        } else {
            ".".to_owned()
        }));
    }
    parts.push(may(format!(
        " By {}.",
        short(&crate::people::initials(by), 3)
    )));
    Reply::of(&parts)
}

/// `15:25Z`.
fn minute(at: Timestamp) -> String {
    format!("{}Z", short(&at.clock(), 5))
}

/// `11-21 15:25Z`.
fn day(at: Timestamp) -> String {
    let date: String = at.to_string().chars().skip(5).take(5).collect();
    format!("{date} {}", minute(at))
}

fn short(text: &str, max: usize) -> String {
    text.chars().take(max).collect()
}
