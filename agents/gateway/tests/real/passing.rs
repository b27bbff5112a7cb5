//! What passes, passes unchanged; what may not, is refused in the API's own shape.

use crate::support::*;
use http_body_util::BodyExt as _;
use kill_wire::Class;
use net_model::Rules;
use sha2::{Digest as _, Sha256};
use site_tests::upstream::{End, Script, Upstream};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

pub(crate) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_pass_byte_for_byte_both_ways() {
    let site = Site::open().await;
    let odd: [&[u8]; 4] = [
        b"{ \"max_tokens\" : 3,\n\t\"model\":\"steady\", \"x\":1.0e+2, \"x\":{\"y\":[]}, \"text\":\"\\ud83d\\ude00 \xf0\x9f\x98\x80\" }\r\n ",
        b"{\"stream\":true,\"max_tokens\":3,\"model\":\"steady\",\"stream_options\":{\"include_usage\":true},\"big\":123456789012345678901234567890}",
        b"{\"stream\":true,\"max_tokens\":2,\"stream_options\":null,\"model\":\"trickle\",\"messages\":[{\"model\":\"x\",\"stream\":false}]}",
        b"{\"stream\":null,\"model\":\"nousage\",\"bad\":\"\xff\xfe\"}",
    ];
    for body in odd {
        let answer = site.post(CLAW, body).await;
        assert_eq!(
            answer.status,
            200,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        assert!(answer.clean);
        assert_eq!(answer.header("x-portcullis-target"), "home");
        assert!(answer.header("x-portcullis-request-id").contains('-'));
        let served = site.home.ended(1, LIMIT).await.pop().unwrap();
        assert_eq!(served.body_sha256, hash(body));
        assert_eq!(served.sent_sha256, hash(&answer.body));
        assert_eq!(served.end, End::Complete);
        assert_eq!(answer.header("x-scripted"), served.id.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_target_sees_its_own_key_and_never_the_consumers() {
    let site = Site::open().await;
    let mut request = chat(CLAW, r#"{"model":"steady","max_tokens":1}"#);
    for (name, value) in [
        ("traceparent", "00-abc"),
        ("te", "trailers"),
        ("x-api-key", CLAW),
        ("accept-encoding", "gzip"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    assert_eq!(send(site.addr(), request).await.status(), 200);
    let served = site.home.ended(1, LIMIT).await.pop().unwrap();
    assert_eq!(served.bearer_sha256, Some(hash(b"sk-home")));
    let header = |name: &str| {
        served
            .headers
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    };
    assert_eq!(header("traceparent"), Some("00-abc"));
    assert_eq!(header("accept-encoding"), Some("identity"));
    assert_eq!(header("host"), Some(site.home.addr.to_string().as_str()));
    assert_eq!(header("te"), None);
    assert!(!format!("{:?}", served.headers).contains(CLAW));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_served_is_refused_in_the_apis_shape() {
    let site = Site::open().await;
    for (body, status, code) in [
        (r#"{"model":"unheard-of"}"#, 404, "model_not_found"),
        (r#"{"messages":[]}"#, 400, "model_missing"),
        ("not json", 400, "invalid_body"),
        (r#"["model"]"#, 400, "invalid_body"),
        (r#"{"model":"steady","model":"slow"}"#, 400, "invalid_body"),
        (r#"{"model":"steady"} {}"#, 400, "invalid_body"),
        ("", 400, "invalid_body"),
    ] {
        let answer = site.post(CLAW, body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (status, code),
            "{body}"
        );
        assert!(answer.json()["error"]["message"].is_string());
    }
    let wrong = site.post("pck_nobody", r#"{"model":"steady"}"#).await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.code().as_str()),
        (401, "invalid_api_key")
    );
    assert_eq!(
        site.get(CLAW, "/v1/audio/speech").await.code(),
        "unknown_path"
    );
    assert_eq!(site.get(CLAW, "/v1/audio/speech").await.status, 404);
    assert_eq!(site.get(CLAW, "/v1/chat/completions").await.status, 405);
    assert_eq!(site.home.log().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_past_the_limit_is_refused_and_its_sender_can_read_that() {
    let site = Site::open().await;
    // Announced, and not announced.
    for head in ["content-length: 34000000", "transfer-encoding: chunked"] {
        let mut stream = TcpStream::connect(site.addr()).await.unwrap();
        let request = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\nauthorization: Bearer {CLAW}\r\n{head}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let (mut reader, mut writer) = stream.into_split();
        let mut upload = tokio::task::JoinSet::new();
        upload.spawn(async move {
            let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
            while writer.write_all(&chunk).await.is_ok() {}
        });
        let mut answer = vec![0; 4096];
        let got = timeout(LIMIT, reader.read(&mut answer))
            .await
            .unwrap()
            .unwrap();
        assert!(
            answer[..got].starts_with(b"HTTP/1.1 413 "),
            "{}",
            String::from_utf8_lossy(&answer[..got])
        );
    }
    assert_eq!(site.home.log().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_cannot_serve_gives_way_to_the_next() {
    let site = Site::open_with_home(Script::Error503).await;
    let answer = site
        .post(CLAW, r#"{"model":"steady","max_tokens":2}"#)
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-portcullis-target"), "away");
    assert_eq!(
        answer.header("x-portcullis-fallback"),
        "home (server error) -> away"
    );
    let metrics = site.metrics().await;
    assert!(
        metrics.contains(
            r#"portcullis_gateway_fallbacks_total{route="chat",from="home",to="away",reason="server error"} 1"#
        ),
        "{metrics}"
    );
    // The only target of the other consumer: its own words are passed on.
    let answer = site.post(RAG, r#"{"model":"steady"}"#).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (503, "scripted_503")
    );
    assert_eq!(answer.header("x-portcullis-target"), "home");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_not_there_gives_way_to_the_next() {
    let site = Site::open().await;
    let nobody = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let reload = |away: &str| {
        site.gateway.reload(
            table(&[
                ("home", Class::Local, &format!("http://{nobody}/v1")),
                ("away", Class::Cloud, away),
            ]),
            Rules::default(),
        );
    };
    reload(&site.away.base_url());
    let answer = site
        .post(CLAW, r#"{"model":"steady","max_tokens":1}"#)
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("x-portcullis-target")),
        (200, "away")
    );
    reload(&format!("http://{nobody}/v1"));
    let answer = site
        .post(CLAW, r#"{"model":"steady","max_tokens":1}"#)
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (502, "upstream_failed")
    );
    // The last answer stands, whatever it says.
    reload(&site.away.base_url());
    let answer = site.post(CLAW, r#"{"model":"error500"}"#).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code().as_str()),
        (500, "scripted_500")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_ends_with_an_error_event() {
    let site = Site::open().await;
    for model in ["reset", "truncate"] {
        let answer = site
            .post(CLAW, format!(r#"{{"model":"{model}","stream":true}}"#))
            .await;
        assert!(answer.clean);
        let events = events(&answer.body);
        assert_eq!(events.len(), 4, "{model}");
        assert_eq!(events[3]["error"]["code"], "upstream_broke_off");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_takes_the_target_with_it() {
    let site = Site::open().await;
    for model in ["steady", "stall", "flood"] {
        let mut response = site.stream(CLAW, model).await;
        response.body_mut().frame().await.unwrap().unwrap();
        drop(response);
    }
    assert_eq!(site.home.ended(3, Duration::from_secs(2)).await.len(), 3);
    let mut silent = TcpStream::connect(site.addr()).await.unwrap();
    let body = r#"{"model":"silent"}"#;
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\nauthorization: Bearer {CLAW}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    silent.write_all(request.as_bytes()).await.unwrap();
    assert!(site.home.busy(1, LIMIT).await);
    drop(silent);
    let served = site.home.ended(4, Duration::from_secs(2)).await;
    assert_eq!(served.len(), 4);
    assert!(
        served.iter().all(|served| served.end == End::Aborted),
        "{served:?}"
    );
    site.until_open(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_slows_the_target_and_holds_little_memory() {
    let site = Site::open().await;
    let mut stream = TcpStream::connect(site.addr()).await.unwrap();
    let body = r#"{"model":"flood","stream":true}"#;
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: g\r\nauthorization: Bearer {CLAW}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    site.until_open(1).await;
    sleep(Duration::from_millis(700)).await;
    drop(stream);
    let served = site.home.ended(1, LIMIT).await.pop().unwrap();
    // Socket buffers on four sides hold a few megabytes; unhindered it sends far more in this time.
    assert!(
        served.sent_bytes < 16 << 20,
        "{} bytes were taken for a client that read none",
        served.sent_bytes
    );
    assert_eq!(served.end, End::Aborted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_the_target_closed_while_idle_costs_no_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let mut server = tokio::task::JoinSet::new();
    server.spawn(async move {
        // Answers one request a connection, says it would take more, and hangs up on the second.
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let _got = stream.read(&mut request).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
            let _second = stream.read(&mut request).await;
        }
    });
    let site = Site::open().await;
    let url = format!("http://{addr}/v1");
    site.gateway.reload(
        table(&[("home", Class::Local, &url), ("away", Class::Cloud, &url)]),
        Rules::default(),
    );
    for _ in 0..5 {
        let answer = site.post(RAG, r#"{"model":"any"}"#).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body[..]),
            (200, b"{}".as_slice())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_takes_more_than_one_request_is_not_connected_to_again() {
    let site = Site::open().await;
    for _ in 0..3 {
        site.post(CLAW, r#"{"model":"steady","max_tokens":1}"#)
            .await;
    }
    let served = site.home.ended(3, LIMIT).await;
    assert_eq!(served.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn models_of_every_open_target_are_listed_once() {
    let site = Site::open().await;
    let ids = |answer: &Whole| -> Vec<String> {
        answer.json()["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = site.get(CLAW, "/v1/models").await;
    assert_eq!(all.status, 200);
    assert_eq!(ids(&all).len(), 12);
    assert_eq!(all.json()["object"], "list");
    // With the local target gone, the cloud one still lists; with both scopes closed nobody does.
    site.apply(2, &["cloud"]).await;
    assert_eq!(ids(&site.get(CLAW, "/v1/models").await).len(), 12);
    site.apply(3, &["chat"]).await;
    let refused = site.get(CLAW, "/v1/models").await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (503, "cut")
    );
    assert_eq!(refused.header("x-portcullis-incident"), "7");
    assert_eq!(site.get(RAG, "/v1/models").await.status, 200);
    assert_eq!(site.get("pck_nobody", "/v1/models").await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_refused_when_no_target_answers() {
    let home = Upstream::start_as(Script::Silent).unwrap();
    let site = Site::with(home, Upstream::start().unwrap());
    site.apply(1, &[]).await;
    assert_eq!(site.get(RAG, "/v1/models").await.status, 502);
    assert_eq!(site.get(CLAW, "/v1/models").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn draining_lets_calls_end_and_cuts_off_the_rest() {
    let site = Site::open().await;
    let short = send(
        site.addr(),
        chat(CLAW, r#"{"model":"steady","stream":true,"max_tokens":10}"#),
    )
    .await;
    let long = site.stream(CLAW, "stall").await;
    let (drained, short, long) = tokio::join!(
        site.gateway.drain(Duration::from_secs(1)),
        whole(short),
        whole(long)
    );
    assert_eq!((drained.ended, drained.cut_off), (1, 1));
    assert_eq!(events(&short.body).last().unwrap(), "[DONE]");
    assert_eq!(
        events(&long.body).last().unwrap()["error"]["code"],
        "draining"
    );
    assert!(TcpStream::connect(site.addr()).await.is_err());
    assert!(!site.socket().exists());
    assert_eq!(site.spooled().len(), 2);
}
