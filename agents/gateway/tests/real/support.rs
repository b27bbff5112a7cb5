//! One gateway with two scripted upstreams, and clients for it.

use bytes::Bytes;
use gateway::{Gateway, Settings};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use kill_wire::{Class, Incident, Latch, LatchSet, RouteKind, Scope, Timestamp};
use net_model::{
    AtEnd, Budget, Consumer, ControlReply, ControlRequest, ModelPattern, Observed, Overlay, Route,
    RouteTable, Rules, Secret, Selector, Target, UsageRecord, Window,
};
use site_tests::upstream::{Script, Upstream};
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpStream, UnixStream},
    time::{Instant, sleep, timeout},
};

pub(crate) const LIMIT: Duration = Duration::from_secs(10);
pub(crate) const CLAW: &str = "pck_claw";
pub(crate) const RAG: &str = "pck_rag";
pub(crate) const PROBE: &str = "prb_probe";

/// `claw` goes by `chat` to `home` (local), then `away` (cloud); `rag` by `side` to `home` alone.
pub(crate) struct Site {
    pub(crate) gateway: Gateway,
    pub(crate) home: Upstream,
    pub(crate) away: Upstream,
    pub(crate) dir: TempDir,
}

pub(crate) fn table(targets: &[(&str, Class, &str)]) -> RouteTable {
    let all: Vec<usize> = (0..targets.len()).collect();
    let targets = targets
        .iter()
        .map(|(name, class, url)| Target {
            key: Some(Secret::new(&format!("sk-{name}")).unwrap()),
            ..Target::new(name.parse().unwrap(), *class, url.parse().unwrap())
        })
        .collect();
    let route = |name: &str, models: &[&str], targets| Route {
        name: name.parse().unwrap(),
        kind: RouteKind::Llm,
        models: models
            .iter()
            .map(|m| ModelPattern::new(m).unwrap())
            .collect(),
        targets,
    };
    let consumer = |name: &str, key: &str, at| {
        let key = Secret::new(key).unwrap().hash();
        Consumer::new(name.parse().unwrap(), key, vec![at])
    };
    let scripts = [
        "steady", "slow", "stall", "silent", "trickle", "reset", "truncate", "liar", "nousage",
        "flood", "error*",
    ];
    RouteTable::new(
        targets,
        vec![route("chat", &scripts, all), route("side", &["*"], vec![0])],
        vec![consumer("claw", CLAW, 0), consumer("rag", RAG, 1)],
    )
    .unwrap()
}

impl Site {
    pub(crate) fn closed() -> Self {
        Self::with(Upstream::start().unwrap(), Upstream::start().unwrap())
    }

    pub(crate) async fn open() -> Self {
        let site = Self::closed();
        site.apply(1, &[]).await;
        site
    }

    pub(crate) async fn open_with_rules(rules: Rules) -> Self {
        let (home, away) = (Upstream::start().unwrap(), Upstream::start().unwrap());
        let dir = tempfile::tempdir().unwrap();
        Self::start(home, away, dir, rules).await
    }

    /// The same site with its gateway, which was drained, started again.
    pub(crate) async fn restart(self, rules: Rules) -> Self {
        Self::start(self.home, self.away, self.dir, rules).await
    }

    async fn start(home: Upstream, away: Upstream, dir: TempDir, rules: Rules) -> Self {
        let table = table(&[
            ("home", Class::Local, &home.base_url()),
            ("away", Class::Cloud, &away.base_url()),
        ]);
        let gateway = start_with(&dir, table, rules);
        let site = Self {
            gateway,
            home,
            away,
            dir,
        };
        site.apply(1, &[]).await;
        site
    }

    pub(crate) async fn open_with_home(script: Script) -> Self {
        let site = Self::with(
            Upstream::start_as(script).unwrap(),
            Upstream::start().unwrap(),
        );
        site.apply(1, &[]).await;
        site
    }

