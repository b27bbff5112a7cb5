//! A cut of the house is carried on to the mesh, and nothing is ever taken back.

use crate::control::control;
use crate::fake::{STATUS, Says, Server};
use kill_wire::{Incident, Latch, LatchSet, Scope, StateReport, Timestamp};
use mesh::{ControlKind, CutSettings, Keeper, KeptPolicy, KnownHost, LocalApi, MeshSettings};
use net_model::{MeshFinding, MeshView, Snapshot, Tier, UsageTotals};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const NOW: Timestamp = Timestamp::from_millis(1_795_000_000_000);
const POLICY: &str = "GET /api/v1/policy";
const CHECK: &str = "POST /api/v1/policy/check";
const PUT: &str = "PUT /api/v1/policy";

struct House {
    local: Server,
    control: Server,
    snapshots: watch::Sender<Arc<Snapshot>>,
    hosts: watch::Sender<Arc<Vec<KnownHost>>>,
    views: watch::Receiver<Arc<MeshView>>,
    kept: KeptPolicy,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    _folder: tempfile::TempDir,
}

fn snapshot(scopes: &[&str]) -> Arc<Snapshot> {
    let mut latches = LatchSet::default();
    for (number, scope) in (1..).zip(scopes) {
        let incident = Incident::try_from(number).unwrap();
        let scope: Scope = scope.parse().unwrap();
        latches
            .push(Latch {
                incident,
                scope,
                since: NOW,
            })
            .unwrap();
    }
    Arc::new(Snapshot {
        at: NOW,
        killswitch: Ok(StateReport {
            latches,
            ..StateReport::default()
        }),
        incidents: Vec::new(),
        gateway: Err("not asked".to_owned()),
        last_hour: UsageTotals::default(),
        minutes: Vec::new(),
        remarks: Vec::new(),
        fallbacks: Vec::new(),
        demo: false,
    })
}

fn node(id: &str, name: &str, address: &str, expiry: Value) -> Value {
    json!({ "id": id, "name": name, "ipAddresses": [address], "expiry": expiry, "approvedRoutes": ["10.0.0.0/8"] })
}

fn hosts() -> Arc<Vec<KnownHost>> {
    let host = |name: &str, zone: &str, tier, address: &str| KnownHost {
        name: name.parse().unwrap(),
        zone: zone.parse().unwrap(),
        tier,
        addresses: vec![address.parse().unwrap()],
        stable_id: None,
    };
    Arc::new(vec![
        host("mgmt1", "mgmt", Tier::Control, "100.64.0.1"),
        host("claw1", "red", Tier::Contained, "100.64.0.7"),
    ])
}

/// This machine has the tag of agents: nothing but its own service tells it apart from one.
fn nodes(claw_ends: Value) -> Says {
    let mut own = node("1", "mgmt1", "100.64.0.1", Value::Null);
    let fields = own.as_object_mut().unwrap();
    fields.insert("forcedTags".to_owned(), json!(["tag:agent"]));
    let all = [
        own,
        node("7", "claw1", "100.64.0.7", claw_ends),
        node("8", "laptop", "100.64.0.8", Value::Null),
    ];
    Says::json(json!({ "nodes": all }).to_string())
}

impl House {
    async fn start(quarantine: Option<&str>) -> Self {
        Self::start_while_cut(quarantine, &[]).await
    }

