//! Realtime sessions: the same admission, meter and cord as every other exchange, over WebSockets on both sides.

mod hostile;
mod moments;
mod ways;

use crate::support::*;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, StatusCode};
use net_model::{Api, Ended};
use serde_json::{Value, json};
use site_tests::upstream::End;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _, protocol::CloseFrame},
};

/// A client's session.
pub(crate) struct Session<S = TcpStream> {
    pub(crate) socket: WebSocketStream<S>,
    pub(crate) headers: HeaderMap,
}

/// What a handshake that came to nothing was answered.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// Opens a session; `pairs` are headers.
pub(crate) async fn dial(
    addr: SocketAddr,
    query: &str,
    pairs: &[(&'static str, &str)],
) -> Result<Session, Refused> {
    let stream = TcpStream::connect(addr).await.unwrap();
    dial_over(stream, query, pairs).await
}

/// The same on a connection that stands.
pub(crate) async fn dial_over<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    query: &str,
    pairs: &[(&'static str, &str)],
) -> Result<Session<S>, Refused> {
    let url = format!("ws://gateway/v1/realtime?{query}");
    let mut request = url.into_client_request().unwrap();
    for (name, value) in pairs {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match timeout(LIMIT, client_async(request, stream)).await.unwrap() {
        Ok((socket, response)) => Ok(Session {
            socket,
            headers: response.headers().clone(),
        }),
        Err(Error::Http(response)) => Err(Refused {
            status: response.status(),
            headers: response.headers().clone(),
            body: serde_json::from_slice(response.body().as_deref().unwrap_or_default())
                .unwrap_or_default(),
        }),
        Err(error) => panic!("{error}"),
    }
}

impl Site {
    pub(crate) async fn dial(&self, key: &str, model: &str) -> Result<Session, Refused> {
        let bearer = format!("Bearer {key}");
        let pairs = [("authorization", bearer.as_str())];
        dial(self.addr(), &format!("model={model}"), &pairs).await
    }

    pub(crate) async fn session(&self, key: &str, model: &str) -> Session {
        self.dial(key, model).await.unwrap()
    }

    pub(crate) async fn refused(&self, key: &str, model: &str) -> Refused {
        self.dial(key, model).await.err().unwrap()
    }

    /// Waits until no exchange, seat or room is taken any more.
    pub(crate) async fn until_all_is_given_back(&self) {
        self.until_open(0).await;
        let until = Instant::now() + LIMIT;
        while self.observed().await.targets.iter().any(|it| it.open > 0)
            || self.home.open() + self.away.open() > 0
        {
            assert!(Instant::now() < until, "something is still held");
            sleep(Duration::from_millis(3)).await;
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    pub(crate) async fn say(&mut self, event: &Value) {
        self.socket
            .send(Message::text(event.to_string()))
            .await
            .unwrap();
    }

    pub(crate) async fn ask(&mut self, tokens: u64) {
        self.say(&json!({"type":"response.create","response":{"max_output_tokens":tokens}}))
            .await;
    }

    /// The next event; or the close, as it was said.
    pub(crate) async fn hear(&mut self) -> Result<Value, Option<CloseFrame>> {
        loop {
            match timeout(LIMIT, self.socket.next()).await.unwrap() {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(word))) => return Err(word),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// Hears up to an event of this type.
    pub(crate) async fn until(&mut self, kind: &str) -> Value {
        loop {
            let event = self.hear().await.unwrap();
            if event.get("type").unwrap() == kind {
                return event;
            }
        }
    }

    /// Hears everything to the end: the last event, and code and reason of the close.
    pub(crate) async fn rest(&mut self) -> (Value, Option<(u16, String)>) {
        let mut last = Value::Null;
        loop {
            match self.hear().await {
                Ok(event) => last = event,
                Err(word) => {
                    let word = word.map(|word| (u16::from(word.code), word.reason.to_string()));
                    return (last, word);
                }
            }
        }
    }
}

pub(crate) fn said(code: u16, reason: &str) -> Option<(u16, String)> {
    Some((code, reason.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_passes_is_counted_and_written_down_once() {
    let site = Site::open().await;
    let mut session = site.session(CLAW, "steady").await;
    assert_eq!(session.headers["x-portcullis-target"], "home");
    assert_eq!(
        session.until("session.created").await["session"]["model"],
        "steady"
    );
    for tokens in [3, 5] {
        let item = json!({"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"hello"}]}});
        session.say(&item).await;
        assert_eq!(
            session.until("conversation.item.created").await["item"],
            item["item"]
        );
        session.ask(tokens).await;
        session.until("response.created").await;
        for at in 0..tokens {
            let delta = session.until("response.output_text.delta").await;
            assert_eq!(delta["delta"], format!("w{at} "));
        }
        let done = session.until("response.done").await;
        assert_eq!(done["response"]["usage"]["output_tokens"], tokens);
    }
    assert_eq!(site.observed().await.exchanges[0].model, "steady");
    session.socket.close(None).await.unwrap();
    let records = site.until_spooled(1).await;
    site.until_all_is_given_back().await;
    assert_eq!(site.spooled().len(), 1);
    let record = &records[0];
    assert_eq!(record.api, Api::Realtime);
    assert_eq!((record.status, record.ended), (101, Ended::Complete));
    assert_eq!((record.prompt_tokens, record.completion_tokens), (22, 8));
    assert!(record.stream && !record.estimated && record.first_byte_ms.is_some());
    let served = site.home.ended(1, LIMIT).await;
    assert_eq!(
        (served[0].usage, served[0].end),
        (Some((22, 8)), End::Complete)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_come_in_four_places_and_go_no_further() {
    let site = Site::open().await;
    let protocols = format!("realtime, openai-insecure-api-key.{CLAW}");
    let bearer = format!("Bearer {CLAW}");
    for pairs in [
        vec![("authorization", bearer.as_str())],
        vec![("x-api-key", CLAW)],
        vec![("api-key", CLAW)],
        vec![("sec-websocket-protocol", protocols.as_str())],
    ] {
        let mut pairs = pairs;
        pairs.push(("openai-beta", "realtime=v1"));
        pairs.push(("origin", "http://a.page"));
        let browser = pairs[0].0 == "sec-websocket-protocol";
        let session = dial(site.addr(), "model=steady", &pairs).await.unwrap();
        let chosen = session.headers.get("sec-websocket-protocol");
        assert_eq!(chosen.is_some_and(|it| it == "realtime"), browser);
        assert!(!session.headers.contains_key("sec-websocket-extensions"));
    }
    site.until_all_is_given_back().await;
    let ours = {
        use sha2::Digest as _;
        let hash = sha2::Sha256::digest(b"sk-home");
        hash.iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    for served in site.home.ended(4, LIMIT).await {
        let text = format!("{:?} {}", served.headers, served.path);
        assert!(!text.contains(CLAW), "{text}");
        assert_eq!(served.bearer_sha256.as_deref(), Some(ours.as_str()));
        let header = |name: &str| served.headers.iter().find(|(it, _)| it == name);
        assert_eq!(header("openai-beta").unwrap().1, "realtime=v1");
        assert!(header("origin").is_none() && header("api-key").is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_opened_is_refused_in_openai_s_shape() {
    let site = Site::closed();
    let code = async |key: &str, query: &str| {
        let bearer = format!("Bearer {key}");
        let refused = dial(site.addr(), query, &[("authorization", &bearer)]).await;
        let refused = refused.err().unwrap();
        let code = refused.body["error"]["code"].as_str().unwrap().to_owned();
        (refused.status.as_u16(), code)
    };
    let expected = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(
        code("pck_x", "model=steady").await,
        expected(401, "invalid_api_key")
    );
    assert_eq!(code(CLAW, "model=steady").await, expected(503, "closed"));
    site.apply(1, &["LLM"]).await;
    assert_eq!(code(CLAW, "model=steady").await, expected(503, "cut"));
    let refused = site.refused(CLAW, "steady").await;
    assert_eq!(refused.headers["x-portcullis-incident"], "7");
    site.apply(2, &[]).await;
    assert_eq!(
        code(CLAW, "model=gpt-9").await,
        expected(404, "model_not_found")
    );
    assert_eq!(code(CLAW, "a=b").await, expected(400, "model_missing"));
    assert_eq!(
        code(CLAW, "model=steady&model=slow").await,
        expected(400, "invalid_body")
    );
    assert_eq!(site.home.log().len() + site.away.log().len(), 0);
    site.until_all_is_given_back().await;
    assert!(site.spooled().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_websocket_it_says_what_to_ask_for() {
    let site = Site::open().await;
    let answer = site.get(CLAW, "/v1/realtime?model=steady").await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (426, "upgrade_required")
    );
    assert_eq!(answer.header("upgrade"), "websocket");
    assert_eq!(answer.header("sec-websocket-version"), "13");
    let post = http::Request::post("/v1/realtime?model=steady")
        .header("host", "gateway")
        .header("authorization", format!("Bearer {CLAW}"))
        .body(http_body_util::Full::default())
        .unwrap();
    assert_eq!(whole(send(site.addr(), post).await).await.status, 405);
    assert_eq!(site.home.log().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_ends_a_session_in_the_middle_and_after_the_restore_another_opens() {
    let site = Site::open().await;
    for (seq, model) in [(2, "steady"), (4, "stall"), (6, "flood")] {
        let mut session = site.session(CLAW, model).await;
        session.ask(100_000).await;
        session.until("response.output_text.delta").await;
        let before = Instant::now();
        assert_eq!(site.apply(seq, &["LLM"]).await, 1);
        let (last, close) = session.rest().await;
        assert_eq!(last["type"], "error", "{model}: {last}");
        assert_eq!(last["error"]["code"], "cut");
        assert_eq!(last["error"]["incident"], 7);
        assert_eq!(close, said(1008, "cut"), "{model}");
        assert!(before.elapsed() < Duration::from_secs(5));
        site.until_all_is_given_back().await;
        assert_eq!(site.refused(CLAW, model).await.status, 503);
        assert_eq!(site.apply(seq + 1, &[]).await, 0);
    }
    for record in site.until_spooled(3).await {
        assert_eq!(
            (record.ended, record.incident.map(|it| it.get())),
            (Ended::Cut, Some(7))
        );
        assert!(
            record.estimated && record.completion_tokens > 0,
            "{record:?}"
        );
    }
    for served in site.home.ended(3, LIMIT).await {
        assert_eq!(served.end, End::Aborted);
    }
    let mut session = site.session(CLAW, "steady").await;
    session.ask(2).await;
    session.until("response.done").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_nobody_speaks_in_ends_with_a_cut_too() {
    let site = Site::open().await;
    let mut session = site.session(CLAW, "steady").await;
    session.until("session.created").await;
    assert_eq!(site.apply(2, &["claw"]).await, 1);
    let (last, close) = session.rest().await;
    assert_eq!(
        (&last["error"]["code"], close),
        (&json!("cut"), said(1008, "cut"))
    );
    site.until_all_is_given_back().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_nothing_slows_its_target_and_is_reset_by_a_cut() {
    let site = Site::open().await;
    let mut session = site.session(CLAW, "flood").await;
    session.ask(1).await;
    // Long enough for a megabyte a millisecond, if anybody held it.
    sleep(Duration::from_millis(400)).await;
    assert_eq!(site.apply(2, &["ALL"]).await, 1);
    site.until_all_is_given_back().await;
    let sent = site.home.ended(1, LIMIT).await[0].sent_bytes;
    assert!(sent < 16 << 20, "{sent} bytes are held somewhere");
    assert_eq!(site.until_spooled(1).await[0].ended, Ended::Cut);
    // Bytes that left before may be read; then comes a reset, or the rest of the story.
    let (_, close) = session.rest().await;
    assert!(close.is_none() || close == said(1008, "cut"), "{close:?}");
}
