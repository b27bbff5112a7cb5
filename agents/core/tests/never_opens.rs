//! No sequence of orders, ticks, restarts and failures opens a latch, except a newer order that answers the agent and
//! was recorded.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use agent_core::{AgentCore, OnSilence, Saved, Silence};
use kill_wire::{
    Challenge, Class, Grant, Latch, LatchSet, Name, Order, RouteKind, Scope, SigningKey, Subject,
    Timestamp,
};
use net_model::Observed;
use proptest::prelude::*;
use std::time::Duration;

const SCOPES: [&str; 6] = ["ALL", "LLM", "CLOUD", "TOOLS", "chat", "agent"];

#[derive(Clone, Debug)]
enum Event {
    /// A new order of this house: which scopes, how old, whether recording works.
    Order {
        scopes: u8,
        seq_gap: u64,
        age: u64,
        recorded: bool,
    },
    /// A new order of another house.
    Foreign {
        scopes: u8,
    },
    /// An order that was given before, once more.
    Replay {
        which: usize,
        recorded: bool,
    },
    Tick {
        secs: u64,
    },
    Observed {
        seq: Option<u64>,
    },
    /// The process ends and starts; what had been saved last is all it knows.
    Restart {
        doubtful: bool,
    },
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        6 => (any::<u8>(), 0..4_u64, prop_oneof![0..30_u64, 25..60_u64], any::<bool>())
            .prop_map(|(scopes, seq_gap, age, recorded)| Event::Order { scopes, seq_gap, age, recorded }),
        1 => any::<u8>().prop_map(|scopes| Event::Foreign { scopes }),
        4 => (any::<usize>(), any::<bool>()).prop_map(|(which, recorded)| Event::Replay { which, recorded }),
        2 => (0..90_u64).prop_map(|secs| Event::Tick { secs }),
        1 => proptest::option::of(0..60_u64).prop_map(|seq| Event::Observed { seq }),
        1 => any::<bool>().prop_map(|doubtful| Event::Restart { doubtful }),
    ];
    proptest::collection::vec(event, 1..40)
}

/// The world around the agent, with just enough memory to say what may open.
struct World {
    core: AgentCore,
    on_silence: OnSilence,
    disk: Saved,
    given: Vec<Vec<u8>>,
    seq: u64,
    incident: u32,
    up: u64,
    /// Every challenge of this run, with when it was given.
    given_challenges: Vec<(Challenge, u64)>,
    chance: u64,
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn started(saved: Saved, doubtful: bool, all: OnSilence) -> AgentCore {
    let hold = Vec::new();
    AgentCore::new(
        Some(saved),
        doubtful,
        &[key().verifying_key()],
        Silence { all, hold },
    )
}

impl World {
    fn new(on_silence: OnSilence) -> Self {
        Self {
            core: started(Saved::default(), false, on_silence),
            on_silence,
            disk: Saved::default(),
            given: Vec::new(),
            seq: 0,
            incident: 0,
            up: 0,
            given_challenges: Vec::new(),
            chance: 0,
        }
    }

    fn now(&self) -> Duration {
        Duration::from_secs(self.up)
    }

    /// When the challenge this order answers was given, if that was in this run.
    fn answered(&self, order: &Order) -> Option<u64> {
        let mut given = self.given_challenges.iter();
        let asked = order.grant.answers.first()?;
        given
            .find(|(challenge, _)| challenge == asked)
            .map(|(_, at)| *at)
    }

    fn order(&mut self, scopes: u8, age: u64, key: &SigningKey) -> Vec<u8> {
        let mut latches = LatchSet::default();
        for (n, scope) in SCOPES.iter().enumerate() {
            if scopes & (1 << n) != 0 {
                self.incident += 1;
                let incident = self.incident.try_into().unwrap();
                let scope = scope.parse().unwrap();
                latches
                    .push(Latch {
                        incident,
                        scope,
                        since: Timestamp::from_millis(1),
                    })
                    .unwrap();
            }
        }
        let mut newest_first = self.given_challenges.iter().rev();
        let old = newest_first.find(|(_, given)| given + age <= self.up);
        Order {
            seq: self.seq,
            issued: Timestamp::from_millis(1),
            nonce: [0; 16],
            grant: Grant {
                lease_ms: 60_000,
                answers: old.map(|(challenge, _)| *challenge).into_iter().collect(),
                released: Vec::new(),
            },
            latches,
            theirs: Vec::new(),
        }
        .seal(key)
    }

    fn give(&mut self, bytes: &[u8], recorded: bool) {
        let Ok(verdict) = self.core.on_order(bytes, self.now()) else {
            return;
        };
        if verdict.step.is_some_and(|step| step.save) && recorded {
            self.disk = self.core.saved();
        }
        let Some(release) = verdict.release else {
            return;
        };
        if recorded {
            self.disk = self.core.recording(&release).unwrap();
            self.core.on_recorded(release).unwrap();
        } else {
            self.core.on_not_recorded(release, self.now());
        }
    }

    /// As after every answer.
    fn challenge(&mut self) {
        self.chance += 1;
        let challenge = self.core.challenge(self.chance, self.now());
        self.given_challenges.push((challenge, self.up));
    }

