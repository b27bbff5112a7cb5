//! What it answers, and what troubles do to that.

use super::{MASTER, State, Trouble};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::sleep;

pub(super) fn set(keys: &mut [(String, bool)], alias: &str, blocked: bool) -> bool {
    let found = keys.iter_mut().find(|it| it.0 == alias);
    found.map(|it| it.1 = blocked).is_some()
}

pub(super) async fn answer(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let bearer = head
        .headers
        .get("authorization")
        .and_then(|it| it.to_str().ok());
    let path = head.uri.path().to_owned();
    let writes = head.method != Method::GET;
    let trouble = state.lock().unwrap().meets(writes);
    let broken = || io::Error::other("reset");
    match trouble {
        Some(Trouble::Status(status)) => return Ok(response(status, &json!({ "error": {} }))),
        Some(Trouble::Reset) => return Err(broken()),
        Some(Trouble::Hang) => std::future::pending().await,
        Some(Trouble::Slow(some)) => {
            // Done also where whoever asked has gone meanwhile.
            let _under_way = UnderWay::begin(&state);
            sleep(some).await;
        }
        Some(Trouble::DoneLate(some)) => {
            let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
            later(&state, path.clone(), body, some);
            std::future::pending().await
        }
        None
        | Some(Trouble::DoneThenStatus(_) | Trouble::DoneThenReset | Trouble::DoneThenHang) => {}
    }
    let known = path.starts_with("/health/") || bearer == Some(&format!("Bearer {MASTER}"));
    let (status, said) = if !known {
        stranger(bearer)
    } else if writes {
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let said = write(&mut state.lock().unwrap(), &path, &body);
        let silent = state.lock().unwrap().silent;
        if silent {
            std::future::pending::<()>().await;
        }
        said
    } else {
        read(
            &state.lock().unwrap(),
            &path,
            head.uri.query().unwrap_or_default(),
        )
    };
    match trouble {
        Some(Trouble::DoneThenStatus(status)) => Ok(response(status, &json!({ "error": {} }))),
        Some(Trouble::DoneThenReset) => Err(broken()),
        Some(Trouble::DoneThenHang) => std::future::pending().await,
        None
        | Some(
            Trouble::Status(_)
            | Trouble::Reset
            | Trouble::Slow(_)
            | Trouble::Hang
            | Trouble::DoneLate(_),
        ) => Ok(response(status, &said)),
    }
}

/// What it says quotes the key it was shown.
fn stranger(bearer: Option<&str>) -> (u16, Value) {
    let text = format!(
        "Authentication Error, Invalid proxy server token passed. Received API Key = {bearer:?}"
    );
    let error = json!({"message": text, "type": "token_not_found_in_db", "code": "401"});
    (401, json!({ "error": error }))
}

fn response(status: u16, said: &Value) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(said.to_string())));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer
}

struct UnderWay(Arc<Mutex<State>>);

impl UnderWay {
    fn begin(state: &Arc<Mutex<State>>) -> Self {
        state.lock().unwrap().unfinished += 1;
        Self(Arc::clone(state))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.lock().unwrap().unfinished -= 1;
    }
}

fn later(state: &Arc<Mutex<State>>, path: String, body: Value, some: Duration) {
    let shared = Arc::clone(state);
    let mut state = state.lock().unwrap();
    state.unfinished += 1;
    state.late.spawn(async move {
        sleep(some).await;
        let mut state = shared.lock().unwrap();
        let _said = write(&mut state, &path, &body);
        state.unfinished -= 1;
    });
}

impl State {
    /// The trouble that this call meets.
    fn meets(&mut self, writes: bool) -> Option<Trouble> {
        let fault = self.faults.iter_mut().find(|it| writes || !it.writes)?;
        if fault.spares > 0 {
            fault.spares -= 1;
            return None;
        }
        fault.times = fault.times.saturating_sub(1);
        let trouble = fault.trouble;
        self.faults.retain(|it| it.times > 0);
        Some(trouble)
    }
}

fn read(state: &State, path: &str, query: &str) -> (u16, Value) {
    let number = |name: &str| {
        let pair = query.split('&').find_map(|it| it.strip_prefix(name));
        pair.and_then(|it| it.strip_prefix('='))
            .and_then(|it| it.parse::<usize>().ok())
    };
    match path {
        "/health/liveliness" => (200, json!("I'm alive!")),
        "/health/readiness" if state.away => (503, json!({"status": "Service Unhealthy"})),
        "/health/readiness" => {
            let db = if state.no_database {
                "Not connected"
            } else {
                "connected"
            };
            (200, json!({"status": "healthy", "db": db}))
        }
        "/model/info" => {
            let models = state.models.iter().map(|(name, base, in_database, blocked)| {
                json!({
                    "model_name": name,
                    "litellm_params": {"model": format!("openai/{name}"), "api_base": base},
                    "model_info": {"id": format!("id-of-{name}"), "db_model": in_database, "blocked": blocked}
                })
            });
            (200, json!({"data": models.collect::<Vec<_>>()}))
        }
        "/key/list" if state.no_database || state.away => (
            500,
            json!({"error": {"message": "Authentication Error, Database not connected", "code": "500"}}),
        ),
        "/key/list" => {
            let (page, size) = (number("page").unwrap(), number("size").unwrap());
            assert!(size <= 100, "LiteLLM refuses more");
            let keys = state.keys.iter().skip((page - 1) * size).take(size);
            let keys = keys.map(|(alias, blocked)| {
                // `/key/generate` leaves null where nothing was ever blocked.
                let blocked = if *blocked { json!(true) } else { Value::Null };
                json!({"token": format!("hash-of-{alias}"), "key_alias": alias, "blocked": blocked, "models": []})
            });
            let pages = state.keys.len().div_ceil(size);
            (
                200,
                json!({"keys": keys.collect::<Vec<_>>(), "total_pages": pages, "current_page": page}),
            )
        }
        _ => (404, json!({"detail": "Not Found"})),
    }
}

fn write(state: &mut State, path: &str, body: &Value) -> (u16, Value) {
    if state.no_database || state.away {
        return (
            500,
            json!({"error": {"message": "Internal server error", "type": "internal_server_error"}}),
        );
    }
    let blocked = path.ends_with("/block");
    let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
    match path {
        "/key/block" | "/key/unblock" => {
            let alias = text("key").trim_start_matches("hash-of-").to_owned();
            if set(&mut state.keys, &alias, blocked) {
                (200, json!({"token": text("key"), "blocked": blocked}))
            } else {
                (
                    404,
                    json!({"error": {"message": "Key not found.", "code": "404"}}),
                )
            }
        }
        "/model/block" | "/model/unblock" => {
            let name = text("model_id").trim_start_matches("id-of-").to_owned();
            let found = state.models.iter_mut().find(|it| it.0 == name);
            match found {
                Some(model) if model.2 => {
                    model.3 = blocked;
                    (200, json!({"model_id": text("model_id")}))
                }
                _ => {
                    let text =
                        "Cannot edit config-based model. Store model in DB via /model/new first.";
                    (400, json!({"error": {"message": text, "code": "400"}}))
                }
            }
        }
        _ => (404, json!({"detail": "Not Found"})),
    }
}
