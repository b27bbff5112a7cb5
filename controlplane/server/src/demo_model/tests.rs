use super::*;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout};

const PATIENCE: Duration = Duration::from_secs(5);

fn started() -> (DemoModel, std::net::SocketAddr) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (DemoModel::start(listener).unwrap(), address)
}

async fn send(address: std::net::SocketAddr, head: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "{head} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn ask(address: std::net::SocketAddr, head: &str, body: &str) -> (String, String) {
    let mut stream = send(address, head, body).await;
    let mut text = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut text))
        .await
        .unwrap()
        .unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// The JSON of every event in a chunked body, and whether `[DONE]` came last.
fn events(body: &str) -> (Vec<Value>, bool) {
    let lines: Vec<&str> = body
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .collect();
    let (last, events) = lines.split_last().unwrap();
    let events = events
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    (events, *last == "[DONE]")
}

const CHAT: &str = "POST /v1/chat/completions";

#[tokio::test]
async fn a_whole_answer_comes_at_once_is_labelled_and_counted() {
    let (model, address) = started();
    let body = r#"{"model":"any","messages":[{"role":"user","content":"who are you"},
        {"role":"user","content":[{"type":"text","text":"say it"}]}]}"#;
    let (head, body) = ask(address, CHAT, body).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    let text = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(text.starts_with("[demo model] ") && text.contains("No language model"));
    assert!(text.contains("portcullis text \"KILL CODE\"") && text.contains("RESTORE ALL CODE"));
    let words = text.split_whitespace().count() - 2;
    assert!(
        (280..420).contains(&words),
        "{words} words take {} s",
        words / 6
    );
    assert_eq!(answer["model"], MODEL);
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert_eq!(answer["usage"]["prompt_tokens"], 5);
    assert!(answer["usage"]["completion_tokens"].as_u64().unwrap() >= words as u64);
    model.stop(PATIENCE).await;
}

#[tokio::test]
async fn a_stream_comes_word_by_word_and_ends_in_form() {
    let (model, address) = started();
    let begun = Instant::now();
    let body = r#"{"stream":true,"max_tokens":7,"stream_options":{"include_usage":true}}"#;
    let (head, body) = ask(address, CHAT, body).await;
    assert!(
        begun.elapsed() > Duration::from_millis(7 * 160),
        "{:?}",
        begun.elapsed()
    );
    assert!(head.contains("text/event-stream"), "{head}");
    let (events, done) = events(&body);
    assert!(done);
    let text: String = events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(text, "[demo model] This is canned text from the demo ");
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(events[8]["choices"][0]["finish_reason"], "length");
    assert_eq!(events[9]["choices"], json!([]));
    assert_eq!(events[9]["usage"]["completion_tokens"], 7);
    assert_eq!(events.len(), 10);
    model.stop(PATIENCE).await;
}

#[tokio::test]
async fn no_usage_is_sent_unasked() {
    let (model, address) = started();
    let (_, body) = ask(
        address,
        CHAT,
        r#"{"stream":true,"max_completion_tokens":1}"#,
    )
    .await;
    let (events, done) = events(&body);
    assert!(done && events.len() == 3 && events.iter().all(|event| event.get("usage").is_none()));
    model.stop(PATIENCE).await;
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_answer_and_stopping_ends_all() {
    let (model, address) = started();
    let mut first = send(address, CHAT, r#"{"stream":true}"#).await;
    let mut second = send(address, CHAT, r#"{"stream":true}"#).await;
    for stream in [&mut first, &mut second] {
        let mut some = [0; 400];
        timeout(PATIENCE, stream.read_exact(&mut some))
            .await
            .unwrap()
            .unwrap();
    }
    // The one that accepts, and two that talk.
    assert_eq!(model.tasks.len(), 3);
    drop(first);
    let left = async {
        while model.tasks.len() > 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, left).await.unwrap();
    let begun = Instant::now();
    model.stop(PATIENCE).await;
    assert!(begun.elapsed() < Duration::from_secs(1));
    let mut rest = Vec::new();
    let ended = timeout(PATIENCE, second.read_to_end(&mut rest))
        .await
        .unwrap();
    assert!(
        ended.is_err() || !rest.ends_with(b"0\r\n\r\n"),
        "cut off, not finished"
    );
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn it_lists_itself_and_refuses_the_rest() {
    let (model, address) = started();
    let (_, body) = ask(address, "GET /v1/models", "").await;
    let list: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(list["data"][0]["id"], MODEL);
    for (head, body, status) in [
        ("GET /v1/chat/completions", "", "405"),
        ("POST /v1/embeddings", "{}", "404"),
        (CHAT, "{", "400"),
    ] {
        let (answer, body) = ask(address, head, body).await;
        assert_eq!(answer.get(9..12), Some(status), "{head}");
        assert!(body.contains(r#""type":"invalid_request_error""#), "{body}");
    }
    model.stop(PATIENCE).await;
}
