//! ntfy: subscribes to a topic, so that no port need be open. <https://docs.ntfy.sh/subscribe/api/>
//!
//! The server keeps messages for some hours, and the stream is asked for from the newest one on before which everything
//! was taken. After a start it is asked for whole: what was decided about before is known by its id.

use crate::channel::{ChannelSettings, optional, required};
use crate::context::Context;
use crate::endpoint::Endpoint;
use crate::link::Untaken;
use crate::web::Answer;
use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use kill_inbound::Setting;
use serde::Deserialize;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;

pub(crate) const KIND: &str = "ntfy";
pub(crate) const SERVER: &str = "https://ntfy.sh";

pub(crate) const SETTINGS: &[Setting] = &[
    optional(
        "server",
        "your ntfy server, such as \"https://ntfy.lan\"; none: https://ntfy.sh",
    ),
    required(
        "topic",
        "the topic that texts come by: long and unguessable where the server knows no users",
    ),
    optional(
        "reply_topic",
        "another topic, for replies; none: no replies",
    ),
];

/// The server says something every 45 seconds by default; without a word for so long the stream is dead.
const SILENCE: Duration = Duration::from_secs(130);
/// Before the next attempt.
const PAUSE: Duration = Duration::from_secs(3);
/// Longest line, in bytes.
const MAX_LINE: usize = 64 * 1024;
/// Messages handed over at the same time; the stream is not read on while there are more.
const AT_ONCE: usize = 64;

/// The topic that texts come by.
pub(crate) struct Ntfy {
    server: String,
    topic: String,
    /// Holds the credentials.
    root: Endpoint,
}

#[derive(Deserialize)]
pub(crate) struct Event {
    id: String,
    event: String,
    #[serde(default)]
    message: String,
}

impl Event {
    pub(crate) fn read(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }

    /// Id and text, if it is a message. Ids go into an address later; a server's that do not fit there are not ntfy's.
    pub(crate) fn message(self) -> Option<(String, String)> {
        let fits =
            (1..=64).contains(&self.id.len()) && self.id.bytes().all(|b| b.is_ascii_alphanumeric());
        (fits && self.event == "message").then_some((self.id, self.message))
    }
}

/// The topic of that setting, checked.
pub(crate) fn topic(channel: &ChannelSettings, setting: &str) -> Result<Option<String>, String> {
    let Some(topic) = channel.get(setting) else {
        return Ok(None);
    };
    let shape = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if topic.len() > 64 || !topic.chars().all(shape) {
        return Err(format!(
            "`{setting}` is no topic: letters, digits, - and _, at most 64"
        ));
    }
    Ok(Some(topic.to_owned()))
}

/// With the token, or `user:password`, of the channel's secret, if it has one.
pub(crate) fn with_token(
    endpoint: Endpoint,
    channel: &ChannelSettings,
) -> Result<Endpoint, String> {
    let Ok(secret) = channel.secret() else {
        return Ok(endpoint);
    };
    match secret.split_once(':') {
        Some((user, password)) => endpoint.basic(user, password),
        None => endpoint.with("Bearer", &secret),
    }
}

