//! A kill switch, a node agent, and the one gateway it drives.

use gateways::Driver;
use http::{HeaderValue, Method, header};
use kill_core::{Digits, Key, People, Person};
use kill_wire::{
    Class, CutReport, LeverReply, LeverRequest, ProbePoint, RouteKind, Scope, SigningKey,
    StateReport,
};
use killctl::Lever;
use killswitchd::{KillSwitch, Point, Settings, Vantage, lever_socket};
use node_agent::{Driven, NodeAgent, Silence};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(30);

/// Where a gateway serves, and each way through it: consumer, key, route.
type Looks<'a> = (SocketAddr, &'a [(&'a str, &'a str, &'a str)]);

pub(crate) struct House {
    dir: tempfile::TempDir,
    switch: Option<KillSwitch>,
    agent: Option<NodeAgent>,
}

fn people() -> People {
    let mut people = People::default();
    let person = Person {
        name: "anna".parse().unwrap(),
        kill: Key::from_random([1; 20], Digits::Eight),
        restore: Key::from_random([2; 20], Digits::Eight),
        check_in: None,
        duress: None,
        cards: Vec::new(),
        senders: Vec::new(),
    };
    people.add(person).unwrap();
    people
}

impl House {
    /// `looks`: by what the kill switch proves a cut of it.
    pub(crate) fn of(name: &str, driver: Driver, looks: Option<Looks<'_>>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = SigningKey::from_bytes(&[7; 32]);
        let state = dir.path().join("killswitch");
        std::fs::create_dir(&state).unwrap();
        killswitchd::create_state(&state, &key).unwrap();
        std::fs::write(state.join("people.json"), people().to_json()).unwrap();
        let state_dir = dir.path().join("agent");
        node_agent::create_state(&state_dir).unwrap();
        let settings = node_agent::Settings {
            node: "gw".to_owned(),
            keys: vec![key.verifying_key()],
            state_dir,
            gateways: Vec::new(),
            on_silence: Silence::default(),
            direct: Vec::new(),
            fence: None,
        };
        let driven = Driven {
            name: name.to_owned(),
            driver,
            managed: None,
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let agent = listener.local_addr().unwrap();
        let running = NodeAgent::start_driving(settings, vec![driven], listener).unwrap();
        let settings = Settings {
            state_dir: state,
            agents: vec![agent],
            vantages: looks.into_iter().map(vantage).collect(),
            ..Settings::default()
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            dir,
            switch: Some(KillSwitch::start(settings, listener).unwrap()),
            agent: Some(running),
        }
    }

    /// On a thread of its own: what the gateway is may run on this one.
    async fn ask(&self, request: LeverRequest) -> LeverReply {
        let lever = Lever::at(lever_socket(&self.dir.path().join("killswitch")));
        let asked = tokio::task::spawn_blocking(move || lever.ask(&request, PATIENCE));
        asked.await.unwrap().unwrap()
    }

    /// Waits until the kill switch says so.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&StateReport) -> bool) {
        let begun = Instant::now();
        loop {
            let LeverReply::State(state) = self.ask(LeverRequest::State).await else {
                panic!("no state")
            };
            if wanted(&state) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "never {what}: {state:?}");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Cuts everything, as the owner does at the machine.
    pub(crate) async fn cut(&self) -> CutReport {
        let request = LeverRequest::Cut {
            scope: Scope::All,
            by: "test".to_owned(),
            why: "to see".to_owned(),
        };
        let LeverReply::Cut(report) = self.ask(request).await else {
            panic!("not cut")
        };
        report
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(switch) = self.switch.take() {
            switch.stop(PATIENCE);
        }
        if let Some(agent) = self.agent.take() {
            let _ended_in_time = agent.stop(PATIENCE);
        }
    }
}

fn vantage((at, ways): Looks<'_>) -> Vantage {
    let point = |(consumer, key, route): &(&str, &str, &str)| {
        let bearer = HeaderValue::try_from(format!("Bearer {key}")).unwrap();
        Point {
            point: ProbePoint {
                kind: RouteKind::Llm,
                consumer: consumer.parse().unwrap(),
                route: route.parse().unwrap(),
                target: "box".parse().unwrap(),
                class: Class::Local,
            },
            method: Method::GET,
            path: format!("/{route}/v1/models"),
            key: Some((header::AUTHORIZATION, bearer)),
        }
    };
    Vantage::http(at, ways.iter().map(point).collect())
}
