//! The driver of nginx against the program itself, over random steps: cuts, restores, silence, other routes and consumers,
//! agents that start anew; processes that die, a configuration that is broken, a folder that takes nothing, another file in
//! the place of ours. What the driver claims is compared with what consumers meet, on new connections and on kept ones.
//!
//! A claim is true, or it is not made. `PORTCULLIS_WALK_STEPS` makes each walk longer.

mod ground;

use crate::chance::Chance;
use gateways::{Driver, Gateway as _, Mode, Nginx, Wanted};
use ground::{Folder, Line, Want, ways};
use kill_wire::{Class, Latch, RouteKind, Scope, Subject, Timestamp};
use net_model::Overlay;
use rustix::process::{Pid, Signal, kill_process};
use site_tests::driven::{Answer, Kind, NGINX, Site};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const STEPS: u32 = 100;
/// As often the trouble ends, and everything must come right by itself.
const CALM_EVERY: u32 = 25;
const SCOPES: [&str; 9] = [
    "ALL", "LLM", "CLOUD", "TOOLS", "chat", "side", "claw", "paw", "nobody",
];

pub(super) struct World {
    seed: u64,
    chance: Chance,
    site: Site,
    driver: Driver,
    overlay: Overlay,
    /// What is wanted of it, as last reconciled.
    want: Want,
    wanted: Wanted,
    incidents: u32,
    lines: Vec<Line>,
    /// Its configuration is none, so that no reload is taken.
    broken: bool,
    claims: u32,
    silent: u32,
}

impl World {
    async fn new(seed: u64) -> Self {
        let mut site = Site::start(Kind::Nginx).await.unwrap();
        let driver = Driver::Nginx(Nginx::new(site.nginx().unwrap().settings()));
        let wanted = Want::All.of(&site.upstream.base_url());
        Self {
            seed,
            chance: Chance::new(seed),
            driver,
            overlay: Overlay {
                seq: 1,
                ..Overlay::default()
            },
            want: Want::All,
            wanted,
            incidents: 0,
            lines: Vec::new(),
            broken: false,
            claims: 0,
            silent: 0,
            site,
        }
    }

    fn folder(&mut self) -> Folder {
        Folder::of(&self.site.nginx().unwrap().overlay())
    }

    /// What each way meets: twice on connections of its own, since there are two workers, and once on one that is kept.
    async fn look(&mut self) -> Vec<(usize, Answer)> {
        let ways = ways(self.want);
        if self.lines.len() != ways.len() {
            self.lines = ways.iter().map(|_| Line::default()).collect();
        }
        let mut seen = Vec::new();
        for (at, way) in ways.iter().enumerate() {
            let door = self.site.door_to(way.key, &way.path());
            for _ in 0..2 {
                seen.push((at, Line::default().ask(&door).await));
            }
            seen.push((at, self.lines[at].ask(&door).await));
        }
        seen
    }

    /// What of this cannot be where the overlay is in force: served where it closes, refused where it closes nothing at all,
    /// or refused for an incident that is none.
    fn against(&self, seen: &[(usize, Answer)]) -> Vec<(usize, Answer)> {
        let ways = ways(self.want);
        let latches = self.overlay.latches.as_slice();
        let nothing = latches.is_empty() && self.overlay.paused.is_empty();
        let wrong = |(at, answer): &&(usize, Answer)| {
            let way = &ways[*at];
            let (route, consumer) = (way.route.parse().unwrap(), way.consumer.parse().unwrap());
            let subject = Subject {
                kind: RouteKind::Llm,
                route: &route,
                consumer: Some(&consumer),
                class: Some(Class::Local),
            };
            match answer {
                Answer::Served | Answer::Odd(_) => self.overlay.overrules(&subject).is_some(),
                Answer::Cut(number) => !latches.iter().any(|it| it.incident.get() == *number),
                Answer::Closed => nothing,
                Answer::Ended => false,
            }
        };
        seen.iter().filter(wrong).cloned().collect()
    }

    /// What is so at two looks: a worker that is just about to end is nobody's lie.
    async fn against_twice(&mut self) -> Vec<(usize, Answer)> {
        let seen = self.look().await;
        let wrong = self.against(&seen);
        if wrong.is_empty() {
            return wrong;
        }
        let seen = self.look().await;
        let still = self.against(&seen);
        wrong.into_iter().filter(|it| still.contains(it)).collect()
    }