impl Ntfy {
    pub(crate) const KIND: &str = KIND;

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        let topic = topic(channel, "topic")?.ok_or("`topic` is missing or empty")?;
        let server = channel.base("server", SERVER);
        let root = with_token(Endpoint::new("server", &server)?, channel)?;
        Ok(Some(Self {
            server,
            topic,
            root,
        }))
    }

    pub(crate) async fn run(&self, context: &Context) {
        let mut handing = Handing::default();
        while !context.stop.is_cancelled() {
            let (why, wait) = tokio::select! {
                () = context.stop.cancelled() => return,
                ended = self.subscribe(context, &mut handing) => ended,
            };
            context.health(Some(why));
            context.nap(wait).await;
        }
    }

    /// Reads one stream to its end; gives why it ended and how long to wait.
    async fn subscribe(&self, context: &Context, handing: &mut Handing) -> (String, Duration) {
        let body = match self.open(context, handing.since()).await {
            Ok(body) => body,
            Err(ended) => return ended,
        };
        context.health(None);
        let mut lines = Lines {
            body,
            read: Vec::new(),
        };
        loop {
            let line = tokio::select! {
                line = timeout(SILENCE, lines.next()), if handing.has_room() => line,
                () = handing.one_ended() => continue,
            };
            let line = match line {
                Ok(Ok(line)) => line,
                Ok(Err(why)) => return (why.to_owned(), PAUSE),
                Err(_) => return ("it has fallen silent".to_owned(), PAUSE),
            };
            let Some(event) = Event::read(&line) else {
                return ("it says what is not understood".to_owned(), PAUSE);
            };
            if let Some((id, text)) = event.message() {
                handing.offer(context, id, text);
            }
        }
    }

    async fn open(&self, context: &Context, since: &str) -> Result<Incoming, (String, Duration)> {
        let address = format!("{}/{}/json?since={since}", self.server, self.topic);
        let endpoint = self.root.at(&address).map_err(|why| (why, PAUSE))?;
        let request = endpoint.request(Method::GET, &[], Bytes::new());
        let request = request.map_err(|why| (why, PAUSE))?;
        let answer = context
            .web
            .open(request)
            .await
            .map_err(|why| (why, PAUSE))?;
        let (head, body) = answer.into_parts();
        if head.status.is_success() {
            return Ok(body);
        }
        let refused = Answer {
            status: head.status,
            headers: head.headers,
            body: Bytes::new(),
        };
        Err((
            refused.refusal(),
            refused.wait().unwrap_or(PAUSE).max(PAUSE),
        ))
    }
}

/// What is being handed over, in the order of the stream.
#[derive(Default)]
struct Handing {
    offers: JoinSet<Option<String>>,
    /// Ids, and whether they were taken.
    order: VecDeque<(String, bool)>,
    /// The newest id up to which everything was taken.
    done: Option<String>,
}

impl Handing {
    fn since(&self) -> &str {
        self.done.as_deref().unwrap_or("all")
    }

    fn has_room(&self) -> bool {
        self.offers.len() < AT_ONCE
    }

    fn offer(&mut self, context: &Context, id: String, text: String) {
        if self.order.iter().any(|(known, _)| *known == id) {
            return;
        }
        self.order.push_back((id.clone(), false));
        let context = context.clone();
        self.offers.spawn(async move {
            // Nobody is known by a topic: replies go to the topic for them, whoever asked.
            let sender = context.channel().to_owned();
            let taken = context.text(&id, Some(&sender), &text, None).await;
            (taken != Err(Untaken::Stopping)).then_some(id)
        });
    }

    /// Waits until one was taken; for ever where there is none.
    async fn one_ended(&mut self) {
        let Some(ended) = self.offers.join_next().await else {
            return std::future::pending().await;
        };
        let Ok(Some(id)) = ended else { return };
        for (known, taken) in &mut self.order {
            *taken |= *known == id;
        }
        while let Some((id, _)) = self.order.pop_front_if(|(_, taken)| *taken) {
            self.done = Some(id);
        }
    }
}

/// Lines of a body that never ends.
struct Lines {
    body: Incoming,
    read: Vec<u8>,
}

impl Lines {
    async fn next(&mut self) -> Result<Vec<u8>, &'static str> {
        loop {
            if let Some(line) = first_line(&mut self.read)? {
                return Ok(line);
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self.read.extend(frame.into_data().unwrap_or_default()),
                Some(Err(_)) => return Err("the connection broke"),
                None => return Err("it ended the stream"),
            }
        }
    }
}

/// Takes the first line out of what was read, if all of it is there.
pub(crate) fn first_line(read: &mut Vec<u8>) -> Result<Option<Vec<u8>>, &'static str> {
    if let Some(end) = read.iter().position(|byte| *byte == b'\n') {
        let rest = read.split_off(end + 1);
        return Ok(Some(std::mem::replace(read, rest)));
    }
    if read.len() > MAX_LINE {
        return Err("it sent a line too long");
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_an_id_that_fits_into_an_address() {
        let message = |id: &str| {
            let line = format!(r#"{{"id":"{id}","event":"message","message":"STATUS"}}"#);
            Event::read(line.as_bytes()).unwrap().message()
        };
        assert_eq!(message("aB3"), Some(("aB3".into(), "STATUS".into())));
        for id in ["", "a&b", &"a".repeat(65)] {
            assert_eq!(message(id), None, "{id}");
        }
    }
}
