//! Whether a text would still get through and somebody is there: channels, other kill switches, check-in, drill.

use super::text::When;
use askama::Template;
use kill_wire::{ChannelState, CheckInState, DrillState, GuessBound, PeerHealth, StateReport};
use net_model::Snapshot;

#[derive(Debug, Template)]
#[template(path = "parts/watch.html")]
pub(crate) struct Watch {
    pub(crate) watch: Option<Found>,
}

#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) channels: Vec<Channel>,
    pub(crate) peers: Vec<Peer>,
    pub(crate) check_in: Option<CheckIn>,
    pub(crate) drill: Option<Drill>,
    pub(crate) guesses: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) tone: &'static str,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) trust: String,
    pub(crate) means: &'static str,
    pub(crate) heard: Option<When>,
    pub(crate) drilled: Option<When>,
    pub(crate) problem: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) tone: &'static str,
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) heard: Option<When>,
}

#[derive(Debug)]
pub(crate) struct CheckIn {
    pub(crate) tone: &'static str,
    pub(crate) due: When,
    pub(crate) by: String,
    pub(crate) then: String,
}

#[derive(Debug)]
pub(crate) struct Drill {
    pub(crate) tone: &'static str,
    pub(crate) text: String,
    pub(crate) at: When,
    pub(crate) failed: String,
}

impl Watch {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let state = snapshot.killswitch.as_ref().ok();
        Self {
            watch: state.map(found),
        }
    }
}

fn found(state: &StateReport) -> Found {
    Found {
        channels: state.channels.iter().map(channel).collect(),
        peers: state.peers.iter().map(peer).collect(),
        check_in: state.check_in.as_ref().map(|it| check_in(state, it)),
        drill: state.drill.as_ref().map(|it| Drill {
            tone: if it.failed.is_empty() { "good" } else { "bad" },
            text: drilled(it),
            at: When::day(it.at),
            failed: it.failed.join(", "),
        }),
        guesses: state.guesses.as_ref().map(guesses),
    }
}

fn channel(state: &ChannelState) -> Channel {
    Channel {
        tone: match (&state.problem, state.heard) {
            (Some(_), _) => "bad",
            (None, None) => "warn",
            (None, Some(_)) => "good",
        },
        name: state.name.clone(),
        kind: state.kind.clone(),
        trust: state.trust.clone(),
        means: match state.trust.as_str() {
            "A" => "signed and fresh",
            "B" => "signed, but not known to be fresh",
            "C" => "not signed whole: it may cut, not restore",
            _ => "",
        },
        heard: state.heard.map(When::day),
        drilled: state.drilled.map(When::day),
        problem: state.problem.clone(),
    }
}

fn peer(state: &PeerHealth) -> Peer {
    let (tone, text) = match (&state.problem, state.heard) {
        (Some(problem), _) => ("bad", problem.clone()),
        (None, None) => ("bad", "was never heard".to_owned()),
        (None, Some(_)) => ("good", "agrees".to_owned()),
    };
    Peer {
        tone,
        name: state.name.clone(),
        text,
        heard: state.heard.map(When::clock),
    }
}

fn check_in(state: &StateReport, check_in: &CheckInState) -> CheckIn {
    let late = state.now >= check_in.due;
    let cuts = check_in.cuts.as_ref();
    CheckIn {
        tone: if late { "bad" } else { "good" },
        due: When::day(check_in.due),
        by: check_in
            .by
            .clone()
            .unwrap_or_else(|| "nobody yet".to_owned()),
        then: cuts.map_or_else(
            || "a missed one only warns".to_owned(),
            |scope| format!("a missed one cuts {scope}"),
        ),
    }
}

/// A drill in one line.
pub(crate) fn drilled(drill: &DrillState) -> String {
    let of = |(good, all): (u32, u32)| format!("{good} of {all}");
    format!(
        "by {}: channels {}, agents {}, probes {}",
        drill.by,
        of(drill.channels),
        of(drill.agents),
        of(drill.probes)
    )
}

/// What guessing is worth, in words.
pub(crate) fn guesses(bound: &GuessBound) -> String {
    format!(
        "at most {:.2} % a year for a KILL, {:.1e} for a RESTORE",
        bound.kill * 100.0,
        bound.restore
    )
}
