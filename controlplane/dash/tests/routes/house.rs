//! A house to test in.

use crate::keeper::Keeper;
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode, header};
use dash::App;
use http_body_util::BodyExt;
use kill_wire::{
    AgentState, CanaryState, ChannelState, Class, Incident, IncidentRecord, Latch, LatchSet,
    LeverReply, LeverRequest, ProbePoint, ProofState, RouteKind, StateReport, Timestamp,
};
use killctl::Lever;
use net_model::{
    DashRole, ExchangeView, GatewayFacts, KeyHash, MicroDollars, SignedInBy, Snapshot, UsageTotals,
};
use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;
use store::{NewSession, Store};
use tokio::sync::watch;
use tower::ServiceExt;

thread_local! {
    /// Each test has its own thread, on which its handlers run too.
    static NOW: Cell<u64> = const { Cell::new(0) };
}

fn clock() -> Timestamp {
    Timestamp::from_millis(NOW.get())
}

pub(crate) struct House {
    folder: tempfile::TempDir,
    pub(crate) snapshots: watch::Sender<Arc<Snapshot>>,
    /// What the kill switch was asked.
    pub(crate) asked: Arc<Mutex<Vec<LeverRequest>>>,
    /// What it answers next, in this order; without one it hangs up.
    pub(crate) reply: Arc<Mutex<VecDeque<LeverReply>>>,
    pub(crate) router: Router,
    pub(crate) app: App,
    /// Keeps the files.
    pub(crate) office: Arc<Keeper>,
    /// Which gateways may tell of their usage.
    pub(crate) feeds: watch::Sender<Arc<dash::Feeds>>,
    pub(crate) store: Store,
    pub(crate) inventory: inventory::Inventory,
    /// Questions about the configuration.
    pub(crate) config: tokio::sync::mpsc::Receiver<dash::ConfigAsk>,
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::showing(snapshot()).await
    }

    pub(crate) async fn showing(snapshot: Snapshot) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("sign-in")).unwrap();
        let store = Store::open(&folder.path().join("db")).await.unwrap();
        NOW.set(real_now());
        let (asked, reply) = (Arc::default(), Arc::default());
        let socket = folder.path().join("lever.sock");
        serve_lever(&socket, Arc::clone(&asked), Arc::clone(&reply));
        let (snapshots, receiver) = watch::channel(Arc::new(snapshot));
        let (feeds, feeds_receiver) = watch::channel(Arc::default());
        let (asks, config) = tokio::sync::mpsc::channel(1);
        let settings = inventory::Settings::default();
        let inventory = inventory::Inventory::open(store.clone(), settings, clock());
        let inventory = inventory.await.unwrap();
        let office = Arc::new(Keeper::default());
        let app = App {
            inventory: inventory.clone(),
            mesh: None,
            oidc: None,
            passkeys: None,
            jobs: tasks::JobsReader::default(),
            store: store.clone(),
            snapshots: receiver,
            lever: Lever::at(socket),
            office: Arc::clone(&office) as Arc<dyn dash::Office>,
            sign_in_dir: folder.path().join("sign-in"),
            hosts: vec!["portcullis.lan".to_owned()],
            config: asks,
            journal: dash::JournalFile::new(folder.path().join("journal"), |path| {
                match std::fs::read_to_string(path) {
                    Ok(text) if text.contains("forged") => {
                        Err("line 2: the hash does not fit".to_owned())
                    }
                    Ok(text) => Ok(dash::JournalHolds {
                        entries: text.lines().count() as u64,
                        last_hash: "ab12".to_owned(),
                        torn_bytes: 0,
                    }),
                    Err(why) => Err(why.to_string()),
                }
            }),
            feeds: feeds_receiver,
            clock,
        };
        Self {
            folder,
            snapshots,
            asked,
            reply,
            router: dash::router(app.clone()),
            app,
            office,
            feeds,
            store,
            inventory,
            config,
        }
    }

    /// The same house, as its listener on the mesh serves it.
    pub(crate) fn over_mesh(&self, whois: mesh::Whois) -> Router {
        dash::over_mesh(self.app.clone(), whois)
    }

    /// Lets the dashboard's clock jump ahead.
    pub(crate) fn now(&self) -> Timestamp {
        clock()
    }

    pub(crate) async fn join(&self, it: &store::Invitation, now: Timestamp) {
        let certificate = store::CertificateRecord {
            name: it.name.clone(),
            sha256: net_model::KeyHash::of(it.name.as_str().as_bytes()),
            issued: now,
            not_after: now.plus_millis(86_400_000),
        };
        assert!(
            self.store
                .host_joined(it.token, &certificate)
                .await
                .unwrap()
        );
    }

    pub(crate) fn pass(&self, ms: u64) {
        NOW.set(NOW.get() + ms);
    }

    pub(crate) fn issue(&self, token: &str) -> PathBuf {
        let name = KeyHash::of(token.as_bytes()).to_hex();
        let file = self.folder.path().join("sign-in").join(name);
        std::fs::write(&file, "").unwrap();
        file
    }

    /// A cookie of a fresh session.
    pub(crate) async fn session(&self) -> String {
        self.issue("link");
        let answer = self.post("/sign-in", "", "token=link").await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        cookie(&answer)
    }

    /// A cookie of a session with this role, as if an OIDC provider had said who it is.
    pub(crate) async fn session_of(&self, role: DashRole) -> String {
        let token = format!("session-of-{role}");
        let session = NewSession {
            role,
            how: SignedInBy::Oidc,
            who: format!("ada.{role}"),
            ..NewSession::by_link(clock(), clock().plus_millis(3_600_000))
        };
        let hash = KeyHash::of(token.as_bytes());
        let kept = self.store.create_session(hash, &session).await;
        kept.unwrap();
        format!("portcullis_session={token}")
    }

    /// What was written down as changed: a line each, `what subject detail`, the newest first.
    pub(crate) async fn changes(&self) -> String {
        let rows = self.store.changes(100, None).await.unwrap();
        let line = |row: &store::ChangeRow| {
            let it = &row.change;
            format!("{} {} {}\n", it.what, it.subject, it.detail)
        };
        rows.iter().map(line).collect()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str, cookie: &str) -> Response<Body> {
        let request = request(Method::GET, path, cookie);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, cookie: &str, form: &str) -> Response<Body> {
        let request = request(Method::POST, path, cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.send(request.body(Body::from(form.to_owned())).unwrap())
            .await
    }

    /// Writes the journal the dashboard reads.
    pub(crate) fn write_journal(&self, text: &str) {
        std::fs::write(self.folder.path().join("journal"), text).unwrap();
    }

    pub(crate) fn answer_with(&self, reply: LeverReply) {
        *self.reply.lock().unwrap() = VecDeque::from([reply]);
    }

    pub(crate) fn then_answer(&self, reply: LeverReply) {
        self.reply.lock().unwrap().push_back(reply);
    }

    pub(crate) fn was_asked(&self) -> Vec<LeverRequest> {
        self.asked.lock().unwrap().clone()
    }
}

