//! A gateway before targets that fail as they are told.

use bytes::Bytes;
use gateway::{Gateway, Settings};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use kill_wire::{Class, Incident, Latch, LatchSet, RouteKind, Timestamp};
use net_model::{
    Allowance, BreakerRule, Consumer, ControlReply, ControlRequest, ModelPattern, Observed,
    Overlay, Policy, Renamed, Route, RouteTable, Rules, Secret, Target, TargetView, Timeouts, When,
};
use site_tests::upstream::Upstream;
use std::{net::SocketAddr, time::Duration};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream, UnixStream},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

pub(crate) const LIMIT: Duration = Duration::from_secs(20);
pub(crate) const RULE: BreakerRule = BreakerRule {
    failures: 3,
    within: Duration::from_secs(60),
    pause: Duration::from_millis(400),
    slow_first_token: None,
};

pub(crate) fn target(name: &str, class: Class, url: &str) -> Target {
    Target {
        breaker: RULE,
        timeouts: Timeouts {
            connect: Duration::from_secs(1),
            first_byte: Duration::from_millis(250),
            idle: Duration::from_millis(250),
        },
        ..Target::new(name.parse().unwrap(), class, url.parse().unwrap())
    }
}

/// What a target is asked for instead of each `f-SCRIPT`.
pub(crate) fn plays(scripts: &[&str]) -> Vec<Renamed> {
    let renamed = |script: &&str| Renamed {
        asked: format!("f-{script}"),
        sent: (*script).to_owned(),
    };
    scripts.iter().map(renamed).collect()
}

pub(crate) fn never() -> Allowance {
    Allowance {
        when: When::Never,
        ..Allowance::default()
    }
}

pub(crate) fn consumer(name: &str, policy: Policy) -> Consumer {
    let key = Secret::new(&format!("pck_{name}")).unwrap().hash();
    Consumer {
        policy,
        ..Consumer::new(name.parse().unwrap(), key, vec![0])
    }
}

/// One route over all targets, in their order.
pub(crate) fn table(targets: Vec<Target>, consumers: Vec<Consumer>) -> RouteTable {
    let route = Route {
        name: "chat".parse().unwrap(),
        kind: RouteKind::Llm,
        models: vec![ModelPattern::new("*").unwrap()],
        targets: (0..targets.len()).collect(),
    };
    RouteTable::new(targets, vec![route], consumers).unwrap()
}

pub(crate) struct Site {
    pub(crate) gateway: Gateway,
    pub(crate) dir: TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |it| it.to_str().unwrap())
    }
}

impl Site {
    pub(crate) async fn open(table: RouteTable) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings {
            table,
            rules: Rules::default(),
            control_socket: dir.path().join("control.sock"),
            spool_dir: dir.path().join("spool"),
            probe_key: Secret::new("prb_probe").unwrap().hash(),
            front: gateway::Front::default(),
        };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let gateway = Gateway::start(settings, listener).unwrap();
        let site = Self { gateway, dir };
        site.cut(1, &[]).await;
        site
    }

    /// With one consumer, `claw`, that may use everything.
    pub(crate) async fn over(targets: Vec<Target>) -> Self {
        Self::open(table(targets, vec![consumer("claw", Policy::default())])).await
    }

    async fn control(&self, ask: &ControlRequest) -> ControlReply {
        let stream = UnixStream::connect(self.dir.path().join("control.sock"));
        let mut talk = BufReader::new(stream.await.unwrap());
        let line = serde_json::to_string(ask).unwrap() + "\n";
        talk.write_all(line.as_bytes()).await.unwrap();
        let mut reply = String::new();
        timeout(LIMIT, talk.read_line(&mut reply))
            .await
            .unwrap()
            .unwrap();
        serde_json::from_str(&reply).unwrap()
    }

    pub(crate) async fn cut(&self, seq: u64, scopes: &[&str]) {
        let mut latches = LatchSet::default();
        for scope in scopes {
            let latch = Latch {
                incident: Incident::FIRST,
                scope: scope.parse().unwrap(),
                since: Timestamp::default(),
            };
            latches.push(latch).unwrap();
        }
        let overlay = Overlay {
            seq,
            latches,
            ..Overlay::default()
        };
        let reply = self.control(&ControlRequest::Apply(overlay)).await;
        assert!(matches!(reply, ControlReply::Applied { .. }), "{reply:?}");
    }

    pub(crate) async fn observed(&self) -> Observed {
        let reply = self.control(&ControlRequest::Observe).await;
        if let ControlReply::Observed(observed) = reply {
            return *observed;
        }
        panic!("not observed: {reply:?}");
    }

    pub(crate) async fn view(&self, name: &str) -> TargetView {
        let targets = self.observed().await.targets;
        let mut views = targets.into_iter();
        views.find(|view| view.name.as_str() == name).unwrap()
    }

    /// Waits until what is said of a target is so; how long that took.
    pub(crate) async fn until(&self, name: &str, so: impl Fn(&TargetView) -> bool) -> Duration {
        let begun = Instant::now();
        loop {
            let view = self.view(name).await;
            if so(&view) {
                return begun.elapsed();
            }
            assert!(begun.elapsed() < LIMIT, "not in time: {view:?}");
            sleep(Duration::from_millis(1)).await;
        }
    }

    pub(crate) async fn ask(&self, who: &str, model: &str) -> Answer {
        self.ask_as(who, model, false, "usual").await
    }

    /// On a connection of its own; `phase` reaches the target in a header.
    pub(crate) async fn ask_as(&self, who: &str, model: &str, stream: bool, phase: &str) -> Answer {
        ask(self.gateway.local_addr(), who, model, stream, phase).await
    }
}

pub(crate) async fn ask(
    addr: SocketAddr,
    who: &str,
    model: &str,
    stream: bool,
    phase: &str,
) -> Answer {
    let body = format!(r#"{{"model":"{model}","stream":{stream},"max_tokens":2}}"#);
    let request = Request::post("/v1/chat/completions")
        .header("host", "gateway")
        .header("authorization", format!("Bearer pck_{who}"))
        .header("content-type", "application/json")
        .header("x-who", who)
        .header("x-phase", phase)
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    let socket = TcpStream::connect(addr).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let response = timeout(LIMIT, sender.send_request(request)).await.unwrap();
    let (head, mut body) = response.unwrap().into_parts();
    let mut bytes = Vec::new();
    // A body that breaks off is an answer too.
    while let Some(Ok(frame)) = timeout(LIMIT, body.frame()).await.unwrap() {
        bytes.extend_from_slice(frame.data_ref().unwrap());
    }
    Answer {
        status: head.status,
        headers: head.headers,
        body: bytes.into(),
    }
}

/// A server that says the same to everybody and hangs up; its base URL.
pub(crate) async fn says(reply: &'static str) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let mut task = JoinSet::new();
    task.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = [0; 4096];
            let _whatever = stream.read(&mut asked).await;
            let _gone_already = stream.write_all(reply.as_bytes()).await;
            let _gone_already = stream.shutdown().await;
            // What is still sent is read, so that the answer is not reset away.
            while let Ok(1..) = stream.read(&mut asked).await {}
        }
    });
    (url, task)
}

/// What an upstream was sent in a header of each request, in the order in which they ended.
pub(crate) fn heard(upstream: &Upstream, name: &str) -> Vec<String> {
    let log = upstream.log();
    let value = |headers: &[(String, String)]| {
        let found = headers.iter().find(|(known, _)| known == name);
        found.map_or_else(String::new, |(_, value)| value.clone())
    };
    log.iter().map(|served| value(&served.headers)).collect()
}