    pub(crate) fn with(home: Upstream, away: Upstream) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let table = table(&[
            ("home", Class::Local, &home.base_url()),
            ("away", Class::Cloud, &away.base_url()),
        ]);
        let gateway = start(&dir, table);
        Self {
            gateway,
            home,
            away,
            dir,
        }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.gateway.local_addr()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("control.sock")
    }

    pub(crate) async fn control(&self, line: &str) -> ControlReply {
        let mut talk = Talk::to(&self.socket()).await;
        talk.ask(line).await
    }

    /// Puts an overlay with these cut scopes in force; how many calls it severed.
    pub(crate) async fn apply(&self, seq: u64, scopes: &[&str]) -> u32 {
        self.apply_overlay(overlay(seq, scopes)).await
    }

    pub(crate) async fn apply_overlay(&self, overlay: Overlay) -> u32 {
        let line = serde_json::to_string(&ControlRequest::Apply(overlay)).unwrap();
        let reply = self.control(&line).await;
        if let ControlReply::Applied {
            severed, lingering, ..
        } = reply
        {
            // How many linger depends on how busy this machine is; it is never more than were severed.
            assert!(lingering <= severed);
            return severed;
        }
        panic!("not applied: {reply:?}");
    }

    pub(crate) async fn observed(&self) -> Observed {
        let reply = self.control(r#"{"do":"observe"}"#).await;
        if let ControlReply::Observed(observed) = reply {
            return *observed;
        }
        panic!("not observed: {reply:?}");
    }

    pub(crate) async fn post(&self, key: &str, body: impl Into<Bytes>) -> Whole {
        whole(send(self.addr(), chat(key, body)).await).await
    }

    /// A call whose answer's body is read piece by piece.
    pub(crate) async fn stream(&self, key: &str, model: &str) -> Response<Incoming> {
        let body = format!(r#"{{"model":"{model}","stream":true,"max_tokens":100000}}"#);
        timeout(LIMIT, send(self.addr(), chat(key, body)))
            .await
            .unwrap()
    }

    pub(crate) async fn get(&self, key: &str, path: &str) -> Whole {
        let request = Request::get(path)
            .header("host", "gateway")
            .header("authorization", format!("Bearer {key}"))
            .body(Full::default())
            .unwrap();
        whole(send(self.addr(), request).await).await
    }

    /// Every figure of the gateway, as Prometheus reads it.
    pub(crate) async fn metrics(&self) -> String {
        let answer = self.get("", "/metrics").await;
        String::from_utf8(answer.body.to_vec()).unwrap()
    }

    /// Waits until the figures are as `wanted`.
    pub(crate) async fn until_metrics(&self, wanted: impl Fn(&str) -> bool) {
        let until = Instant::now() + LIMIT;
        loop {
            let metrics = self.metrics().await;
            if wanted(&metrics) {
                return;
            }
            assert!(Instant::now() < until, "{metrics}");
            sleep(Duration::from_millis(3)).await;
        }
    }

    /// Waits until this many calls are open.
    pub(crate) async fn until_open(&self, count: u32) {
        let until = Instant::now() + LIMIT;
        while self.observed().await.open != count {
            assert!(Instant::now() < until, "not {count} open in time");
            sleep(Duration::from_millis(3)).await;
        }
    }

    /// Every whole line of the spool.
    pub(crate) fn spooled(&self) -> Vec<UsageRecord> {
        spooled(&self.dir)
    }

    /// Waits until this many records are spooled.
    pub(crate) async fn until_spooled(&self, count: usize) -> Vec<UsageRecord> {
        let until = Instant::now() + LIMIT;
        loop {
            let records = self.spooled();
            if records.len() >= count {
                return records;
            }
            assert!(
                Instant::now() < until,
                "only {} records in time",
                records.len()
            );
            sleep(Duration::from_millis(3)).await;
        }
    }
}

pub(crate) fn start(dir: &TempDir, table: RouteTable) -> Gateway {
    start_with(dir, table, Rules::default())
}

pub(crate) fn start_with(dir: &TempDir, table: RouteTable, rules: Rules) -> Gateway {
    let settings = Settings {
        table,
        rules,
        control_socket: dir.path().join("control.sock"),
        spool_dir: dir.path().join("spool"),
        probe_key: Secret::new(PROBE).unwrap().hash(),
        front: gateway::Front::default(),
    };
    Gateway::start(
        settings,
        std::net::TcpListener::bind("127.0.0.1:0").unwrap(),
    )
    .unwrap()
}

pub(crate) fn spooled(dir: &TempDir) -> Vec<UsageRecord> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir.path().join("spool"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "jsonl"))
        .collect();
    files.sort();
    files
        .iter()
        .flat_map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            text.split_inclusive('\n')
                .filter(|line| line.ends_with('\n'))
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// A budget of one consumer, for a month.
pub(crate) fn budget(tokens: u64, at_end: AtEnd) -> Rules {
    let budget = Budget {
        name: "claw-day".parse().unwrap(),
        of: Selector {
            consumer: Some("claw".parse().unwrap()),
            ..Selector::default()
        },
        window: Window::Month,
        tokens: Some(tokens),
        money: None,
        at_end,
    };
    Rules {
        budgets: vec![budget],
        ..Rules::default()
    }
}