    /// Tells the newest overlay, and holds what the driver says to it against what is there.
    async fn apply(&mut self, what: &str) {
        let told = self.driver.apply(&self.overlay).await;
        if told.is_ok() {
            let against = self.against_twice().await;
            let at = format!("seed {}, {what}", self.seed);
            assert!(
                against.is_empty(),
                "{at}: said to be in force: {against:?}; {:?}",
                self.overlay
            );
            self.claims += 1;
        }
    }

    async fn step(&mut self) -> String {
        match self.chance.below(100) {
            0..22 => self.cut().await,
            22..40 => self.restore().await,
            40..46 => {
                self.overlay.seq += 1;
                let open = self.overlay.paused.is_empty();
                self.overlay.paused = open.then_some(Scope::All).into_iter().collect();
                self.apply("silence").await;
                "silence".to_owned()
            }
            46..54 => {
                self.apply("told again").await;
                "told again".to_owned()
            }
            54..66 => self.want_another().await,
            66..70 => self.start_anew(),
            70..78 => self.processes().await,
            78..95 => self.vandal().await,
            _ => {
                self.calm().await;
                "calm".to_owned()
            }
        }
    }

    async fn cut(&mut self) -> String {
        let scope: Scope = self.chance.one(&SCOPES).parse().unwrap();
        self.overlay.seq += 1;
        if self.overlay.latches.of(&scope).is_none() {
            self.incidents += 1;
            let latch = Latch {
                incident: self.incidents.try_into().unwrap(),
                scope: scope.clone(),
                since: Timestamp::from_millis(1),
            };
            self.overlay.latches.push(latch).unwrap();
        }
        let what = format!("cut {scope}");
        self.apply(&what).await;
        what
    }

    async fn restore(&mut self) -> String {
        self.overlay.seq += 1;
        let held = self.overlay.latches.as_slice().iter();
        let held: Vec<_> = held.map(|latch| latch.incident).collect();
        let many = if self.chance.percent(50) {
            held.len()
        } else {
            1
        };
        for incident in held.into_iter().take(many) {
            self.overlay.latches.release(incident);
        }
        self.apply("restore").await;
        "restore".to_owned()
    }

    /// Other routes, or other keys; nginx may or may not take them in.
    async fn want_another(&mut self) -> String {
        self.want = *self.chance.one(&[Want::All, Want::One, Want::Swapped]);
        self.wanted = self.want.of(&self.site.upstream.base_url());
        self.lines.clear();
        let kept = self.driver.reconcile(&self.wanted, Mode::Repair).await;
        format!("wanted {:?}: {kept:?}", self.want)
    }

    /// Another agent process, with another setting, that knows nothing of the one before.
    fn start_anew(&mut self) -> String {
        let mut settings = self.site.nginx().unwrap().settings();
        settings.sever = self.chance.percent(50);
        let what = format!("a new agent, sever = {}", settings.sever);
        self.driver = Driver::Nginx(Nginx::new(settings));
        what
    }

    async fn processes(&mut self) -> String {
        let nginx = self.site.nginx().unwrap();
        match self.chance.below(4) {
            0 => {
                let workers = nginx.workers();
                if let Some(worker) = workers.first().copied().and_then(Pid::from_raw) {
                    let _gone = kill_process(worker, Signal::KILL);
                }
                "a worker is killed".to_owned()
            }
            1 => {
                let _not_running = nginx.stop().await;
                "nginx ends".to_owned()
            }
            _ => {
                let old = nginx.workers();
                let told = nginx.reload();
                // Which of two generations somebody meets meanwhile is a matter of luck.
                let begun = Instant::now();
                while told.is_ok()
                    && !self.broken
                    && nginx.workers().iter().any(|it| old.contains(it))
                {
                    assert!(begun.elapsed() < Duration::from_secs(20), "no new workers");
                    sleep(Duration::from_millis(5)).await;
                }
                format!("its owner reloads: {told:?}")
            }
        }
    }

    async fn vandal(&mut self) -> String {
        let folder = self.folder();
        let which = self.chance.below(8);
        let done = match which {
            0 => fs::remove_file(folder.now()),
            1 => folder.lead_now_elsewhere(),
            2 => folder.put_a_folder_for_now(),
            3 => folder.no_room_for_states(),
            4 => fs::remove_dir_all(folder.lease()),
            // As an older version would have left it, or somebody's own.
            5 => fs::write(folder.overlay(), self.older_file(&folder).await),
            6 => fs::write(folder.overlay(), "# not ours\n"),
            _ => {
                let nginx = self.site.nginx().unwrap();
                nginx.configure("nonsense;", "").unwrap();
                self.broken = true;
                Ok(())
            }
        };
        format!("vandal {which}: {done:?}")
    }

