//! What reads bytes from outside, as it is, for the fuzzers in `tests/fuzz`: no other build has this module.

use crate::channel::ChannelSettings;
use crate::endpoint::Endpoint;
use crate::letter::{Again, Failure};
use crate::modem_manager::Received;
use crate::mqtt::{Heard, panel};
use crate::ntfy::{Event, first_line};
use crate::replies::vonage;
use crate::web::Answer;
use crate::{aws, mqtt, sqs, telegram};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use kill_wire::{Scope, Timestamp};
use std::time::Duration;
use zbus::zvariant::LE;
use zbus::zvariant::serialized::{Context, Data};

/// The updates of an answer, and what the next call confirms when all of them were taken.
#[must_use]
pub fn telegram(answer: &[u8]) -> Option<(Vec<i64>, Option<i64>)> {
    let updates = telegram::read(answer)?.into_iter();
    let numbers: Vec<i64> = updates.map(|update| update.update_id).collect();
    let mut order = telegram::Order::default();
    for number in &numbers {
        order.begins(*number);
    }
    for number in &numbers {
        order.ended(*number);
    }
    Some((numbers, order.next))
}

/// The first line of a stream, taken out of it, or why it ends there.
pub fn ntfy_line(stream: &mut Vec<u8>) -> Result<Option<Vec<u8>>, &'static str> {
    first_line(stream)
}

/// Id and text of a line of the stream.
#[must_use]
pub fn ntfy(line: &[u8]) -> Option<(String, String)> {
    Event::read(line)?.message()
}

/// The bodies in an answer of a queue.
#[must_use]
pub fn sqs(answer: &[u8]) -> Option<Vec<String>> {
    let messages = sqs::read(answer)?.into_iter();
    Some(messages.map(|message| message.body).collect())
}

/// What an answer to a reply comes to, by each way of reading it: for people, and how long it has us wait.
#[must_use]
pub fn answer(status: u16, retry_after: &[u8], body: &[u8]) -> Vec<(String, Option<Duration>)> {
    let (Ok(status), Ok(wait)) = (
        StatusCode::from_u16(status),
        HeaderValue::from_bytes(retry_after),
    ) else {
        return Vec::new();
    };
    let answer = Answer {
        status,
        headers: HeaderMap::from_iter([(header::RETRY_AFTER, wait)]),
        body: body.to_vec().into(),
    };
    let told = |failure: Failure| match failure.again {
        Again::After(wait) => (failure.why, Some(wait)),
        Again::Never | Again::Broken | Again::Later => (failure.why, None),
    };
    let mut all = vec![
        told(answer.failure()),
        told(aws::failure(&answer)),
        (String::new(), telegram::wait(&answer)),
    ];
    all.extend(vonage::accepted(&answer).err().map(told));
    all
}

/// The host of an address and that of its root.
#[must_use]
pub fn endpoint(address: &str) -> Option<(String, String)> {
    let endpoint = Endpoint::new("server", address).ok()?;
    let host = endpoint.host().to_owned();
    Some((host, endpoint.root().host().to_owned()))
}

/// The scope a message on the broker presses, or the text it brings with its id.
#[must_use]
pub fn mqtt(
    settings: &ChannelSettings,
    topic: &str,
    content: &[u8],
    retained: bool,
) -> (Option<Scope>, Option<(String, Option<String>)>) {
    match panel(settings).map(|panel| mqtt::read(&panel, topic, content, retained)) {
        Ok(Heard::Press(scope)) => (Some(scope), None),
        Ok(Heard::Text(text)) => (None, Some((text.text().to_owned(), text.id()))),
        Ok(Heard::Nothing(_)) | Err(_) => (None, None),
    }
}

/// Sender, text and instant of a text whose properties the bus gives in these bytes.
#[must_use]
pub fn modem_manager(properties: &[u8]) -> Option<(String, String, Option<Timestamp>)> {
    let data = Data::new(properties, Context::new_dbus(LE, 0));
    let received = Received::read(&data.deserialize().ok()?.0)?;
    let sent = received.sent();
    Some((received.sender, received.text, sent))
}
