//! The way to one node agent: a connection held open, and what the agent said last.

use crate::delivered::{Delivered, Health};
use crate::dial::{self, NoAnswer};
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use kill_wire::Timestamp;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// How long an agent may take: its gateways get 250 ms to end streams, then it answers.
const LIMIT: Duration = Duration::from_secs(1);

/// One agent.
#[derive(Debug)]
pub(crate) struct Link {
    address: SocketAddr,
    idle: Mutex<Option<SendRequest<Full<Bytes>>>>,
    pub(crate) health: Health,
}

impl Link {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            idle: Mutex::new(None),
            health: Health::unheard(address),
        }
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
        let turned = self.health.note(&delivered, now);
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
            self.keep(sender);
            return Ok(self.health.hear(&answer));
        }
        let mut sender = dial::connect(self.address, tasks).await?;
        let answer = dial::call(&mut sender, self.request(order)?).await?;
        self.keep(sender);
        Ok(self.health.hear(&answer))
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

    fn keep(&self, sender: SendRequest<Full<Bytes>>) {
        *self.idle.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
    }
}
