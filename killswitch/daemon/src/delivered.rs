//! What came of an order at one agent, and how that agent is.

use crate::dial::Answer;
use http::StatusCode;
use kill_wire::{AgentState, Receipt, Refusal, Timestamp};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

/// What came of one order.
#[derive(Clone, Debug)]
pub(crate) enum Delivered {
    /// Carried out.
    Done(Receipt),
    /// The agent holds an order at least as new.
    Stale(u64),
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
            Ok(Refusal::Stale { current }) => Self::Stale(current),
            Ok(Refusal::Expired { now }) => {
                Self::Failed(format!("its clock says {}", Timestamp::from_millis(now)))
            }
            Ok(Refusal::Unsigned) => Self::Failed("it holds another house's key".to_owned()),
            Ok(other) => Self::Failed(format!("refused: {other:?}")),
            Err(_) => Self::Failed(format!("answered {}", answer.status)),
        }
    }
}

/// One agent as it was last heard.
#[derive(Debug)]
pub(crate) struct Health(Mutex<AgentState>);

impl Health {
    pub(crate) fn unheard(address: SocketAddr) -> Self {
        Self(Mutex::new(AgentState {
            address: address.to_string(),
            seq: None,
            heard: None,
            problem: Some("not heard yet".to_owned()),
        }))
    }

    pub(crate) fn get(&self) -> AgentState {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes in an answer; true when the agent went down or came back by it.
    pub(crate) fn note(&self, delivered: &Delivered, now: Timestamp) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
            Delivered::Stale(current) => state.seq = Some(*current),
            Delivered::Failed(why) => state.problem = Some(why.clone()),
        }
        was_well != state.problem.is_none()
    }
}
