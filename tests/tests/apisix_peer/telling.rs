//! What the twin tells of exchanges: the Prometheus page, the control API, and batches of `http-logger`.

use crate::peer::Peer;
use http::Method;
use http_body_util::{BodyExt as _, Full};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use site_tests::{
    apisix::{EtcdState, Lags, Options},
    talk::{once, request, until},
    upstream::Upstream,
};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{net::TcpListener, task::JoinSet};

fn twin() -> Peer {
    Peer::twin(Options {
        lags: Lags::none(),
        ..Options::default()
    })
}

async fn page(at: SocketAddr, path: &str) -> String {
    let answer = once(at, request(&Method::GET, path, &[], ""))
        .await
        .unwrap();
    String::from_utf8(answer.body.to_vec()).unwrap()
}

/// A receiver of log entries.
async fn receiver(tasks: &mut JoinSet<()>) -> (SocketAddr, Arc<Mutex<Vec<Value>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let got: Arc<Mutex<Vec<Value>>> = Arc::default();
    let keep = Arc::clone(&got);
    tasks.spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let keep = Arc::clone(&keep);
            let take = service_fn(move |request: http::Request<hyper::body::Incoming>| {
                let keep = Arc::clone(&keep);
                async move {
                    let key = request.headers()["authorization"]
                        .to_str()
                        .unwrap()
                        .to_owned();
                    let body = request.into_body().collect().await?.to_bytes();
                    let body: Value = serde_json::from_slice(&body).unwrap();
                    keep.lock()
                        .unwrap()
                        .push(json!({ "key": key, "body": body }));
                    Ok::<_, hyper::Error>(http::Response::new(Full::<bytes::Bytes>::default()))
                }
            });
            let _how = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), take)
                .await;
        }
    });
    (at, got)
}

#[tokio::test]
async fn a_call_of_an_ai_route_is_counted_with_its_tokens_and_labels() {
    let (peer, upstream) = (twin(), Upstream::start().unwrap());
    let endpoint = format!("http://{}/v1/chat/completions", upstream.addr);
    let plugins = json!({ "prometheus": {}, "ai-proxy": {
        "provider": "openai-compatible", "auth": { "header": { "authorization": "Bearer upstream-key" } },
        "override": { "endpoint": endpoint }, "options": { "model": "burst" },
    } });
    peer.put("routes/ai", json!({ "uri": "/ai/*", "plugins": plugins }))
        .await;
    let body = json!({ "model": "any", "stream": true, "max_tokens": 5, "messages": [] });
    let ask = request(&Method::POST, "/ai/chat", &[], body.to_string());
    let answer = once(peer.data, ask).await.unwrap();
    assert_eq!(answer.status, 200);
    let labels = "route_id=\"ai\",service_id=\"\",consumer=\"\",node=\"127.0.0.1\",\
                  request_type=\"ai_stream\",request_llm_model=\"any\",llm_model=\"burst\"";
    let wanted = [
        format!("apisix_llm_completion_tokens{{{labels}}} 5"),
        format!("apisix_llm_prompt_tokens{{{labels}}} 11"),
        format!("apisix_llm_latency_count{{{labels}}} 1"),
    ];
    let metrics = peer.told().metrics;
    until("the figures", || async {
        let page = page(metrics, "/apisix/prometheus/metrics").await;
        wanted.iter().all(|line| page.contains(line))
    })
    .await;
    let page = page(metrics, "/apisix/prometheus/metrics").await;
    assert!(
        page.contains("apisix_http_status{code=\"200\",matched_uri=\"/ai/*\","),
        "{page}"
    );
    assert_eq!(upstream.log()[0].model, "burst");
}

#[tokio::test]
async fn the_page_says_whether_etcd_answers_and_the_control_api_what_a_worker_goes_by() {
    let peer = twin();
    let twin = peer.told();
    let (metrics, control) = (twin.metrics, twin.control);
    let path = "/apisix/prometheus/metrics";
    assert!(
        page(metrics, path)
            .await
            .contains("\napisix_etcd_reachable 1\n")
    );
    twin.place(
        "routes/one",
        json!({ "uri": "/x", "upstream": { "nodes": {} } }),
    )
    .unwrap();
    twin.etcd(EtcdState::Stale);
    twin.place(
        "routes/two",
        json!({ "uri": "/y", "upstream": { "nodes": {} } }),
    )
    .unwrap();
    let routes: Value = serde_json::from_str(&page(control, "/v1/routes").await).unwrap();
    assert_eq!(
        routes.as_array().unwrap().len(),
        0,
        "stale: it has seen neither"
    );
    twin.etcd(EtcdState::Up);
    let routes: Value = serde_json::from_str(&page(control, "/v1/routes").await).unwrap();
    assert_eq!(routes.as_array().unwrap().len(), 2);
    assert_eq!(page(control, "/v1/healthcheck").await, "{}");
    let one: Value = serde_json::from_str(&page(control, "/v1/route/one").await).unwrap();
    assert_eq!(one["value"]["uri"], "/x");
    twin.etcd(EtcdState::Hung);
    assert!(
        page(metrics, path)
            .await
            .contains("\napisix_etcd_reachable 0\n")
    );
}

#[tokio::test]
async fn a_logger_posts_batches_of_what_its_format_names() {
    let (peer, upstream) = (twin(), Upstream::start().unwrap());
    let mut tasks = JoinSet::new();
    let (at, got) = receiver(&mut tasks).await;
    let logger = json!({ "uri": format!("http://{at}/usage"), "auth_header": "Bearer feed", "batch_max_size": 2,
        "log_format": { "status": "$status", "who": "$consumer_name", "kind": "usage" } });
    let route = json!({ "uri": "/v1/*", "plugins": { "http-logger": logger, "request-id": {} },
        "upstream": { "nodes": { upstream.addr.to_string(): 1 } } });
    peer.put("routes/logged", route).await;
    for _ in 0..4 {
        let answer = peer.get("/v1/models").await;
        assert_eq!(
            (answer.status, answer.header("x-request-id").len()),
            (200, 32)
        );
    }
    until("two batches", || async { got.lock().unwrap().len() == 2 }).await;
    let entry = json!({ "status": 200, "who": "", "kind": "usage", "route_id": "logged" });
    let batch = json!({ "key": "Bearer feed", "body": [entry, entry] });
    assert_eq!(*got.lock().unwrap(), [batch.clone(), batch]);
}
