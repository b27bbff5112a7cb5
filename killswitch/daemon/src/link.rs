//! The way to one node agent: a connection held open, and what the agent said last.

use crate::dial::{self, NoAnswer};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use kill_wire::{AgentState, Receipt, Refusal, Timestamp};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// How long an agent may take: its gateways get 250 ms to end streams, then it answers.
const LIMIT: Duration = Duration::from_secs(1);

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

/// One agent.
#[derive(Debug)]
pub(crate) struct Link {
    address: SocketAddr,
    idle: Mutex<Option<SendRequest<Full<Bytes>>>>,
    state: Mutex<AgentState>,
}

impl Link {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let state = AgentState {
            address: address.to_string(),
            seq: None,
            heard: None,
            problem: Some("not heard yet".to_owned()),
        };
        Self {
            address,
            idle: Mutex::new(None),
            state: Mutex::new(state),
        }
    }

    pub(crate) fn state(&self) -> AgentState {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Sends an order and notes the answer. Gives whether the agent went down or came back by it.
    pub(crate) async fn send(
        &self,
        order: Bytes,
        now: Timestamp,
        tasks: &TaskTracker,
    ) -> (Delivered, bool) {
        let delivered = match tokio::time::timeout(LIMIT, self.exchange(order, tasks)).await {
            Ok(Ok(delivered)) => delivered,
            Ok(Err(no_answer)) => Delivered::Failed(no_answer.why),
            Err(_) => Delivered::Failed(format!("no answer within {LIMIT:?}")),
        };
        let turned = self.note(&delivered, now);
        (delivered, turned)
    }

    async fn exchange(&self, order: Bytes, tasks: &TaskTracker) -> Result<Delivered, NoAnswer> {
        // Taken, not borrowed: while a slow call holds it, the next order dials anew instead of waiting.
        let held = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(mut sender) = held.filter(|sender| !sender.is_closed())
            && let Ok(answer) = dial::call(&mut sender, self.request(order.clone())?).await
        {
            return Ok(self.keep(sender, &answer));
        }
        let mut sender = dial::connect(self.address, tasks).await?;
        let answer = dial::call(&mut sender, self.request(order)?).await?;
        Ok(self.keep(sender, &answer))
    }

    fn request(&self, order: Bytes) -> Result<Request<Full<Bytes>>, NoAnswer> {
        Request::builder()
            .method(Method::POST)
            .uri("/v1/orders")
            .header(header::HOST, self.address.to_string())
            .header(header::CONTENT_TYPE, "text/plain")
            .body(Full::new(order))
            .map_err(NoAnswer::new)
    }

    fn keep(&self, sender: SendRequest<Full<Bytes>>, answer: &dial::Answer) -> Delivered {
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        if answer.status == StatusCode::OK {
            return match serde_json::from_slice::<Receipt>(&answer.body) {
                Ok(receipt) => Delivered::Done(receipt),
                Err(why) => Delivered::Failed(format!("its receipt cannot be read: {why}")),
            };
        }
        match serde_json::from_slice(&answer.body) {
            Ok(Refusal::Stale { current }) => Delivered::Stale(current),
            Ok(Refusal::Expired { now }) => {
                Delivered::Failed(format!("its clock says {}", Timestamp::from_millis(now)))
            }
            Ok(Refusal::Unsigned) => Delivered::Failed("it holds another house's key".to_owned()),
            Ok(other) => Delivered::Failed(format!("refused: {other:?}")),
            Err(_) => Delivered::Failed(format!("answered {}", answer.status)),
        }
    }

    fn note(&self, delivered: &Delivered, now: Timestamp) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let was_well = state.problem.is_none();
        match delivered {
            Delivered::Done(receipt) => {
                state.seq = Some(receipt.seq);
                state.heard = Some(now);
                state.problem = (!receipt.failed.is_empty()).then(|| receipt.failed.join("; "));
            }
            Delivered::Stale(current) => state.seq = Some(*current),
            Delivered::Failed(why) => state.problem = Some(why.clone()),
        }
        was_well != state.problem.is_none()
    }
}
