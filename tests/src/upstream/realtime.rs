//! Plays a script into a session of OpenAI's realtime API.

use super::{
    Shared,
    log::{End, Running},
    script::Script,
};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error, Message, handshake::derive_accept_key, protocol::Role},
};

/// Tokens of an answer where nobody says how many.
const USUAL: u64 = 20;
/// Of a prompt, as every figure claims.
const PROMPT: u64 = 11;

/// Scripts that refuse a handshake; as plain, a server that knows the API's other paths alone.
const REFUSALS: [(Script, StatusCode); 4] = [
    (Script::Error500, StatusCode::INTERNAL_SERVER_ERROR),
    (Script::Error503, StatusCode::SERVICE_UNAVAILABLE),
    (Script::Plain, StatusCode::NOT_FOUND),
    (Script::Strict, StatusCode::UNAUTHORIZED),
];
/// Time between two deltas, where it is another than 20 ms.
const PAUSES: [(Script, Duration); 4] = [
    (Script::Flood, Duration::ZERO),
    (Script::Burst, Duration::ZERO),
    (Script::Slow, Duration::from_secs(1)),
    (Script::Paced, Duration::from_millis(10)),
];

/// A session that was agreed on, while its connection is still HTTP.
pub(super) struct Session {
    running: Running,
    script: Script,
    model: String,
}

/// Where a connection finds what it goes on with.
#[derive(Clone, Default)]
pub(super) struct Slot(Arc<Mutex<Option<Session>>>);

impl Slot {
    pub(super) fn take(&self) -> Option<Session> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Answers a handshake, if the request is one.
pub(super) async fn handshake<B>(
    request: &Request<B>,
    shared: &Shared,
    slot: &Slot,
) -> Option<Response<Full<Bytes>>> {
    let (uri, headers) = (request.uri(), request.headers());
    if !uri.path().ends_with("/realtime") || !headers.contains_key(header::UPGRADE) {
        return None;
    }
    let mut running = shared.log.begin(uri.to_string(), headers, b"");
    let pairs = uri.query().unwrap_or_default().split('&');
    let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
    let model = pairs.find(|(name, _)| *name == "model");
    let model = model.map_or_else(String::new, |(_, model)| model.to_owned());
    running.record.model.clone_from(&model);
    let script = shared.always().or_else(|| model.parse().ok());
    let script = script.unwrap_or(Script::Steady);
    if script == Script::Silent {
        let _held = running;
        std::future::pending::<()>().await;
        return None;
    }
    let refused = REFUSALS.iter().find(|(refusing, _)| *refusing == script);
    Some(match refused {
        Some((_, status)) => refusal(running, *status),
        None => agree(headers, script, model, running, slot),
    })
}

fn refusal(mut running: Running, status: StatusCode) -> Response<Full<Bytes>> {
    let text = r#"{"error":{"message":"Refused by the script.","type":"scripted","param":null,"code":"scripted"}}"#;
    running.sent(text.as_bytes(), 0);
    running.record.end = End::Complete;
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Agrees to a session, which is played when the connection is no longer HTTP.
fn agree(
    asked: &HeaderMap,
    script: Script,
    model: String,
    running: Running,
    slot: &Slot,
) -> Response<Full<Bytes>> {
    let key = asked.get(header::SEC_WEBSOCKET_KEY);
    let accept = derive_accept_key(key.map_or(b"", HeaderValue::as_bytes));
    *slot.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Session {
        running,
        script,
        model,
    });
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    let offered = asked.get(header::SEC_WEBSOCKET_PROTOCOL);
    if offered.is_some_and(|offered| offered.as_bytes().starts_with(b"realtime")) {
        let realtime = HeaderValue::from_static("realtime");
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, realtime);
    }
    response
}

/// An answer under way.
struct Answer {
    at: u64,
    last: u64,
}