pub(crate) fn request(method: Method, path: &str, cookie: &str) -> axum::http::request::Builder {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "127.0.0.1:7410");
    if cookie.is_empty() {
        request
    } else {
        request.header(header::COOKIE, cookie)
    }
}

/// `name=value` of the cookie an answer sets.
pub(crate) fn cookie(answer: &Response<Body>) -> String {
    let set = answer.headers()[header::SET_COOKIE].to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}

pub(crate) async fn text(answer: Response<Body>) -> String {
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "files of this test carry the real time"
)]
fn real_now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(now.unwrap().as_millis()).unwrap()
}

fn serve_lever(
    path: &std::path::Path,
    asked: Arc<Mutex<Vec<LeverRequest>>>,
    reply: Arc<Mutex<VecDeque<LeverReply>>>,
) {
    let listener = UnixListener::bind(path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            let request = serde_json::from_str(&line).unwrap();
            asked.lock().unwrap().push(request);
            if let Some(reply) = reply.lock().unwrap().pop_front() {
                let text = serde_json::to_string(&reply).unwrap() + "\n";
                (&stream).write_all(text.as_bytes()).unwrap();
            }
        }
    });
}

pub(crate) fn latches(scopes: &[&str]) -> LatchSet {
    let mut set = LatchSet::default();
    for (n, scope) in (1..).zip(scopes) {
        let latch = Latch {
            incident: Incident::try_from(n).unwrap(),
            scope: scope.parse().unwrap(),
            since: Timestamp::from_millis(1_795_000_000_000),
        };
        set.push(latch).unwrap();
    }
    set
}

pub(crate) fn snapshot() -> Snapshot {
    let at = Timestamp::from_millis(1_795_000_000_000);
    let state = StateReport {
        now: at,
        started: at,
        latches: LatchSet::default(),
        seq: 4,
        agents: vec![AgentState {
            address: "127.0.0.1:7413".to_owned(),
            seq: Some(4),
            heard: Some(at),
            problem: None,
        }],
        canaries: CanaryState {
            points: 2,
            good: 2,
            at: Some(at),
        },
        names: vec!["chat".to_owned(), "claw".to_owned()],
        points: vec![ProbePoint {
            kind: RouteKind::Llm,
            consumer: "claw".parse().unwrap(),
            route: "chat".parse().unwrap(),
            target: "box".parse().unwrap(),
            class: Class::Local,
        }],
        channels: vec![ChannelState {
            name: "local".to_owned(),
            ..ChannelState::default()
        }],
        people: 1,
        restore_locked: false,
        step_up: false,
        journal: 12,
        ..StateReport::default()
    };
    Snapshot {
        at,
        killswitch: Ok(state),
        incidents: vec![incident()],
        gateway: Ok(GatewayFacts {
            open: 1,
            exchanges: vec![exchange("smollm2")],
            names: vec!["chat".to_owned(), "claw".to_owned()],
            targets: Vec::new(),
            budgets: Vec::new(),
        }),
        last_hour: UsageTotals {
            exchanges: 4,
            prompt_tokens: 1200,
            completion_tokens: 34_000,
            estimated: 1,
            cost: MicroDollars(1_234_567),
            unknown_price: 2,
        },
        minutes: (0..60).collect(),
        remarks: Vec::new(),
        fallbacks: Vec::new(),
        demo: true,
    }
}

pub(crate) fn exchange(model: &str) -> ExchangeView {
    ExchangeView {
        id: 7,
        consumer: "claw".parse().unwrap(),
        route: "chat".parse().unwrap(),
        target: Some("ollama".parse().unwrap()),
        class: Some(Class::Local),
        model: model.to_owned(),
        streaming: true,
        since: Timestamp::from_millis(1_795_000_000_000),
    }
}

pub(crate) fn incident() -> IncidentRecord {
    IncidentRecord {
        incident: Incident::FIRST,
        scope: kill_wire::Scope::Llm,
        since: Timestamp::from_millis(1_795_000_000_000),
        by: "owner by twilio".to_owned(),
        why: "runaway".to_owned(),
        proof: Some(proof()),
        streams: 3,
        ended: None,
    }
}

pub(crate) fn proof() -> ProofState {
    ProofState {
        routes_blocked: 1,
        routes: 1,
        probes_dead: 2,
        probes: 2,
        unproven: 0,
        still_open: Vec::new(),
    }
}
