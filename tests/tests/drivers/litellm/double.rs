//! A double of LiteLLM's administration, as it is with a database; see `main.rs` for what it stands on.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;

pub(crate) const MASTER: &str = "sk-0123456789abcdef0123456789abcdef";

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing is done; this is answered.
    Status(u16),
    /// It is done, and this is answered all the same.
    DoneThenStatus(u16),
    /// Nothing is done; the connection breaks.
    Reset,
    /// It is done; the connection breaks in place of an answer.
    DoneThenReset,
    /// It is done and answered so much later, if whoever asked still waits.
    Slow(Duration),
    /// Nothing is ever answered.
    Hang,
    /// It is done, and nothing is answered.
    DoneThenHang,
    /// Nothing is answered, and it is done so much later.
    DoneLate(Duration),
}

/// A trouble, and which calls it meets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) trouble: Trouble,
    /// Only calls that block or unblock.
    pub(crate) writes: bool,
    /// Spares so many first: it comes half-way.
    pub(crate) spares: u32,
    pub(crate) times: u32,
}

#[derive(Default)]
struct State {
    faults: Vec<Fault>,
    /// Writes that will still come about.
    unfinished: usize,
    late: JoinSet<()>,
    /// A database that does not answer.
    away: bool,
    keys: Vec<(String, bool)>,
    models: Vec<(String, String, bool, bool)>,
    no_database: bool,
    /// Does what it is asked, and never says so.
    silent: bool,
}

pub(crate) struct Double {
    pub(crate) at: SocketAddr,
    state: Arc<Mutex<State>>,
    _serving: JoinSet<()>,
}

impl Double {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let state: Arc<Mutex<State>> = Arc::default();
        let mut serving = JoinSet::new();
        let shared = Arc::clone(&state);
        serving.spawn(async move {
            let mut clients = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let state = Arc::clone(&shared);
                clients.spawn(async move {
                    let serve = service_fn(|request| answer(Arc::clone(&state), request));
                    let builder = hyper::server::conn::http1::Builder::new();
                    drop(builder.serve_connection(TokioIo::new(client), serve).await);
                });
            }
        });
        Self {
            at,
            state,
            _serving: serving,
        }
    }

    pub(crate) fn key(&self, alias: &str) {
        self.state
            .lock()
            .unwrap()
            .keys
            .push((alias.to_owned(), false));
    }

    pub(crate) fn model(&self, name: &str, base: &str, in_database: bool) {
        let model = (name.to_owned(), base.to_owned(), in_database, false);
        self.state.lock().unwrap().models.push(model);
    }

    pub(crate) fn without_database(&self) {
        self.state.lock().unwrap().no_database = true;
    }

    pub(crate) fn carry_out_in_silence(&self, silent: bool) {
        self.state.lock().unwrap().silent = silent;
    }

    pub(crate) fn block(&self, alias: &str) {
        set(&mut self.state.lock().unwrap().keys, alias, true);
    }

    pub(crate) fn unblock(&self, alias: &str) {
        set(&mut self.state.lock().unwrap().keys, alias, false);
    }

    /// From now on calls meet this, until it has met enough of them, or [`Self::calm`].
    pub(crate) fn fault(&self, fault: Fault) {
        self.state.lock().unwrap().faults.push(fault);
    }

    /// Its database does not answer, or does again.
    pub(crate) fn away(&self, away: bool) {
        self.state.lock().unwrap().away = away;
    }

    /// No trouble from now on; what hangs late comes about all the same.
    pub(crate) fn calm(&self) {
        let mut state = self.state.lock().unwrap();
        state.faults.clear();
        state.away = false;
        state.silent = false;
    }

    /// Writes that nobody waits for and that will still come about.
    pub(crate) fn unfinished(&self) -> usize {
        self.state.lock().unwrap().unfinished
    }

    /// Keys and models that are blocked, by name.
    pub(crate) fn blocked(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let keys = state.keys.iter().filter(|it| it.1).map(|it| it.0.clone());
        let models = state.models.iter().filter(|it| it.3).map(|it| it.0.clone());
        let mut all: Vec<String> = keys.chain(models).collect();
        all.sort();
        all
    }
}

fn set(keys: &mut [(String, bool)], alias: &str, blocked: bool) -> bool {
    let found = keys.iter_mut().find(|it| it.0 == alias);
    found.map(|it| it.1 = blocked).is_some()
}

async fn answer(
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