/// Plays until the peer leaves; true when the connection shall be reset.
pub(super) async fn play(stream: &mut TcpStream, session: Session) -> bool {
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    let mut playing = Playing {
        session,
        answer: None,
    };
    let created = json!({"type":"session.created","event_id":"event_1","session":{"id":"sess_1","object":"realtime.session","type":"realtime","model":playing.session.model}});
    let mut outcome = playing.say(&mut socket, &created).await;
    while outcome.is_ok() {
        tokio::select! {
            heard = socket.next() => match heard {
                Some(Ok(Message::Text(text))) => outcome = playing.hear(&mut socket, &text).await,
                Some(Ok(Message::Close(_))) => {
                    playing.session.running.record.end = End::Complete;
                    let _closed = socket.flush().await;
                    return false;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return false,
            },
            () = pause(playing.session.script), if playing.goes_on() => {
                outcome = playing.next(&mut socket).await;
                if playing.breaks_off() {
                    playing.session.running.record.end = End::BrokenOff;
                    tokio::time::sleep(Duration::from_millis(30)).await;
                    return playing.session.script == Script::Reset;
                }
            }
        }
    }
    false
}

async fn pause(script: Script) {
    let other = PAUSES.iter().find(|(paced, _)| *paced == script);
    match other.map_or(Duration::from_millis(20), |(_, pause)| *pause) {
        Duration::ZERO => tokio::task::yield_now().await,
        pause => tokio::time::sleep(pause).await,
    }
}

type Socket<'a> = WebSocketStream<&'a mut TcpStream>;

struct Playing {
    session: Session,
    answer: Option<Answer>,
}

impl Playing {
    fn goes_on(&self) -> bool {
        let stalls = self.session.script == Script::Stall;
        self.answer
            .as_ref()
            .is_some_and(|answer| !(stalls && answer.at > 0))
    }

    fn breaks_off(&self) -> bool {
        let breaks = matches!(self.session.script, Script::Reset | Script::Truncate);
        breaks && self.answer.as_ref().is_some_and(|answer| answer.at >= 3)
    }

    async fn say(&mut self, socket: &mut Socket<'_>, event: &Value) -> Result<(), Error> {
        let text = event.to_string();
        let chunks = u64::from(event.get("delta").is_some());
        socket.send(Message::text(text.clone())).await?;
        self.session.running.sent(text.as_bytes(), chunks);
        Ok(())
    }

    async fn hear(&mut self, socket: &mut Socket<'_>, text: &str) -> Result<(), Error> {
        let event: Value = serde_json::from_str(text).unwrap_or_default();
        match event.get("type").and_then(Value::as_str) {
            Some("response.create") => {
                let most = event.pointer("/response/max_output_tokens");
                let most = most.and_then(Value::as_u64).unwrap_or(USUAL);
                let endless = self.session.script == Script::Flood;
                let last = if endless { u64::MAX } else { most };
                self.answer = Some(Answer { at: 0, last });
                let created = json!({"type":"response.created","event_id":"event_2","response":{"id":"resp_1","object":"realtime.response","status":"in_progress","output":[],"usage":null}});
                self.say(socket, &created).await
            }
            Some("session.update") => {
                let updated = json!({"type":"session.updated","event_id":"event_3","session":event.get("session")});
                self.say(socket, &updated).await
            }
            Some("conversation.item.create") => {
                let created = json!({"type":"conversation.item.created","event_id":"event_4","item":event.get("item")});
                self.say(socket, &created).await
            }
            _ => Ok(()),
        }
    }

    async fn next(&mut self, socket: &mut Socket<'_>) -> Result<(), Error> {
        let Some(answer) = &mut self.answer else {
            return Ok(());
        };
        if answer.at < answer.last {
            let delta = json!({"type":"response.output_text.delta","event_id":format!("event_d{}", answer.at),"response_id":"resp_1","item_id":"item_1","output_index":0,"content_index":0,"delta":format!("w{} ", answer.at)});
            answer.at += 1;
            return self.say(socket, &delta).await;
        }
        let said = answer.last;
        self.answer = None;
        let record = &mut self.session.running.record;
        let usage = self.session.script.usage(said, true).map(|usage| {
            let before = record.usage.unwrap_or_default();
            record.usage = Some((before.0 + usage.prompt, before.1 + usage.completion));
            json!({
                "total_tokens": usage.prompt + usage.completion,
                "input_tokens": usage.prompt,
                "output_tokens": usage.completion,
                "input_token_details": {"text_tokens": PROMPT, "audio_tokens": 0, "cached_tokens": usage.cached},
                "output_token_details": {"text_tokens": said, "audio_tokens": 0},
            })
        });
        let done = json!({"type":"response.done","event_id":"event_9","response":{"id":"resp_1","object":"realtime.response","status":"completed","output":[],"usage":usage}});
        self.say(socket, &done).await
    }
}
