//! The driver of LiteLLM against the double, over random steps: cuts, restores, silence, agents that start anew, and calls that
//! fail in every way. A claim is true, or it is not made; and when the trouble is over, what is blocked is what the overlay
//! closes and what somebody else had blocked before, and nothing more.
//!
//! `PORTCULLIS_WALK_STEPS` makes each walk longer.

use super::restart::{remembering, written};
use crate::chance::Chance;
use gateways::{Driver, Gateway as _, LitellmCutBy};
use kill_wire::{Latch, Scope, Timestamp};
use net_model::Overlay;
use site_tests::litellm::{Double, Fault, Trouble};
use std::collections::BTreeSet;
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

const STEPS: u32 = 120;
/// As often the trouble ends, and everything must come right by itself.
const CALM_EVERY: u32 = 30;
/// A look counts for two seconds.
const STALE: Duration = Duration::from_secs(5);
const KEYS: [&str; 3] = ["claw", "paw", "rag"];
const SCOPES: [&str; 8] = [
    "ALL", "LLM", "CLOUD", "TOOLS", "AGENTS", "claw", "paw", "llama",
];

struct World {
    seed: u64,
    chance: Chance,
    double: Double,
    driver: Driver,
    by: LitellmCutBy,
    state: TempDir,
    overlay: Overlay,
    incidents: u32,
    /// What somebody else blocked.
    theirs: BTreeSet<String>,
    claims: u32,
    silent: u32,
    /// What was done since everything was right.
    done: Vec<String>,
}

fn names(of: &[&str]) -> BTreeSet<String> {
    of.iter().map(|name| (*name).to_owned()).collect()
}

impl World {
    async fn new(seed: u64, by: LitellmCutBy) -> Self {
        let double = Double::start().await;
        for key in KEYS {
            double.key(key);
        }
        double.model("llama", "http://10.0.0.7:11434", true);
        double.model("gpt", "https://api.example.com/v1", true);
        let state = tempfile::tempdir().unwrap();
        let driver = remembering(&double, by, state.path());
        let overlay = Overlay {
            seq: 1,
            ..Overlay::default()
        };
        Self {
            seed,
            chance: Chance::new(seed),
            driver,
            double,
            by,
            state,
            overlay,
            incidents: 0,
            theirs: BTreeSet::new(),
            claims: 0,
            silent: 0,
            done: Vec::new(),
        }
    }

    /// What must be blocked under the overlay, in the words of this LiteLLM alone.
    fn closed(&self) -> BTreeSet<String> {
        let scopes = self.overlay.latches.as_slice().iter();
        let scopes = scopes.map(|latch| latch.scope.to_string());
        let paused = self.overlay.paused.iter().map(ToString::to_string);
        let mut closed = BTreeSet::new();
        for scope in scopes.chain(paused) {
            // Every key may use every model.
            closed.extend(match (self.by, scope.as_str()) {
                (_, "TOOLS") => BTreeSet::new(),
                (LitellmCutBy::Keys, "claw" | "paw") => names(&[scope.as_str()]),
                (LitellmCutBy::Keys, _) => names(&KEYS),
                (_, "CLOUD") => names(&["gpt"]),
                (_, "llama") => names(&["llama"]),
                _ => names(&["gpt", "llama"]),
            });
        }
        closed
    }

    /// What contradicts the overlay now: open although closed, or blocked by us although nothing closes it.
    fn against(&self) -> Vec<String> {
        let (closed, blocked) = (self.closed(), self.double.blocked());
        let open = closed.iter().filter(|name| !blocked.contains(name));
        let shut = blocked
            .iter()
            .filter(|name| !closed.contains(*name) && !self.theirs.contains(*name));
        open.map(|name| format!("{name} is open"))
            .chain(shut.map(|name| format!("{name} is blocked")))
            .collect()
    }

    /// Tells the newest overlay. What it says counts where nothing asked for earlier may still come about.
    async fn apply(&mut self, what: &str) {
        let clear = self.double.unfinished() == 0;
        let told = self.driver.apply(&self.overlay).await;
        self.done.push(format!("{what}: {told:?}"));
        if told.is_ok() && clear {
            let against = self.against();
            let at = format!("seed {}, {:#?}", self.seed, self.done);
            assert!(against.is_empty(), "{at}: said to be in force: {against:?}");
            self.claims += 1;
        }
    }

    async fn step(&mut self) {
        match self.chance.below(100) {
            0..25 => self.cut().await,
            25..45 => self.restore().await,
            45..52 => {
                self.overlay.seq += 1;
                let paused = self.overlay.paused.is_empty();
                self.overlay.paused = paused.then_some(Scope::All).into_iter().collect();
                self.apply("silence").await;
            }
            52..62 => self.apply("told again").await,
            62..88 => self.trouble(),
            88..92 => {
                let away = self.chance.percent(50);
                self.done.push(format!("away {away}"));
                self.double.away(away);
            }
            92..96 => self.start_anew(),
            _ => self.double.calm(),
        }
    }

    async fn cut(&mut self) {
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
        self.apply(&format!("cut {scope}")).await;
    }

    async fn restore(&mut self) {
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
    }

