//! Telegram: asks the bot's updates by long polling, so that no port need be open.
//!
//! An update is confirmed by asking for those after it, and that is done only when the kill switch took it. The id is the
//! update's.

use crate::channel::{ChannelSettings, optional};
use crate::context::Context;
use crate::link::Untaken;
use crate::web::Answer;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use kill_inbound::Setting;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::timeout;
use zeroize::Zeroizing;

pub(crate) const KIND: &str = "telegram";

pub(crate) const SETTINGS: &[Setting] = &[
    optional(
        "chats",
        "the ids of the chats that are listened to, such as \"123456789 -1001234\"; none: all",
    ),
    optional(
        "api_url",
        "another address of the bot interface, such as \"http://127.0.0.1:8081\"",
    ),
];

/// How long Telegram may hold an empty answer, in seconds.
const POLL: u64 = 50;
/// So long a text may take until Telegram is asked again regardless.
const PATIENCE: Duration = Duration::from_secs(1);
/// What is added for the way there and back.
const GRACE: Duration = Duration::from_secs(10);

/// The bot.
pub(crate) struct Telegram {
    bot: Bot,
    /// Chats listened to; empty: all.
    chats: BTreeSet<i64>,
}

/// Its address and token. The token stands in the path of every call: addresses are never logged.
pub(crate) struct Bot {
    api: String,
    token: Zeroizing<String>,
}

impl Bot {
    pub(crate) fn new(channel: &ChannelSettings) -> Result<Self, String> {
        let api = channel.get("api_url").unwrap_or("https://api.telegram.org");
        let token = channel.secret()?;
        let shape = |c: char| c.is_ascii_alphanumeric() || ":-_".contains(c);
        if !token.contains(':') || !token.chars().all(shape) {
            return Err("`secret_file` holds no token of a bot, such as 123456:ABC-DEF".to_owned());
        }
        let api = api.trim_end_matches('/').to_owned();
        Ok(Self { api, token })
    }

    /// A call of the bot interface.
    pub(crate) fn request(
        &self,
        method: &str,
        body: &serde_json::Value,
    ) -> Result<Request<Full<Bytes>>, String> {
        Request::post(format!("{}/bot{}/{method}", self.api, *self.token))
            .header("content-type", "application/json")
            .body(Full::from(body.to_string()))
            .map_err(|_| "`api_url` is no address".to_owned())
    }
}

#[derive(Deserialize)]
struct Updates {
    result: Vec<Update>,
}

#[derive(Deserialize)]
pub(crate) struct Update {
    pub(crate) update_id: i64,
    message: Option<Message>,
}

#[derive(Deserialize)]
struct Message {
    chat: Chat,
    text: Option<String>,
}

#[derive(Deserialize)]
struct Chat {
    id: i64,
}

/// The updates in an answer.
pub(crate) fn read(answer: &[u8]) -> Option<Vec<Update>> {
    let updates = serde_json::from_slice::<Updates>(answer).ok()?;
    Some(updates.result)
}

/// What Telegram says beside a failure.
#[derive(Deserialize)]
struct Refused {
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
struct Parameters {
    retry_after: Option<u64>,
}

/// How long Telegram asks us to wait: in the body, where other providers use a header.
pub(crate) fn wait(answer: &Answer) -> Option<Duration> {
    let refused: Refused = serde_json::from_slice(&answer.body).ok()?;
    let seconds = refused.parameters?.retry_after?;
    Some(Duration::from_secs(seconds.min(300)))
}

impl Telegram {
    pub(crate) const KIND: &str = KIND;

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        let words = channel.get("chats").unwrap_or_default();
        let words = words.split([' ', ',']).filter(|word| !word.is_empty());
        let chats: Result<_, _> = words.map(str::parse).collect();
        Ok(Some(Self {
            bot: Bot::new(channel)?,
            chats: chats.map_err(|_| "`chats` holds something that is no id of a chat")?,
        }))
    }

    pub(crate) async fn run(&self, context: &Context) {
        let mut handing = Handing::default();
        while !context.stop.is_cancelled() {
            let asked = tokio::select! {
                () = context.stop.cancelled() => return,
                asked = self.ask(context, &handing) => asked,
            };
            match asked {
                Ok(updates) => {
                    context.health(None);
                    for update in updates {
                        handing.offer(context, update, &self.chats);
                    }
                    tokio::select! {
                        () = context.stop.cancelled() => return,
                        // A text that is decided slowly must not keep us from the next one.
                        _ = timeout(PATIENCE, handing.all_ended()) => {}
                    }
                }
                Err((why, wait)) => {
                    context.health(Some(why));
                    context.nap(wait).await;
                }
            }
        }
    }