    fn act(&mut self, event: Event) {
        match event {
            Event::Order {
                scopes,
                seq_gap,
                age,
                recorded,
            } => {
                self.seq += seq_gap;
                let bytes = self.order(scopes, age, &key());
                self.give(&bytes, recorded);
                self.given.push(bytes);
            }
            Event::Foreign { scopes } => {
                self.seq += 1;
                let bytes = self.order(scopes, 0, &SigningKey::from_bytes(&[8; 32]));
                self.give(&bytes, true);
            }
            Event::Replay { which, recorded } => {
                if !self.given.is_empty() {
                    let bytes = self.given[which % self.given.len()].clone();
                    self.give(&bytes, recorded);
                }
            }
            Event::Tick { secs } => {
                self.up += secs;
                self.core.on_tick(self.now());
            }
            Event::Observed { seq } => {
                let observed = Observed {
                    boot: "b".into(),
                    seq,
                    ..Observed::default()
                };
                self.core.on_observed("g", &observed);
            }
            Event::Restart { doubtful } => {
                self.core = started(self.disk.clone(), doubtful, self.on_silence);
                self.given_challenges.clear();
            }
        }
        self.challenge();
    }

    /// Which of all possible subjects are closed, by a latch and by a pause.
    fn closed(&self) -> Vec<(bool, bool)> {
        let name = |text: &str| -> Name { text.parse().unwrap() };
        let mut closed = Vec::new();
        for kind in [RouteKind::Llm, RouteKind::Agent, RouteKind::Tool] {
            for route in [name("chat"), name("other")] {
                for consumer in [name("agent"), name("someone")] {
                    for class in [Class::Local, Class::Cloud] {
                        let subject = Subject {
                            kind,
                            route: &route,
                            consumer: Some(&consumer),
                            class: Some(class),
                        };
                        let overlay = self.core.overlay();
                        closed.push((
                            overlay.latches.closing(&subject).is_some(),
                            overlay.overrules(&subject).is_some(),
                        ));
                    }
                }
            }
        }
        closed
    }
}

/// Whether this event may open anything: a newer order of this house, in time, and recorded.
fn may_release(event: &Event, world: &World) -> bool {
    match event {
        Event::Order {
            seq_gap, recorded, ..
        } => *recorded && world.seq + seq_gap > world.core.seq(0),
        // A replay of an order that was never recorded is a first delivery.
        Event::Replay {
            which,
            recorded: true,
        } if !world.given.is_empty() => {
            let bytes = &world.given[which % world.given.len()];
            let order = Order::open(bytes, &key().verifying_key()).unwrap();
            order.seq > world.core.seq(0)
                && world
                    .answered(&order)
                    .is_some_and(|given| world.up - given <= 30)
        }
        Event::Replay { .. }
        | Event::Foreign { .. }
        | Event::Tick { .. }
        | Event::Observed { .. }
        | Event::Restart { .. } => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn only_a_newer_recorded_order_in_time_opens_a_latch(hold in any::<bool>(), events in events()) {
        let mut world = World::new(if hold { OnSilence::Hold } else { OnSilence::Cut });
        for event in events {
            let may = may_release(&event, &world);
            let late = matches!(event, Event::Order { age, .. } if age > 30);
            let before = world.closed();
            // A process that could not save knows less after a restart; it is then paused instead.
            let restart = matches!(event, Event::Restart { .. });
            world.act(event.clone());
            for (was, is) in before.iter().zip(world.closed()) {
                if restart {
                    prop_assert!(is.1, "{:?}", event);
                } else if !may || late {
                    prop_assert!(is.0 || !was.0, "a latch opened: {:?}", event);
                }
            }
        }
    }

    #[test]
    fn an_order_given_twice_opens_nothing_the_second_time(hold in any::<bool>(), events in events(), wait in 0..100_u64) {
        let mut world = World::new(if hold { OnSilence::Hold } else { OnSilence::Cut });
        for event in events {
            if !matches!(event, Event::Restart { .. }) {
                world.act(event);
            }
        }
        world.act(Event::Tick { secs: wait });
        let before = world.closed();
        let (seq, lease) = (world.core.seq(0), world.core.silent());
        for bytes in world.given.clone() {
            let order = Order::open(&bytes, &key().verifying_key()).unwrap();
            // Those that were refused when they came are not repeats.
            let late = world.answered(&order).is_none_or(|given| world.up - given > 30);
            if order.seq <= seq || late {
                world.give(&bytes, true);
            }
        }
        for (was, is) in before.iter().zip(world.closed()) {
            prop_assert!((is.0 || !was.0) && (is.1 || !was.1));
        }
        prop_assert_eq!(world.core.silent(), lease);
    }

    #[test]
    fn without_orders_everything_is_paused_when_the_lease_is_over(events in events()) {
        let mut world = World::new(OnSilence::Cut);
        for event in events {
            world.act(event);
        }
        world.act(Event::Tick { secs: 60 });
        prop_assert_eq!(&world.core.overlay().paused, &vec![Scope::All]);
    }
}
