//! Whether the kill switch would work now: its agents, its canaries, its journal.

use super::text::{When, counted};
use askama::Template;
use kill_wire::{AgentState, StateReport};
use net_model::Snapshot;

#[derive(Debug, Template)]
#[template(path = "parts/health.html")]
pub(crate) struct Health {
    pub(crate) state: Option<State>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) canary_tone: &'static str,
    pub(crate) canaries: String,
    pub(crate) canaries_at: Option<When>,
    pub(crate) agents: Vec<Agent>,
    pub(crate) people: String,
    pub(crate) journal: String,
    pub(crate) started: When,
}

#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) address: String,
    pub(crate) tone: &'static str,
    pub(crate) text: String,
    pub(crate) heard: Option<When>,
}

impl Health {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let state = snapshot.killswitch.as_ref().ok();
        Self {
            state: state.map(of_state),
        }
    }
}

fn of_state(state: &StateReport) -> State {
    let canaries = &state.canaries;
    let (canary_tone, text) = if canaries.points == 0 {
        (
            "warn",
            "no probe point known, so a cut cannot be proven".to_owned(),
        )
    } else if canaries.good < canaries.points {
        let text = format!(
            "{} of {} answer as they should",
            canaries.good, canaries.points
        );
        ("warn", text)
    } else {
        (
            "good",
            format!("all {} answer as they should", canaries.points),
        )
    };
    State {
        canary_tone,
        canaries: text,
        canaries_at: canaries.at.map(When::clock),
        agents: state.agents.iter().map(|a| agent(a, state.seq)).collect(),
        people: counted(state.people.into(), "person holds keys", "people hold keys"),
        journal: counted(state.journal, "entry", "entries"),
        started: When::day(state.started),
    }
}

fn agent(agent: &AgentState, newest: u64) -> Agent {
    let (tone, text) = match (&agent.problem, agent.seq) {
        (Some(problem), _) => ("bad", problem.clone()),
        (None, None) => ("bad", "has not confirmed any order yet".to_owned()),
        (None, Some(seq)) if seq < newest => {
            ("warn", format!("holds order {seq}; the newest is {newest}"))
        }
        (None, Some(seq)) => ("good", format!("holds the newest order, {seq}")),
    };
    Agent {
        address: agent.address.clone(),
        tone,
        text,
        heard: agent.heard.map(When::clock),
    }
}