    async fn ask(
        &self,
        context: &Context,
        handing: &Handing,
    ) -> Result<Vec<Update>, (String, Duration)> {
        const PAUSE: Duration = Duration::from_secs(3);
        // What is not confirmed is given at once, every time: then there is nothing to wait for at Telegram.
        let poll = if handing.order.open.is_empty() {
            POLL
        } else {
            0
        };
        let mut body = serde_json::json!({
            "timeout": poll, "limit": 100, "allowed_updates": ["message"],
        });
        if let (Some(offset), Some(body)) = (handing.order.next, body.as_object_mut()) {
            body.insert("offset".to_owned(), offset.into());
        }
        let request = self.bot.request("getUpdates", &body);
        let request = request.map_err(|why| (why, PAUSE))?;
        let limit = Duration::from_secs(POLL) + GRACE;
        let answer = context.web.call(request, limit).await;
        let answer = answer.map_err(|why| (why, PAUSE))?;
        if !answer.status.is_success() {
            return Err((answer.refusal(), wait(&answer).unwrap_or(PAUSE).max(PAUSE)));
        }
        read(&answer.body).ok_or(("its answer is not understood".to_owned(), PAUSE))
    }
}

/// What is being handed over.
#[derive(Default)]
struct Handing {
    offers: JoinSet<Option<i64>>,
    order: Order,
}

/// What may be confirmed: nothing before everything older was taken.
#[derive(Default)]
pub(crate) struct Order {
    /// Updates, and whether they are done with.
    open: BTreeMap<i64, bool>,
    /// What to ask for next; asking confirms everything before it.
    pub(crate) next: Option<i64>,
}

impl Handing {
    fn offer(&mut self, context: &Context, update: Update, chats: &BTreeSet<i64>) {
        let number = update.update_id;
        if !self.order.begins(number) {
            return;
        }
        let text = update.message.and_then(|m| Some((m.chat.id, m.text?)));
        let heard = |chat: &i64| chats.is_empty() || chats.contains(chat);
        let Some((chat, text)) = text.filter(|(chat, _)| heard(chat)) else {
            self.order.ended(number);
            return;
        };
        let context = context.clone();
        self.offers.spawn(async move {
            let (id, sender) = (number.to_string(), chat.to_string());
            let taken = context.text(&id, Some(&sender), &text, None).await;
            (taken != Err(Untaken::Stopping)).then_some(number)
        });
    }

    async fn all_ended(&mut self) {
        while let Some(ended) = self.offers.join_next().await {
            if let Ok(Some(number)) = ended {
                self.order.ended(number);
            }
        }
    }
}

impl Order {
    /// Whether it was not seen before.
    pub(crate) fn begins(&mut self, number: i64) -> bool {
        if self.open.contains_key(&number) || self.next.is_some_and(|next| number < next) {
            return false;
        }
        self.open.insert(number, false);
        true
    }

    /// It is done with.
    pub(crate) fn ended(&mut self, number: i64) {
        self.open.insert(number, true);
        while let Some(first) = self.open.first_entry().filter(|entry| *entry.get()) {
            let (number, _) = first.remove_entry();
            // The last number there is has none after it: a server that sends it is not Telegram.
            self.next = Some(number.saturating_add(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confirmed(answer: &str, taken: &[i64]) -> Option<i64> {
        let mut order = Order::default();
        for update in read(answer.as_bytes()).unwrap() {
            order.begins(update.update_id);
        }
        for number in taken {
            order.ended(*number);
        }
        order.next
    }

    #[test]
    fn nothing_is_confirmed_before_everything_older_was_taken() {
        let answer = r#"{"ok":true,"result":[{"update_id":7},{"update_id":8}]}"#;
        assert_eq!(confirmed(answer, &[8]), None);
        assert_eq!(confirmed(answer, &[8, 7]), Some(9));
    }

    #[test]
    fn the_last_number_there_is_ends_nothing() {
        let answer = r#"{"ok":true,"result":[{"update_id":9223372036854775807}]}"#;
        assert_eq!(confirmed(answer, &[i64::MAX]), Some(i64::MAX));
    }
}
