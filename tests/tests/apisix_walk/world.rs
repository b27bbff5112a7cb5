//! The house of a walk: a twin, its driver, what was last told, and how claims are held against what is there.

use crate::{
    chance::Chance,
    ground::{Line, Seen, target},
    steps::Told,
};
use gateways::apisix::{Besides, Keeps, Settings};
use gateways::{Apisix, Driver, Gateway as _, Mode, Wanted};
use kill_wire::{Class, Name, RouteKind, Subject};
use net_model::{Consumer, ModelPattern, Overlay, Route, RouteTable, Secret, Target};
use serde_json::{Value, json};
use site_tests::apisix::{EtcdState, Lags, Options, Twin};
use std::{fmt, sync::Arc};
use tokio::task::JoinSet;

pub(crate) const ROUTES: [(&str, RouteKind); 3] = [
    ("chat", RouteKind::Llm),
    ("draw", RouteKind::Llm),
    ("files", RouteKind::Tool),
];
pub(crate) const CONSUMERS: [&str; 2] = ["claw", "paw"];

pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) chance: Chance,
    pub(crate) twin: Twin,
    pub(crate) driver: Driver,
    pub(crate) overlay: Overlay,
    pub(crate) wanted: Wanted,
    pub(crate) incidents: u32,
    pub(crate) hung: bool,
    lines: Vec<Line>,
    /// What was last tried to come right.
    last: String,
    theirs: Value,
    /// Claims that were made and held.
    pub(crate) held: u32,
    pub(crate) refused: u32,
    _targets: JoinSet<()>,
}