    /// Our file for other routes and keys than are wanted.
    async fn older_file(&mut self, folder: &Folder) -> String {
        let other = *self.chance.one(&[Want::All, Want::One, Want::Swapped]);
        folder.file_for(other, &self.site.upstream.base_url()).await
    }

    async fn judge(&mut self, number: u32, step: &str) {
        let before = self.look().await;
        let observed = self.driver.observe().await;
        let after = self.look().await;
        let claims = observed.is_ok_and(|it| it.seq == Some(self.overlay.seq));
        if !claims {
            self.silent += 1;
            return;
        }
        let (wrong, still) = (self.against(&before), self.against(&after));
        // What changes by itself in between is nobody's lie.
        let both: Vec<_> = wrong.iter().filter(|it| still.contains(it)).collect();
        assert!(
            both.is_empty(),
            "seed {}, step {number}, {step}: seen in force, and it is not: {both:?}; {:?}",
            self.seed,
            self.overlay
        );
        self.claims += 1;
    }

    /// Its owner puts right what nobody else can.
    async fn calm(&mut self) {
        let folder = self.folder();
        folder.mend();
        let nginx = self.site.nginx().unwrap();
        nginx
            .configure(&format!("include {};", nginx.overlay().display()), "")
            .unwrap();
        let data = nginx.data;
        self.broken = false;
        if tokio::net::TcpStream::connect(data).await.is_err() {
            // Whoever starts nginx sees that there is a file it can read.
            let base = self.site.upstream.base_url();
            folder.put_ours_if_missing(self.want, &base).await;
            let nginx = self.site.nginx().unwrap();
            let _ended_before = nginx.stop().await;
            nginx.start().await.unwrap();
        }
    }

    /// What the agent does again and again brings everything right.
    async fn come_right(&mut self, number: u32) {
        self.calm().await;
        let begun = Instant::now();
        loop {
            let kept = self.driver.reconcile(&self.wanted, Mode::Repair).await;
            let observed = self.driver.observe().await;
            let told = observed
                .as_ref()
                .is_ok_and(|it| it.seq == Some(self.overlay.seq));
            if !told {
                let _again = self.driver.apply(&self.overlay).await;
            }
            let well = kept.as_ref().is_ok_and(|drift| drift.is_none());
            let seen = self.look().await;
            if told && well && self.exactly(&seen) {
                return;
            }
            let late = begun.elapsed() > Duration::from_secs(40);
            assert!(
                !late,
                "seed {}, step {number}: not right: {kept:?}; {observed:?}; {seen:?}; {:?}",
                self.seed, self.overlay
            );
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether each way is open or closed just as the overlay has it.
    fn exactly(&self, seen: &[(usize, Answer)]) -> bool {
        let ways = ways(self.want);
        let shut = |at: usize| {
            let way = &ways[at];
            let (route, consumer) = (way.route.parse().unwrap(), way.consumer.parse().unwrap());
            let subject = Subject {
                kind: RouteKind::Llm,
                route: &route,
                consumer: Some(&consumer),
                class: Some(Class::Local),
            };
            self.overlay.overrules(&subject).is_some()
        };
        seen.iter().all(|(at, answer)| match answer {
            Answer::Served => !shut(*at),
            Answer::Cut(_) | Answer::Closed => shut(*at),
            Answer::Ended | Answer::Odd(_) => false,
        })
    }
}

async fn walk(seed: u64) {
    if !Path::new(NGINX).exists() {
        eprintln!("SKIPPED: no {NGINX}");
        return;
    }
    let steps = std::env::var("PORTCULLIS_WALK_STEPS");
    let steps = steps.map_or(STEPS, |text| text.parse().unwrap());
    let mut world = World::new(seed).await;
    world.come_right(0).await;
    for number in 1..=steps {
        let step = world.step().await;
        world.judge(number, &step).await;
        if number % CALM_EVERY == 0 || number == steps {
            world.come_right(number).await;
        }
    }
    eprintln!(
        "nginx, seed {seed}: {steps} steps, {} claims, 0 of them false, {} looks without one",
        world.claims, world.silent
    );
}

macro_rules! walks {
    ($($name:ident: $seed:literal),*) => {$(
        #[tokio::test]
        async fn $name() { walk($seed).await; }
    )*};
}

walks! {
    no_claim_is_false_whatever_fails_1: 1,
    no_claim_is_false_whatever_fails_2: 2,
    no_claim_is_false_whatever_fails_3: 3,
    no_claim_is_false_whatever_fails_4: 4
}
