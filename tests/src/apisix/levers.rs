//! The twin's levers over HTTP, for tests in another language. A real APISIX has nothing like it.
//!
//! `GET /state`, `GET /stored/{path}`; each POST takes one JSON object: `/fault`, `/calm`, `/etcd`, `/lags`, `/keys`,
//! `/down`, `/restart`, `/place`, `/remove`.

use super::{EtcdState, Fault, Lags, Trouble, Twin};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{io, time::Duration};
use tokio::net::TcpListener;

/// Longest request.
const MAX_BODY: usize = 1 << 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultAsk {
    trouble: String,
    #[serde(default)]
    status: u16,
    #[serde(default)]
    ms: u64,
    method: Option<String>,
    path: Option<String>,
    #[serde(default)]
    after: u32,
    times: Option<u32>,
    for_ms: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LagsAsk {
    set_ms: u64,
    delete_ms: u64,
    #[serde(default)]
    spread_ms: u64,
}

/// Serves one request after the other, as long as it is polled.
///
/// # Errors
/// Where connections can no longer be taken in.
pub async fn serve(listener: TcpListener, twin: &Twin) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let service = service_fn(|request| answer(twin, request));
        let _how = http1::Builder::new()
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }
}

async fn answer(twin: &Twin, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY).collect().await;
    let body = body.map_err(io::Error::other)?.to_bytes();
    let path = head.uri.path();
    let told = if head.method == Method::GET {
        Ok(look(twin, path))
    } else {
        pull(twin, path, &body)
    };
    let (status, value) = match told {
        Ok(value) => (StatusCode::OK, value),
        Err(why) => (StatusCode::BAD_REQUEST, json!({ "error": why })),
    };
    let mut response = Response::new(Full::new(Bytes::from(value.to_string())));
    *response.status_mut() = status;
    Ok(response)
}

fn look(twin: &Twin, path: &str) -> Value {
    if let Some(path) = path.strip_prefix("/stored/") {
        return twin.stored(path).unwrap_or_default();
    }
    let calls = twin.calls().into_iter();
    let calls = calls.map(|call| json!([call.method, call.path, call.status]));
    json!({
        "open": twin.open(), "behind": twin.behind(), "waiting": twin.waiting(),
        "paths": twin.paths(), "calls": calls.collect::<Vec<Value>>(),
    })
}

fn pull(twin: &Twin, path: &str, body: &[u8]) -> Result<Value, String> {
    let asked: Value = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(body).map_err(|error| error.to_string())?
    };
    let text = |key: &str| asked.get(key).and_then(Value::as_str).unwrap_or_default();
    match path {
        "/calm" => twin.calm(),
        "/restart" => twin.restart(),
        "/fault" => twin.fault(fault(asked)?),
        "/etcd" => twin.etcd(match text("state") {
            "up" => EtcdState::Up,
            "hung" => EtcdState::Hung,
            "stale" => EtcdState::Stale,
            other => return Err(format!("`{other}`: up, hung or stale")),
        }),
        "/lags" => {
            let asked: LagsAsk = serde_json::from_value(asked).map_err(|e| e.to_string())?;
            twin.lags(Lags {
                set: Duration::from_millis(asked.set_ms),
                delete: Duration::from_millis(asked.delete_ms),
                spread: Duration::from_millis(asked.spread_ms),
            });
        }
        "/keys" => twin.keys(text("admin"), text("viewer")),
        "/down" => {
            let down = |part: &str| asked.get(part).and_then(Value::as_bool);
            down("admin")
                .into_iter()
                .for_each(|down| twin.admin_down(down));
            down("data")
                .into_iter()
                .for_each(|down| twin.data_down(down));
            down("control")
                .into_iter()
                .for_each(|down| twin.control_down(down));
        }
        "/place" => {
            let value = asked.get("value").cloned().unwrap_or_default();
            twin.place(text("path"), value).map_err(|e| e.to_string())?;
        }
        "/remove" => return Ok(json!({ "was_there": twin.remove(text("path")) })),
        other => return Err(format!("no lever {other}")),
    }
    Ok(json!({}))
}

fn fault(asked: Value) -> Result<Fault, String> {
    let asked: FaultAsk = serde_json::from_value(asked).map_err(|error| error.to_string())?;
    let wait = Duration::from_millis(asked.ms);
    let mut fault = Fault::new(match asked.trouble.as_str() {
        "hang" => Trouble::Hang,
        "done-then-hang" => Trouble::DoneThenHang,
        "done-late" => Trouble::DoneLate(wait),
        "status" => Trouble::Status(asked.status),
        "done-then-status" => Trouble::DoneThenStatus(asked.status),
        "reset" => Trouble::Reset,
        "done-then-reset" => Trouble::DoneThenReset,
        "slow" => Trouble::Slow(wait),
        other => return Err(format!("no trouble `{other}`")),
    })
    .after(asked.after);
    if let Some(method) = &asked.method {
        fault = fault.method(method);
    }
    if let Some(path) = &asked.path {
        fault = fault.path(path);
    }
    if let Some(times) = asked.times {
        fault = fault.times(times);
    }
    if let Some(ms) = asked.for_ms {
        fault = fault.lasting(Duration::from_millis(ms));
    }
    Ok(fault)
}
