//! What came of an order at one agent, and how that agent is.

use crate::dial::Answer;
use http::StatusCode;
use kill_wire::{AgentState, Challenge, Receipt, Refusal, Timestamp};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

/// What came of one order.
#[derive(Clone, Debug)]
pub(crate) enum Delivered {
    /// Carried out.
    Done(Receipt),
    /// Not carried out, but another order might be: one with a higher number, or one that answers the agent's newest
    /// challenge.
    Again {
        /// The number to overtake, or 0.
        number: u64,
        /// For people.
        why: String,
    },
    /// Not carried out, or not known.
    Failed(String),
}

impl From<&Answer> for Delivered {
    fn from(answer: &Answer) -> Self {
        if answer.status == StatusCode::OK {
            return match serde_json::from_slice::<Receipt>(&answer.body) {
                Ok(receipt) => Self::Done(receipt),
                Err(why) => Self::Failed(format!("its receipt cannot be read: {why}")),
            };
        }
        match serde_json::from_slice(&answer.body) {
            Ok(Refusal::Stale { current }) => Self::Again {
                number: current,
                why: format!("holds order {current}"),
            },
            Ok(Refusal::Unanswered) => Self::Again {
                number: 0,
                why: "got no order in time that answers its challenge".to_owned(),
            },
            Ok(Refusal::Unsigned) => Self::Failed("it holds another house's key".to_owned()),
            Ok(other) => Self::Failed(format!("refused: {other:?}")),
            Err(_) => Self::Failed(format!("answered {}", answer.status)),
        }
    }
}

/// One agent as it was last heard.
#[derive(Debug)]
pub(crate) struct Health {
    state: Mutex<AgentState>,
    /// What the next order must answer, so that it permits this agent anything.
    challenge: Mutex<Option<Challenge>>,
}

impl Health {
    pub(crate) fn unheard(address: SocketAddr) -> Self {
        Self {
            state: Mutex::new(AgentState {
                address: address.to_string(),
                seq: None,
                heard: None,
                problem: Some("not heard yet".to_owned()),
            }),
            challenge: Mutex::default(),
        }
    }

    pub(crate) fn get(&self) -> AgentState {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The newest challenge it gave.
    pub(crate) fn challenge(&self) -> Option<Challenge> {
        *self
            .challenge
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads an answer; keeps its challenge for the next order.
    pub(crate) fn hear(&self, answer: &Answer) -> Delivered {
        if answer.challenge.is_some() {
            *self
                .challenge
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = answer.challenge;
        }
        Delivered::from(answer)
    }

    /// Takes in an answer; true when the agent went down or came back by it.
    pub(crate) fn note(&self, delivered: &Delivered, now: Timestamp) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let was_well = state.problem.is_none();
        match delivered {
            Delivered::Done(receipt) => {
                state.seq = Some(receipt.seq);
                state.heard = Some(now);
                let all: Vec<&str> = receipt
                    .failed
                    .iter()
                    .chain(&receipt.unsaved)
                    .map(String::as_str)
                    .collect();
                state.problem = (!all.is_empty()).then(|| all.join("; "));
            }
            Delivered::Again { number: 0, .. } => {}
            Delivered::Again { number, .. } => state.seq = Some(*number),
            Delivered::Failed(why) => state.problem = Some(why.clone()),
        }
        was_well != state.problem.is_none()
    }
}
