//! What a source is given: the seam between fetching texts and handing them to the kill switch.

use crate::link::{Link, Untaken};
use crate::shown::Shown;
use crate::web::Web;
use kill_wire::{FromCourier, Scope, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// One channel's end of the link, and the way outside.
///
/// A source is a `run(&self, context: &Context)` that ends when [`Context::stop`] is cancelled. It may hand over many
/// messages at the same time: every call resolves on its own.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    channel: Arc<str>,
    link: Link,
    /// HTTP, with limits.
    pub(crate) web: Web,
    /// Cancelled at shutdown.
    pub(crate) stop: CancellationToken,
}

impl Context {
    pub(crate) fn new(channel: &str, link: Link, web: Web, stop: CancellationToken) -> Self {
        Self {
            channel: channel.into(),
            link,
            web,
            stop,
        }
    }

    /// The channel's name.
    pub(crate) fn channel(&self) -> &str {
        &self.channel
    }

    /// Hands over a text, and resolves when the kill switch has taken it: only then may it be deleted at its source.
    ///
    /// It is offered again after each loss of the connection, and every minute. The same message must always have the
    /// same id, whatever happens to this process.
    pub(crate) async fn text(
        &self,
        id: &str,
        sender: Option<&str>,
        text: &str,
        sent: Option<Timestamp>,
    ) -> Result<(), Untaken> {
        let offer = FromCourier::Text {
            channel: self.channel.to_string(),
            id: bounded(id, 200),
            sender: sender.map(|sender| bounded(sender, 200)),
            text: bounded(text, 4_096),
            sent,
        };
        self.link
            .offer(&self.channel, &bounded(id, 200), &offer)
            .await
    }

    /// Hands over the raw body of a webhook that came by a queue; resolves as [`Context::text`] does.
    pub(crate) async fn webhook(
        &self,
        id: &str,
        headers: Vec<(String, String)>,
        body: String,
    ) -> Result<(), Untaken> {
        let id = bounded(id, 200);
        let offer = FromCourier::Webhook {
            channel: self.channel.to_string(),
            headers,
            body,
            id: id.clone(),
        };
        self.link.offer(&self.channel, &id, &offer).await
    }

    /// Hands over the press of a button; resolves as [`Context::text`] does. Each press has an id of its own.
    pub(crate) async fn button(&self, id: &str, scope: Scope) -> Result<(), Untaken> {
        let id = bounded(id, 200);
        let offer = FromCourier::Button {
            channel: self.channel.to_string(),
            scope,
            id: id.clone(),
        };
        self.link.offer(&self.channel, &id, &offer).await
    }

    /// Says how this source is; `None` while its provider answers. Cheap to repeat: only changes are told on.
    pub(crate) fn health(&self, problem: Option<String>) {
        let problem = problem.map(|why| bounded(&why, 200));
        self.link.source_health(&self.channel, problem);
    }

    /// What is cut, as the kill switch says it; `None` while it is not connected.
    pub(crate) fn states(&self) -> watch::Receiver<Option<Shown>> {
        self.link.states()
    }

    /// Sleeps, or wakes at shutdown; whether to go on.
    pub(crate) async fn nap(&self, time: Duration) -> bool {
        tokio::select! {
            () = self.stop.cancelled() => false,
            () = tokio::time::sleep(time) => true,
        }
    }
}

fn bounded(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