    async fn start_while_cut(quarantine: Option<&str>, scopes: &[&str]) -> Self {
        let (local, server) = (Server::local(), Server::control().await);
        local.book.on("GET /localapi/v0/status", Says::json(STATUS));
        local
            .book
            .on("GET /localapi/v0/prefs", Says::json(r#"{"RouteAll":true}"#));
        // The mesh changes all the time, so that every beat looks at it.
        let changes = Says::Pieces(vec!["{}\n"; 500]);
        let bus = "GET /localapi/v0/watch-ipn-bus?mask=45056";
        local.book.on(bus, changes);
        server.book.on("GET /api/v1/node", nodes(Value::Null));
        server.book.on("GET /api/v1/preauthkey", Says::json("{}"));
        server.book.on(POLICY, Says::json(r#"{"policy":"before"}"#));
        for done in [
            CHECK,
            PUT,
            "POST /api/v1/node/7/expire",
            "POST /api/v1/node/7/approve_routes",
        ] {
            server.book.on(done, Says::json("{}"));
        }
        let folder = tempfile::tempdir().unwrap();
        let kept = KeptPolicy::at(folder.path().join("policy.hujson"));
        let settings = MeshSettings {
            local: Some(LocalApi::at(local.socket())),
            control: Some(control(&server, ControlKind::HeadscaleV1)),
            cut: CutSettings {
                quarantine: quarantine.map(str::to_owned),
                tags: vec!["tag:agent".to_owned()],
            },
            kept: kept.clone(),
            whois: None,
            clock: || NOW,
        };
        let (snapshots, house) = watch::channel(snapshot(scopes));
        let (hosts, known) = watch::channel(hosts());
        let (keeper, views) = Keeper::new(settings, house, known);
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(keeper.run(stop.clone()));
        Self {
            local,
            control: server,
            snapshots,
            hosts,
            views,
            kept,
            stop,
            tasks,
            _folder: folder,
        }
    }

    fn cut(&self, scopes: &[&str]) {
        self.snapshots.send_replace(snapshot(scopes));
    }

    async fn view(&mut self, is: impl Fn(&MeshView) -> bool) -> Arc<MeshView> {
        let seen = self.views.wait_for(|view| is(view));
        let seen = tokio::time::timeout(Duration::from_secs(20), seen).await;
        Arc::clone(&seen.unwrap().unwrap())
    }

    /// Waits until a beat began and ended after this.
    async fn whole_beat(&self) {
        let asked = "GET /localapi/v0/status";
        let times = self.local.book.count(asked) + 2;
        self.local.book.wait_for(asked, times).await;
    }

    /// Tells what was changed at the server, in order.
    async fn stop(mut self) -> Vec<String> {
        self.stop.cancel();
        self.tasks.join_next().await.unwrap().unwrap();
        let lines = self.control.book.lines().into_iter();
        lines.filter(|line| !line.starts_with("GET ")).collect()
    }
}

#[tokio::test]
async fn the_view_shows_whose_each_node_is_and_what_is_wrong_with_it() {
    let mut house = House::start(None).await;
    let view = house.view(|view| !view.nodes.is_empty()).await;
    assert_eq!(view.problems, Vec::<String>::new());
    let [claw, laptop, mgmt] = view.nodes.as_slice() else {
        panic!("{view:?}")
    };
    assert_eq!(claw.host.as_ref().unwrap().as_str(), "claw1");
    for wrong in [
        MeshFinding::ContainedOnMesh,
        MeshFinding::ContainedRoutes,
        MeshFinding::ContainedSsh,
    ] {
        assert!(claw.findings.contains(&wrong), "{claw:?}");
    }
    assert!(laptop.findings.contains(&MeshFinding::UnknownNode));
    assert!(mgmt.node.own && mgmt.node.accepts_routes == Some(true));
    assert_eq!(house.stop().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_cut_of_the_agents_quarantines_then_ends_their_keys_and_nobody_else_s() {
    let mut house = House::start(Some("quarantined")).await;
    house.cut(&["AGENTS"]);
    let view = house.view(|view| view.cut.is_some()).await;
    let cut = view.cut.as_ref().unwrap();
    assert_eq!(cut.incident, Incident::FIRST);
    assert!(
        cut.steps.iter().all(|step| step.problem.is_none()),
        "{cut:?}"
    );
    assert!(cut.policy_kept);
    assert_eq!(house.kept.read().unwrap().as_deref(), Some("before"));
    let put = house
        .control
        .book
        .asked()
        .into_iter()
        .find(|asked| asked.line == PUT);
    assert_eq!(put.unwrap().body, r#"{"policy":"quarantined"}"#);
    let changed = house.stop().await;
    assert_eq!(
        changed,
        [
            CHECK,
            PUT,
            "POST /api/v1/node/7/expire",
            "POST /api/v1/node/7/approve_routes"
        ]
    );
}

#[tokio::test]
async fn a_policy_that_the_server_would_refuse_is_not_put_and_the_rest_is_done() {
    let mut house = House::start(Some("quarantined")).await;
    house
        .control
        .book
        .on(CHECK, Says::status(400, r#"{"detail":"unknown group"}"#));
    house.cut(&["red"]);
    let view = house.view(|view| view.cut.is_some()).await;
    let steps = &view.cut.as_ref().unwrap().steps;
    let problems: Vec<_> = steps.iter().map(|step| step.problem.is_some()).collect();
    assert_eq!(problems, [true, false, false, false], "{steps:?}");
    assert!(steps[0].problem.as_ref().unwrap().contains("unknown group"));
    assert!(!house.stop().await.contains(&PUT.to_owned()));
}

#[tokio::test]
async fn a_cut_that_is_not_about_hosts_changes_nothing_on_the_mesh() {
    let house = House::start(Some("quarantined")).await;
    house.cut(&["LLM", "CLOUD", "TOOLS", "some-route"]);
    house.whole_beat().await;
    assert_eq!(house.stop().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_ended_already_is_left_alone() {
    let mut house = House::start(None).await;
    let ended = nodes(json!("2026-01-01T00:00:00Z"));
    house.control.book.on("GET /api/v1/node", ended);
    house.cut(&["claw1"]);
    let view = house.view(|view| view.cut.is_some()).await;
    let steps = &view.cut.as_ref().unwrap().steps;
    assert_eq!(steps.len(), 1, "only the keys for joining: {steps:?}");
    assert_eq!(house.stop().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_restore_takes_nothing_back() {
    let mut house = House::start(Some("quarantined")).await;
    house.cut(&["ALL"]);
    let view = house.view(|view| view.cut.is_some()).await;
    assert!(view.cut.as_ref().unwrap().policy_kept);
    let now = Says::json(r#"{"policy":"quarantined"}"#);
    house.control.book.on(POLICY, now);
    house.cut(&[]);
    house.whole_beat().await;
    assert_eq!(house.kept.read().unwrap().as_deref(), Some("before"));
    let changed = house.stop().await;
    let puts = changed.iter().filter(|line| *line == PUT).count();
    assert_eq!(puts, 1, "{changed:?}");
}

#[tokio::test]
async fn a_house_that_starts_while_everything_is_cut_leaves_itself_on_the_mesh() {
    let mut house = House::start_while_cut(None, &["ALL"]).await;
    house.view(|view| view.cut.is_some()).await;
    let changed = house.stop().await;
    let of_claw = |line: &String| line.starts_with("POST /api/v1/node/7/");
    assert!(changed.iter().all(of_claw), "{changed:?}");
    assert_eq!(changed.len(), 2);
}

#[tokio::test]
async fn a_host_that_becomes_known_during_a_cut_is_cut_with_the_rest() {
    let mut house = House::start(None).await;
    house.hosts.send_replace(Arc::default());
    house.cut(&["AGENTS"]);
    house.view(|view| view.cut.is_some()).await;
    let end = "POST /api/v1/node/7/expire";
    assert_eq!(house.control.book.count(end), 0);
    house.hosts.send_replace(hosts());
    // Sooner than everything is gone through again.
    house.control.book.wait_for(end, 1).await;
    assert!(!house.stop().await.iter().any(|line| line.contains("/1/")));
}