    fn trouble(&mut self) {
        let some = Duration::from_millis(self.chance.below(150));
        let trouble = match self.chance.below(16) {
            0..4 => Trouble::Status(*self.chance.one(&[401, 409, 429, 500, 503])),
            4..7 => Trouble::DoneThenStatus(*self.chance.one(&[500, 502])),
            7..9 => Trouble::Reset,
            9..12 => Trouble::DoneThenReset,
            12 => Trouble::Slow(some),
            13 => Trouble::Hang,
            14 => Trouble::DoneThenHang,
            _ => Trouble::DoneLate(some * 6),
        };
        let spares = u32::try_from(self.chance.below(4)).unwrap();
        let times = 1 + u32::try_from(self.chance.below(3)).unwrap();
        let writes = self.chance.percent(75);
        let fault = Fault {
            trouble,
            writes,
            spares,
            times,
        };
        self.done.push(format!("{fault:?}"));
        self.double.fault(fault);
    }

    /// The process dies, once what it did stands on its disk: what was done just before is looked at elsewhere.
    fn start_anew(&mut self) {
        // While the old one may still be writing, the new one would know less: an agent that stops waits for it.
        if self.double.unfinished() == 0 && self.settled() {
            self.done.push("started anew".to_owned());
            self.driver = remembering(&self.double, self.by, self.state.path());
        }
    }

    /// Whether the record says just what is blocked and not somebody else's.
    fn settled(&self) -> bool {
        let text = std::fs::read_to_string(super::restart::record(self.state.path()));
        let text = text.unwrap_or_default();
        let blocked = self.double.blocked();
        let ours = blocked.iter().filter(|name| !self.theirs.contains(*name));
        let mut ours = ours.peekable();
        ours.peek().is_some() && ours.all(|name| text.contains(&format!("-of-{name}\"")))
    }

    /// A look of the driver against what is there. What it claims by a look of two seconds ago may be over by then.
    async fn judge(&mut self, number: u32) {
        let begun = Instant::now();
        loop {
            let observed = self.driver.observe().await;
            let claims = observed.is_ok_and(|it| it.seq == Some(self.overlay.seq));
            let against = self.against();
            if !claims || against.is_empty() {
                self.claims += u32::from(claims);
                self.silent += u32::from(!claims);
                return;
            }
            let late = begun.elapsed() > STALE;
            let at = format!("seed {}, step {number}", self.seed);
            assert!(!late, "{at}: seen in force, and it is not: {against:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// The trouble ends; what the agent does again and again brings everything right.
    async fn come_right(&mut self, number: u32) {
        self.double.calm();
        let begun = Instant::now();
        loop {
            let observed = self.driver.observe().await;
            if !observed.is_ok_and(|it| it.seq == Some(self.overlay.seq)) {
                let _told = self.driver.apply(&self.overlay).await;
            }
            let wanted: BTreeSet<String> = self.closed().union(&self.theirs).cloned().collect();
            let blocked: BTreeSet<String> = self.double.blocked().into_iter().collect();
            if self.double.unfinished() == 0 && blocked == wanted {
                let told = self.driver.apply(&self.overlay).await;
                if told.is_ok() {
                    break;
                }
            }
            let late = begun.elapsed() > Duration::from_secs(30);
            let seed = self.seed;
            assert!(
                !late,
                "seed {seed}, step {number}: {blocked:?} instead of {wanted:?}"
            );
            sleep(Duration::from_millis(20)).await;
        }
        self.somebody_else().await;
        self.done.clear();
    }

    /// While all is well and nothing is closed: somebody blocks a key by hand, or lifts his own block.
    async fn somebody_else(&mut self) {
        if self.by != LitellmCutBy::Keys || !self.closed().is_empty() {
            return;
        }
        // What was told without an answer a moment ago is told again for a minute: a new process has no such doubt.
        self.driver = remembering(&self.double, self.by, self.state.path());
        self.driver.apply(&self.overlay).await.unwrap();
        written(self.state.path(), &[]).await;
        let key = *self.chance.one(&KEYS);
        if self.theirs.remove(key) {
            self.double.unblock(key);
        } else {
            self.theirs.insert(key.to_owned());
            self.double.block(key);
        }
    }
}

async fn walk(seed: u64, by: LitellmCutBy) {
    let steps = std::env::var("PORTCULLIS_WALK_STEPS");
    let steps = steps.map_or(STEPS, |text| text.parse().unwrap());
    let mut world = World::new(seed, by).await;
    world.come_right(0).await;
    for number in 1..=steps {
        world.step().await;
        world.judge(number).await;
        if number % CALM_EVERY == 0 || number == steps {
            world.come_right(number).await;
        }
    }
    let World { claims, silent, .. } = world;
    eprintln!(
        "LiteLLM, seed {seed}: {steps} steps, {claims} claims, 0 of them false, {silent} looks without one"
    );
}

macro_rules! walks {
    ($($name:ident: $seed:literal $by:ident),*) => {$(
        #[tokio::test]
        async fn $name() { walk($seed, LitellmCutBy::$by).await; }
    )*};
}

walks! {
    no_claim_is_false_whatever_fails_1: 1 Keys,
    no_claim_is_false_whatever_fails_2: 2 Keys,
    no_claim_is_false_whatever_fails_3: 3 Keys,
    no_claim_is_false_whatever_fails_4: 4 Keys,
    no_claim_is_false_whatever_fails_by_models_5: 5 Models,
    no_claim_is_false_whatever_fails_by_models_6: 6 Models
}