fn key(consumer: &str) -> String {
    format!("pck_{consumer}-0123456789abcdef0123456789abcdef")
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn wanted(local: std::net::SocketAddr, cloud: std::net::SocketAddr) -> Wanted {
    let target = |word: &str, class, at| {
        let base = format!("http://{at}/v1").parse().unwrap();
        Target::new(name(word), class, base)
    };
    let route = |(word, kind): (&str, RouteKind)| Route {
        name: name(word),
        kind,
        models: vec![ModelPattern::new("*").unwrap()],
        targets: vec![0, 1],
    };
    let consumer = |word: &&str| {
        let key = Secret::new(&key(word)).unwrap().hash();
        Consumer::new(name(word), key, vec![0, 1, 2])
    };
    let targets = vec![
        target("box", Class::Local, local),
        target("sky", Class::Cloud, cloud),
    ];
    let consumers = CONSUMERS.iter().map(consumer).collect();
    let table = RouteTable::new(targets, ROUTES.map(route).to_vec(), consumers).unwrap();
    let keys = CONSUMERS.map(|word| (name(word), Secret::new(&key(word)).unwrap()));
    Wanted {
        table: Arc::new(table),
        keys: keys.into_iter().collect(),
        leads: vec![Some(0), Some(1), Some(0)],
        ..Wanted::default()
    }
}

impl World {
    pub(crate) async fn new(seed: u64) -> Self {
        let twin = Twin::start(Options {
            lags: Lags::none(),
            ..Options::default()
        });
        let twin = twin.unwrap();
        let mut tasks = JoinSet::new();
        let local = target(Class::Local, &mut tasks).await;
        let cloud = target(Class::Cloud, &mut tasks).await;
        let nodes = json!({ local.to_string(): 1 });
        let theirs = json!({ "uri": "/theirs/*", "upstream": { "nodes": nodes } });
        twin.place("routes/theirs", theirs).unwrap();
        let driver = Driver::Apisix(Apisix::new(Settings {
            name: name("apisix"),
            admin: twin.admin,
            admin_key: Secret::new("twin-admin-key").unwrap(),
            control: Some(twin.control),
            metrics: None,
            data: vec![twin.data],
            keeps: Keeps::Etcd,
            manage: true,
            sever: false,
            besides: Besides::default(),
        }));
        let mut world = Self {
            seed,
            chance: Chance::new(seed),
            theirs: twin.stored("routes/theirs").unwrap(),
            wanted: wanted(local, cloud),
            overlay: Overlay::default(),
            incidents: 0,
            hung: false,
            lines: Vec::new(),
            last: String::new(),
            held: 0,
            refused: 0,
            twin,
            driver,
            _targets: tasks,
        };
        world.overlay.seq = 1;
        world.come_right().await;
        world
    }

    /// What each consumer sees on each route through each worker.
    pub(crate) async fn look(&mut self) -> Vec<(usize, usize, usize, Seen)> {
        loop {
            if self.lines.len() < 2 {
                self.lines.clear();
                for _ in 0..2 {
                    self.lines.push(Line::to(self.twin.data).await.unwrap());
                }
            }
            if let Some(seen) = self.round().await {
                return seen;
            }
            // It restarted, and its connections broke.
            self.lines.clear();
        }
    }

    async fn round(&mut self) -> Option<Vec<(usize, usize, usize, Seen)>> {
        let mut all = Vec::new();
        for (worker, line) in self.lines.iter_mut().enumerate() {
            for (at, (route, kind)) in ROUTES.into_iter().enumerate() {
                let path = match kind {
                    RouteKind::Llm => format!("/{route}/v1/models"),
                    RouteKind::Agent | RouteKind::Tool => format!("/{route}/models"),
                };
                for (who, consumer) in CONSUMERS.into_iter().enumerate() {
                    let seen = line.ask(&path, &key(consumer)).await?;
                    all.push((worker, at, who, seen));
                }
            }
        }
        Some(all)
    }

    /// What contradicts `overlay` in what was seen: open where it closes, or refused where it closes nothing at all.
    pub(crate) fn against(
        overlay: &Overlay,
        seen: &[(usize, usize, usize, Seen)],
    ) -> Vec<(usize, usize, usize, Seen)> {
        let nothing = overlay.latches.is_empty() && overlay.paused.is_empty();
        let wrong = |(_, route, who, seen): &&(usize, usize, usize, Seen)| match seen {
            Seen::Open(class) => {
                let (route, kind) = ROUTES[*route];
                let (route, consumer) = (name(route), name(CONSUMERS[*who]));
                let subject = Subject {
                    kind,
                    route: &route,
                    consumer: Some(&consumer),
                    class: Some(*class),
                };
                overlay.overrules(&subject).is_some()
            }
            Seen::Refused => nothing,
            Seen::Other(_) => false,
        };
        seen.iter().filter(wrong).copied().collect()
    }

    /// Holds the step's receipt, and then a look of the driver, against the data plane.
    pub(crate) async fn judge(&mut self, number: u32, step: &Told) {
        let before = self.look().await;
        let at = format!("seed {}, step {number}, {step:?}", self.seed);
        if step.claims {
            let wrong = Self::against(&self.overlay, &before);
            assert!(
                wrong.is_empty(),
                "{at}: said to be in force: {wrong:?}; {self}"
            );
        }
        let observed = self.driver.observe().await;
        let after = self.look().await;
        if let Ok(observed) = observed
            && observed.seq == Some(self.overlay.seq)
        {
            let wrong = Self::against(&self.overlay, &before);
            let still = Self::against(&self.overlay, &after);
            // What changes by itself in between is nobody's lie.
            let both: Vec<_> = wrong.iter().filter(|one| still.contains(one)).collect();
            assert!(
                both.is_empty(),
                "{at}: seen in force, and it is not: {both:?}; {self}"
            );
            self.held += 1;
        } else {
            self.refused += 1;
        }
        assert_eq!(
            self.twin.stored("routes/theirs"),
            Some(self.theirs.clone()),
            "{at}"
        );
    }

    /// The trouble ends; what the agent does again and again brings everything right.
    pub(crate) async fn come_right(&mut self) {
        self.twin.calm();
        self.twin.etcd(EtcdState::Up);
        self.twin.lags(Lags::none());
        loop {
            let kept = self.driver.reconcile(&self.wanted, Mode::Repair).await;
            let looked = self.driver.observe().await;
            self.last = format!(
                "kept {kept:?}; looked {looked:?}; {} unfinished",
                self.twin.unfinished()
            );
            let told = looked.is_ok_and(|observed| observed.seq == Some(self.overlay.seq));
            if !told {
                let again = self.driver.apply(&self.overlay).await;
                let seen = self.look().await;
                self.last = format!("{}; told {again:?}; {seen:?}", self.last);
                continue;
            }
            let quiet = self.twin.unfinished() == 0 && kept.is_ok_and(|drift| drift.is_none());
            if quiet && self.exactly().await {
                return;
            }
        }
    }

    /// Whether every way is open or closed as the overlay has it, and leads where it is wanted.
    async fn exactly(&mut self) -> bool {
        let seen = self.look().await;
        seen.iter().all(|(_, at, who, seen)| {
            let lead = self.wanted.leads[*at];
            let Some(lead) = lead else {
                return !matches!(seen, Seen::Open(_));
            };
            let class = self.wanted.table.targets()[lead].class;
            let (route, kind) = ROUTES[*at];
            let (route, consumer) = (name(route), name(CONSUMERS[*who]));
            let subject = Subject {
                kind,
                route: &route,
                consumer: Some(&consumer),
                class: Some(class),
            };
            match self.overlay.overrules(&subject) {
                Some(_) => *seen == Seen::Refused,
                None => *seen == Seen::Open(class),
            }
        })
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls = self.twin.calls();
        write!(
            f,
            "{} claims held, {} looks without one, {} admin calls; told {:?}; rule {:?}; {}",
            self.held,
            self.refused,
            calls.len(),
            self.overlay,
            self.twin.stored("global_rules/portcullis-cut"),
            self.last,
        )
    }
}
