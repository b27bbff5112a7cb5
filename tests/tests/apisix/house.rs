//! A twin, its driver, a model in the house and one outside, and two agents.

use gateways::apisix::{Besides, Keeps, Settings};
use gateways::{Apisix, Driver, Gateway as _, GatewayError, Mode, Severed, Wanted};
use http::Method;
use kill_wire::{Class, INCIDENT_HEADER, Latch, LatchSet, Name, RouteKind, Timestamp};
use net_model::{Consumer, ModelPattern, Overlay, Route, RouteTable, Secret, Target};
use site_tests::apisix::{Options, Seen, Twin};
use site_tests::talk::{once, request};
use site_tests::upstream::Upstream;
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for anything.
pub(crate) const LONG: Duration = Duration::from_secs(10);
pub(crate) const CUT: &str = "global_rules/portcullis-cut";
/// Every way: consumer, route, where a list of models stands there.
pub(crate) const WAYS: [(&str, &str, &str); 5] = [
    ("claw", "chat", "/chat/v1/models"),
    ("claw", "far", "/far/v1/models"),
    ("claw", "files", "/files/models"),
    ("paw", "chat", "/v1/models"),
    ("paw", "far", "/far/v1/models"),
];

pub(crate) struct House {
    pub(crate) twin: Twin,
    pub(crate) driver: Driver,
    pub(crate) wanted: Wanted,
    /// In the house, and outside.
    pub(crate) local: Upstream,
    pub(crate) cloud: Upstream,
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn key(of: &str) -> Secret {
    Secret::new(&format!("key-of-{of}")).unwrap()
}

impl House {
    /// Routes not written yet.
    pub(crate) fn bare(options: Options) -> Self {
        Self::with(options, |_| {})
    }

    pub(crate) fn with(options: Options, change: impl FnOnce(&mut Settings)) -> Self {
        let keeps = if options.standalone {
            Keeps::Standalone
        } else {
            Keeps::Etcd
        };
        let twin = Twin::start(options).unwrap();
        let (local, cloud) = (Upstream::start().unwrap(), Upstream::start().unwrap());
        let mut settings = Settings {
            name: name("apisix"),
            admin: twin.admin,
            admin_key: Secret::new("twin-admin-key").unwrap(),
            control: Some(twin.control),
            metrics: Some(twin.metrics),
            data: vec![twin.data],
            keeps,
            manage: true,
            sever: false,
            besides: Besides::default(),
        };
        change(&mut settings);
        Self {
            driver: Driver::Apisix(Apisix::new(settings)),
            wanted: wanted(&local, &cloud),
            twin,
            local,
            cloud,
        }
    }

    /// Told that nothing is cut, its routes written and served.
    pub(crate) async fn open(options: Options) -> Self {
        Self::bare(options).opened().await
    }

    pub(crate) async fn opened(self) -> Self {
        self.apply(1, &[]).await.unwrap();
        let drift = self.driver.reconcile(&self.wanted, Mode::Repair).await;
        assert!(drift.unwrap().failed.is_empty());
        self.twin.settled().await.unwrap();
        self
    }

    pub(crate) async fn apply(&self, seq: u64, cut: &[&str]) -> Result<Severed, GatewayError> {
        self.driver.apply(&overlay(seq, cut)).await
    }

    /// Which overlay the driver finds in force.
    pub(crate) async fn seq(&self) -> Option<u64> {
        self.driver.observe().await.unwrap().seq
    }

    /// As the client of this consumer: the status, and the incident that was named.
    pub(crate) async fn ask(&self, consumer: &str, path: &str) -> (u16, String) {
        let bearer = format!("Bearer {}", key(consumer).expose());
        self.get(path, Some(&bearer)).await
    }

    pub(crate) async fn get(&self, path: &str, authorization: Option<&str>) -> (u16, String) {
        let bearer: Vec<(&str, &str)> = authorization
            .map(|bearer| ("authorization", bearer))
            .into_iter()
            .collect();
        let asked = once(self.twin.data, request(&Method::GET, path, &bearer, ""));
        let answer = asked.await.unwrap();
        (answer.status, answer.header(INCIDENT_HEADER).to_owned())
    }

    /// Who of [`WAYS`] is refused with an incident; everybody else is served.
    pub(crate) async fn refused(&self) -> Vec<(&'static str, &'static str)> {
        let mut refused = Vec::new();
        for (consumer, route, path) in WAYS {
            match self.ask(consumer, path).await {
                (200, _) => {}
                (503, incident) if !incident.is_empty() => refused.push((consumer, route)),
                other => panic!("{consumer} on {route}: {other:?}"),
            }
        }
        refused
    }

    /// Calls of the admin API that write, since so many calls.
    pub(crate) fn writes(&self, since: usize) -> Vec<Seen> {
        let calls = self.twin.calls();
        let calls = calls.into_iter().skip(since);
        calls.filter(|call| call.method != "GET").collect()
    }
}

pub(crate) fn overlay(seq: u64, cut: &[&str]) -> Overlay {
    let latches: Vec<Latch> = cut
        .iter()
        .zip(7_u32..)
        .map(|(scope, incident)| Latch {
            incident: incident.try_into().unwrap(),
            scope: scope.parse().unwrap(),
            since: Timestamp::from_millis(1),
        })
        .collect();
    Overlay {
        seq,
        latches: LatchSet::try_from(latches).unwrap(),
        ..Overlay::default()
    }
}

fn wanted(local: &Upstream, cloud: &Upstream) -> Wanted {
    let target =
        |text, class, at: &Upstream| Target::new(name(text), class, at.base_url().parse().unwrap());
    let route = |text, kind| Route {
        name: name(text),
        kind,
        models: vec![ModelPattern::new("*").unwrap()],
        targets: vec![0, 1],
    };
    let consumer = |text, routes| Consumer::new(name(text), key(text).hash(), routes);
    let table = RouteTable::new(
        vec![
            target("box", Class::Local, local),
            target("sky", Class::Cloud, cloud),
        ],
        vec![
            route("chat", RouteKind::Llm),
            route("far", RouteKind::Llm),
            route("files", RouteKind::Tool),
        ],
        vec![consumer("claw", vec![0, 1, 2]), consumer("paw", vec![0, 1])],
    );
    Wanted {
        table: Arc::new(table.unwrap()),
        keys: ["claw", "paw"].map(|one| (name(one), key(one))).into(),
        leads: vec![Some(0), Some(1), Some(0)],
        ..Wanted::default()
    }
}
