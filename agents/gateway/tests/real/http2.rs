//! Many exchanges on one connection: a cut ends those it closes, at once, and no other.

use crate::support::*;
use bytes::Bytes;
use h2::client::{self, ResponseFuture, SendRequest};
use h2::{Reason, RecvStream};
use http::Request;
use site_tests::upstream::End;
use std::time::Duration;
use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout},
};

/// One connection of a client that says from the start that it speaks HTTP/2.
struct Many {
    sender: SendRequest<Bytes>,
    tasks: JoinSet<Result<(), h2::Error>>,
}

impl Many {
    async fn to(site: &Site, window: u32) -> Self {
        let stream = TcpStream::connect(site.addr()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = client::Builder::new()
            .initial_window_size(window)
            .max_send_buffer_size(1 << 20)
            .handshake(stream)
            .await
            .unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(connection);
        Self { sender, tasks }
    }

    async fn ask(&mut self, key: &str, model: &str) -> ResponseFuture {
        let body = format!(r#"{{"model":"{model}","stream":true,"max_tokens":100000}}"#);
        let request = Request::post("http://gateway/v1/chat/completions")
            .header("authorization", format!("Bearer {key}"))
            .body(())
            .unwrap();
        let mut sender = self.sender.clone().ready().await.unwrap();
        let (answer, mut out) = sender.send_request(request, false).unwrap();
        out.send_data(body.into(), true).unwrap();
        answer
    }

    /// An answer that has begun.
    async fn stream(&mut self, key: &str, model: &str) -> RecvStream {
        let answer = self.ask(key, model).await;
        let response = timeout(LIMIT, answer).await.unwrap().unwrap();
        assert_eq!(response.status(), 200);
        response.into_body()
    }
}

async fn piece(body: &mut RecvStream) -> Option<Result<Bytes, h2::Error>> {
    let piece = timeout(LIMIT, body.data()).await.unwrap();
    if let Some(Ok(data)) = &piece {
        body.flow_control().release_capacity(data.len()).unwrap();
    }
    piece
}

/// What still comes, and how it ends.
async fn rest(body: &mut RecvStream) -> (Vec<u8>, Result<(), h2::Error>) {
    let mut all = Vec::new();
    loop {
        match piece(body).await {
            Some(Ok(data)) => all.extend_from_slice(&data),
            Some(Err(error)) => return (all, Err(error)),
            None => return (all, Ok(())),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_ends_its_streams_with_an_error_event_and_the_others_go_on() {
    let site = Site::open().await;
    let mut many = Many::to(&site, 1 << 20).await;
    let mut stalled = many.stream(CLAW, "stall").await;
    let mut busy = many.stream(CLAW, "trickle").await;
    let waiting = many.ask(CLAW, "silent").await;
    let mut other = many.stream(RAG, "steady").await;
    site.until_open(4).await;
    assert_eq!(site.apply(2, &["claw"]).await, 3);
    for body in [&mut stalled, &mut busy] {
        let (all, end) = rest(body).await;
        end.unwrap();
        assert_eq!(events(&all).last().unwrap()["error"]["incident"], 7);
    }
    let refused = timeout(LIMIT, waiting).await.unwrap().unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.headers()["x-portcullis-incident"], "7");
    assert!(!refused.headers().contains_key("connection"));
    for _ in 0..5 {
        piece(&mut other).await.unwrap().unwrap();
    }
    // The same connection is refused, and served again, like any other.
    let refused = many.ask(CLAW, "steady").await;
    assert_eq!(
        timeout(LIMIT, refused).await.unwrap().unwrap().status(),
        503
    );
    site.apply(3, &[]).await;
    let mut again = many.stream(CLAW, "steady").await;
    piece(&mut again).await.unwrap().unwrap();
    drop((again, other));
    site.until_open(0).await;
    let served = site.home.ended(5, LIMIT).await;
    assert!(served.iter().all(|served| served.end == End::Aborted));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_not_read_does_not_keep_its_target() {
    let site = Site::open().await;
    let mut many = Many::to(&site, 65_535).await;
    let mut unread = many.stream(CLAW, "flood").await;
    let mut other = many.stream(RAG, "steady").await;
    site.until_open(2).await;
    sleep(Duration::from_millis(300)).await;
    println!("{:?} {:?}", site.observed().await, site.home.log());
    assert_eq!(site.apply(2, &["claw"]).await, 1);
    let served = site.home.ended(1, LIMIT).await;
    assert_eq!(served[0].end, End::Aborted);
    // No window, no error event: the stream is reset, and what the client had not asked for stays here.
    let (all, end) = rest(&mut unread).await;
    assert_eq!(end.unwrap_err().reason(), Some(Reason::CANCEL));
    assert!(all.len() <= 65_535);
    for _ in 0..5 {
        piece(&mut other).await.unwrap().unwrap();
    }
    drop(other);
    site.until_open(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_nothing_from_its_socket_is_reset_by_a_cut() {
    let site = Site::open().await;
    let stream = TcpStream::connect(site.addr()).await.unwrap();
    let (sender, connection) = client::Builder::new()
        .initial_window_size(1 << 30)
        .initial_connection_window_size(1 << 30)
        .handshake::<_, Bytes>(stream)
        .await
        .unwrap();
    let mut connection = Box::pin(connection);
    let mut many = sender;
    let mut asked = Vec::new();
    for key in [CLAW, RAG] {
        let body = r#"{"model":"flood","stream":true}"#;
        let request = Request::post("http://gateway/v1/chat/completions")
            .header("authorization", format!("Bearer {key}"))
            .body(())
            .unwrap();
        let (answer, mut out) = many.send_request(request, false).unwrap();
        out.send_data(Bytes::from_static(body.as_bytes()), true)
            .unwrap();
        asked.push(answer);
    }
    // Driven until both stand, and never again.
    let stand = site.until_open(2);
    tokio::select! {
        () = stand => {}
        _ = &mut connection => panic!("the connection ended"),
    }
    sleep(Duration::from_millis(500)).await;
    assert_eq!(site.apply(2, &["claw"]).await, 1);
    // The other consumer's stream shares the socket that takes nothing: it goes with it.
    let served = site.home.ended(2, LIMIT).await;
    assert!(served.iter().all(|served| served.end == End::Aborted));
    site.until_open(0).await;
    assert!(timeout(LIMIT, connection).await.unwrap().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_on_which_everything_was_cut_is_closed() {
    let site = Site::open().await;
    let mut many = Many::to(&site, 1 << 20).await;
    let mut one = many.stream(CLAW, "stall").await;
    let mut two = many.stream(RAG, "slow").await;
    assert_eq!(site.apply(2, &["all"]).await, 2);
    for body in [&mut one, &mut two] {
        let (all, end) = rest(body).await;
        end.unwrap();
        assert_eq!(events(&all).last().unwrap()["error"]["code"], "cut");
    }
    drop((one, two, many.sender));
    let ended = timeout(LIMIT, many.tasks.join_next()).await.unwrap();
    ended.unwrap().unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_takes_questions_back_by_the_hundred_loses_the_connection_and_nobody_else() {
    let site = Site::open().await;
    let mut other = Many::to(&site, 1 << 20).await;
    let mut calm = other.stream(RAG, "steady").await;
    let many = Many::to(&site, 1 << 20).await;
    let mut sender = many.sender.clone();
    let flood = async {
        for _ in 0..100_000 {
            let request = Request::post("http://gateway/v1/chat/completions")
                .body(())
                .unwrap();
            sender = sender.ready().await?;
            let (_, mut out) = sender.send_request(request, false)?;
            out.send_reset(Reason::CANCEL);
        }
        Ok::<(), h2::Error>(())
    };
    assert!(timeout(LIMIT, flood).await.unwrap().is_err());
    for _ in 0..5 {
        piece(&mut calm).await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_at_any_moment_finds_every_stream() {
    let site = Site::open().await;
    for round in 0..60_u64 {
        let mut many = Many::to(&site, 1 << 20).await;
        let mut answers = Vec::new();
        for _ in 0..8 {
            answers.push(many.ask(CLAW, "steady").await);
        }
        sleep(Duration::from_micros(round * 97 % 9000)).await;
        site.apply(round * 2 + 2, &["llm"]).await;
        for answer in answers {
            let Ok(response) = timeout(LIMIT, answer).await.unwrap() else {
                continue;
            };
            if response.status() == 200 {
                let (all, end) = rest(&mut response.into_body()).await;
                end.unwrap();
                assert_eq!(events(&all).last().unwrap()["error"]["code"], "cut");
            } else {
                assert_eq!(response.status(), 503);
            }
        }
        site.until_open(0).await;
        site.apply(round * 2 + 3, &[]).await;
    }
}
