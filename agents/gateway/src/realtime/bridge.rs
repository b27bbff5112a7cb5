//! A session under way: what one side sends goes to the other, one message after the other.
//!
//! A side that is slow slows the other: a message is read only when the one before was taken. The session ends at once
//! with its cord, whether anything moves or not.

use super::{
    Held, Session,
    ending::{End, event},
    side::{BEATS, Gone, Side},
};
use crate::{account::Account, app::App, deny::Denied, leg::Leg, line::Line, target_http::Socket};
use bytes::Bytes;
use gateway_core::dialect::{Kept, client_event};
use std::{
    borrow::Cow,
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tokio_tungstenite::tungstenite::{Error, Message, protocol::Role};

/// Both sides of a session, and what stands between them.
#[derive(Debug)]
pub(super) struct Bridge {
    pub(super) client: Side<Leg>,
    pub(super) target: Side<Socket>,
    pub(super) account: Account,
    line: Arc<Line>,
    /// The model as the client calls it.
    asked: String,
    /// The same as the target does.
    sent: String,
    /// An error of our own for the client, which is read again only when it has gone out.
    complaint: Option<Message>,
    beat: Interval,
    draining: bool,
}

impl Bridge {
    /// `early`: what the client sent right after its handshake.
    pub(super) async fn new(
        line: &Arc<Line>,
        leg: Leg,
        early: Bytes,
        session: Session,
    ) -> (Self, Held) {
        let every = (session.idle / u32::from(BEATS)).max(Duration::from_millis(1));
        let mut beat = interval_at(Instant::now() + every, every);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let bridge = Self {
            client: Side::new(leg, early, Role::Server).await,
            target: Side::new(session.socket, session.early, Role::Client).await,
            account: session.account,
            line: Arc::clone(line),
            asked: session.asked,
            sent: session.sent,
            complaint: None,
            beat,
            draining: false,
        };
        (bridge, session.held)
    }

    /// Passes messages until the session is over; `None` when the gateway is.
    pub(super) async fn run(&mut self, app: &App) -> Option<End> {
        let line = Arc::clone(&self.line);
        loop {
            tokio::select! {
                biased;
                () = line.cord().cut().cancelled() => return Some(End::Severed(line.cord().refusal())),
                () = app.stop.abandon.cancelled() => return None,
                () = app.stop.draining.cancelled(), if !self.draining => self.draining = true,
                end = poll_fn(|cx| self.poll(cx)) => return Some(end),
            }
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        match self.move_on(cx) {
            Ok(()) => Poll::Pending,
            Err(end) => Poll::Ready(end),
        }
    }

    fn move_on(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        self.pass_to_target(cx)?;
        self.target.flush(cx).map_err(target_broke)?;
        self.pass_to_client(cx)?;
        self.client.flush(cx).map_err(End::ClientBroke)?;
        if self.draining && self.account.is_quiet() {
            return Err(End::Drained);
        }
        while self.beat.poll_tick(cx).is_ready() {
            if !self.client.beat(cx).map_err(End::ClientBroke)? {
                return Err(End::ClientSilent);
            }
            if !self.target.beat(cx).map_err(target_broke)? {
                return Err(End::TargetSilent);
            }
        }
        Ok(())
    }

    fn pass_to_target(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        loop {
            self.client.leave_waiting();
            if !self.has_complained(cx)? || !self.target.has_room(cx).map_err(target_broke)? {
                return Ok(());
            }
            let message = match self.client.poll_message(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(message)) => message,
                Poll::Ready(Err(Gone::Said(word))) => return Err(End::ByClient(word)),
                Poll::Ready(Err(Gone::Broke(error))) => return Err(End::ClientBroke(error)),
            };
            match self.checked(message) {
                Ok(message) => {
                    self.goes_on()?;
                    self.target.put(message).map_err(target_broke)?;
                }
                Err(denied) => self.complaint = event(&denied),
            }
        }
    }

    fn pass_to_client(&mut self, cx: &mut Context<'_>) -> Result<(), End> {
        loop {
            self.target.leave_waiting();
            if !self.client.has_room(cx).map_err(End::ClientBroke)? {
                return Ok(());
            }
            let message = match self.target.poll_message(cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(message)) => message,
                Poll::Ready(Err(Gone::Said(word))) => return Err(End::ByTarget(word)),
                Poll::Ready(Err(Gone::Broke(error))) => return Err(target_broke(error)),
            };
            self.goes_on()?;
            if let Message::Text(text) = &message {
                self.account.feed(text.as_bytes());
            } else {
                self.account.feed(&message.clone().into_data());
            }
            self.client.put(message).map_err(End::ClientBroke)?;
        }
    }

    /// Whether nothing of ours waits to go out to the client.
    fn has_complained(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        if self.complaint.is_some() && !self.client.has_room(cx).map_err(End::ClientBroke)? {
            return Ok(false);
        }
        if let Some(complaint) = self.complaint.take() {
            self.client.put(complaint).map_err(End::ClientBroke)?;
        }
        Ok(true)
    }

    /// What the target is sent of a message of the client: counted, and with the same model as ever.
    fn checked(&mut self, message: Message) -> Result<Message, Denied> {
        // The API has no messages but text.
        let Message::Text(text) = message else {
            return Err(Denied::NotJson);
        };
        let renamed = match client_event(&text, &self.asked, &self.sent) {
            Ok(Cow::Borrowed(_)) => None,
            Ok(Cow::Owned(renamed)) => Some(renamed),
            Err(Kept::OtherModel) => return Err(Denied::OtherModel),
            Err(Kept::Unreadable(unreadable)) => return Err(unreadable.into()),
        };
        self.account.hear(text.as_bytes());
        Ok(renamed.map_or(Message::Text(text), Message::text))
    }

    /// A budget may have ended the session just now: nothing more passes then, not even what is there already.
    fn goes_on(&self) -> Result<(), End> {
        match self.line.cord().why() {
            Some(why) => Err(End::Severed(why.clone())),
            None => Ok(()),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "errors are mapped by it")]
fn target_broke(error: Error) -> End {
    tracing::debug!(%error, "A target broke a session off.");
    End::TargetBroke
}
