//! `http-logger`: one entry for each exchange, posted in batches.

use super::{World, clock, counters::Passed};
use http::{Request, header};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpStream;

/// Entries that wait, by where they go.
#[derive(Debug, Default)]
pub(super) struct Batches(Mutex<BTreeMap<String, (Value, Vec<Value>)>>);

/// Keeps an entry; sends the batch when it is full, or later.
pub(super) fn log(world: &Arc<World>, passed: &Passed) {
    let Some(conf) = &passed.logger else {
        return;
    };
    let Some(uri) = conf.get("uri").and_then(Value::as_str) else {
        return;
    };
    let number = |key: &str, other: u64| conf.get(key).and_then(Value::as_u64).unwrap_or(other);
    let mut batches = world
        .batches
        .0
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let batch = batches
        .entry(uri.to_owned())
        .or_insert_with(|| (conf.clone(), Vec::new()));
    batch.1.push(entry(conf, passed));
    let full = batch.1.len() as u64 >= number("batch_max_size", 1000);
    let first = batch.1.len() == 1;
    if full {
        let ready = std::mem::take(&mut batch.1);
        let (world, conf) = (Arc::clone(world), conf.clone());
        world
            .tasks
            .clone()
            .spawn(async move { post(&world, &conf, ready).await });
    } else if first {
        let wait = Duration::from_secs(number("inactive_timeout", 5));
        let (world, uri) = (Arc::clone(world), uri.to_owned());
        world.tasks.clone().spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = world.stop.cancelled() => return,
            }
            let ready = {
                let mut all = world
                    .batches
                    .0
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                all.get_mut(&uri)
                    .map(|(conf, batch)| (conf.clone(), std::mem::take(batch)))
            };
            if let Some((conf, ready)) = ready.filter(|(_, ready)| !ready.is_empty()) {
                post(&world, &conf, ready).await;
            }
        });
    }
}

/// One entry: what `log_format` names, else what APISIX logs by itself.
fn entry(conf: &Value, passed: &Passed) -> Value {
    let (prompt, completion) = passed.usage.unwrap_or_default();
    let ai = passed.ai.clone().unwrap_or_default();
    let seconds = format!("{:.3}", passed.took.as_secs_f64());
    let variable = |name: &str| -> Value {
        match name {
            "status" => json!(passed.status),
            "request_id" => json!(request_id()),
            "request_type" => json!(ai.kind),
            "llm_time_to_first_token" => json!(passed.first.as_millis().to_string()),
            "uri" | "request_uri" => json!(passed.uri),
            "request_method" => json!(passed.method),
            "route_id" => json!(passed.route),
            "consumer_name" => json!(passed.consumer),
            "request_time" => json!(seconds),
            "body_bytes_sent" | "bytes_sent" => json!(passed.bytes),
            "time_iso8601" | "msec" => json!(clock::wall().as_secs_f64()),
            "llm_prompt_tokens" => json!(prompt),
            "llm_completion_tokens" => json!(completion),
            "request_llm_model" => json!(ai.asked),
            "llm_model" => json!(ai.model),
            _ => Value::Null,
        }
    };
    if let Some(format) = conf.get("log_format").and_then(Value::as_object) {
        let mut entry = Map::new();
        for (name, wanted) in format {
            let text = wanted.as_str().unwrap_or_default();
            let value = match text.strip_prefix('$') {
                Some(name) => variable(name),
                None => json!(text),
            };
            if !value.is_null() {
                entry.insert(name.clone(), value);
            }
        }
        entry.insert("route_id".to_owned(), json!(passed.route));
        return Value::Object(entry);
    }
    json!({
        "route_id": passed.route, "service_id": passed.service,
        "consumer": { "username": passed.consumer }, "upstream": passed.node,
        "start_time": clock::wall().as_millis() as u64, "client_ip": "127.0.0.1",
        "latency": passed.took.as_secs_f64() * 1000.0,
        "upstream_latency": passed.first.as_secs_f64() * 1000.0,
        "request": { "uri": passed.uri, "method": passed.method, "size": passed.asked_bytes },
        "response": { "status": passed.status, "size": passed.bytes },
        "server": { "hostname": "apisix-twin", "version": "3.18.0" },
    })
}

/// nginx makes it from chance; here it is another each time, across restarts as well.
fn request_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{:020x}{next:012x}", clock::wall().as_nanos())
}

async fn post(world: &World, conf: &Value, mut batch: Vec<Value>) {
    let text = |key: &str| conf.get(key).and_then(Value::as_str).unwrap_or_default();
    let lines = text("concat_method") == "new_line";
    let alone = conf.get("batch_max_size") == Some(&json!(1));
    let body = match (lines, alone, batch.pop()) {
        (false, true, Some(one)) => one.to_string(),
        (_, _, Some(last)) => {
            batch.push(last);
            if lines {
                let each: Vec<String> = batch.iter().map(Value::to_string).collect();
                each.join("\n")
            } else {
                Value::Array(batch).to_string()
            }
        }
        (_, _, None) => return,
    };
    let retries = conf.get("max_retry_count").and_then(Value::as_u64);
    for attempt in 0..=retries.unwrap_or(0) {
        let sent = send(world, text("uri"), text("auth_header"), &body);
        if tokio::time::timeout(Duration::from_secs(3), sent).await == Ok(Some(())) {
            return;
        }
        if attempt < retries.unwrap_or(0) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

async fn send(world: &World, uri: &str, key: &str, body: &str) -> Option<()> {
    let (host, path) = uri.strip_prefix("http://")?.split_once('/')?;
    let stream = TcpStream::connect(host).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    world.tasks.spawn(connection);
    let mut request = Request::post(format!("/{path}"))
        .header(header::HOST, host)
        .header(header::CONTENT_TYPE, "application/json");
    if !key.is_empty() {
        request = request.header(header::AUTHORIZATION, key);
    }
    let request = request
        .body(Full::new(bytes::Bytes::from(body.to_owned())))
        .ok()?;
    let answer = sender.send_request(request).await.ok()?;
    (answer.status().as_u16() < 400).then_some(())
}