pub(crate) fn overlay(seq: u64, scopes: &[&str]) -> Overlay {
    let mut latches = LatchSet::default();
    let mut incident: Incident = "7".parse().unwrap();
    for scope in scopes {
        latches
            .push(Latch {
                incident,
                scope: scope.parse::<Scope>().unwrap(),
                since: Timestamp::default(),
            })
            .unwrap();
        incident = incident.next();
    }
    Overlay {
        seq,
        latches,
        paused: vec![],
        held: vec![],
    }
}

/// A conversation on the control socket.
pub(crate) struct Talk(BufReader<UnixStream>);

impl Talk {
    pub(crate) async fn to(path: &std::path::Path) -> Self {
        Self(BufReader::new(UnixStream::connect(path).await.unwrap()))
    }

    pub(crate) async fn ask(&mut self, line: &str) -> ControlReply {
        self.0
            .write_all(format!("{line}\n").as_bytes())
            .await
            .unwrap();
        self.hear().await.unwrap()
    }

    pub(crate) async fn hear(&mut self) -> Option<ControlReply> {
        let mut reply = String::new();
        timeout(LIMIT, self.0.read_line(&mut reply))
            .await
            .unwrap()
            .ok()?;
        (!reply.is_empty()).then(|| serde_json::from_str(&reply).unwrap())
    }

    pub(crate) async fn say(&mut self, bytes: &[u8]) {
        let _closed_already = self.0.write_all(bytes).await;
    }
}

pub(crate) fn chat(key: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post("/v1/chat/completions")
        .header("host", "gateway")
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .body(Full::new(body.into()))
        .unwrap()
}

/// Sends on a connection of its own, which lives as long as the answer's body is read.
pub(crate) async fn send(addr: SocketAddr, request: Request<Full<Bytes>>) -> Response<Incoming> {
    try_send(addr, request).await.unwrap()
}

pub(crate) async fn try_send(
    addr: SocketAddr,
    request: Request<Full<Bytes>>,
) -> hyper::Result<Response<Incoming>> {
    let stream = TcpStream::connect(addr).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(connection);
    tasks.detach_all();
    sender.send_request(request).await
}

/// A whole answer.
pub(crate) struct Whole {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether the body ended as HTTP says it must.
    pub(crate) clean: bool,
}

impl Whole {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// A member of the error object.
    pub(crate) fn error(&self, member: &str) -> serde_json::Value {
        let json = self.json();
        json.pointer(&format!("/error/{member}")).unwrap().clone()
    }

    pub(crate) fn code(&self) -> String {
        self.error("code").as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) async fn whole(response: Response<Incoming>) -> Whole {
    let (head, mut body) = response.into_parts();
    let mut bytes = Vec::new();
    let mut clean = true;
    while let Some(frame) = timeout(LIMIT, body.frame()).await.unwrap() {
        match frame {
            Ok(frame) => bytes.extend_from_slice(frame.data_ref().unwrap()),
            Err(_) => {
                clean = false;
                break;
            }
        }
    }
    Whole {
        status: head.status,
        headers: head.headers,
        body: bytes.into(),
        clean,
    }
}

/// The data lines of a stream; fails when one is not whole.
pub(crate) fn events(body: &[u8]) -> Vec<serde_json::Value> {
    let text = std::str::from_utf8(body).unwrap();
    assert!(text.is_empty() || text.ends_with("\n\n"), "{text:?}");
    text.split_terminator("\n\n")
        .map(|event| event.strip_prefix("data: ").unwrap())
        .map(|data| {
            if data == "[DONE]" {
                serde_json::Value::from("[DONE]")
            } else {
                serde_json::from_str(data).unwrap()
            }
        })
        .collect()
}
