//! No sequence of orders, ticks, restarts and failures opens a latch, except a newer good order that was recorded.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use agent_core::{AgentCore, Now, OnSilence, Saved};
use kill_wire::{
    Class, Latch, LatchSet, Name, Order, RouteKind, Scope, SigningKey, Subject, Timestamp,
};
use net_model::Observed;
use proptest::prelude::*;
use std::time::Duration;

const START: u64 = 1_763_700_000_000;
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
    /// Someone sets the clock.
    SetClock {
        secs: u64,
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
        1 => (0..200_000_u64).prop_map(|secs| Event::SetClock { secs }),
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
    wall: u64,
    up: u64,
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

impl World {
    fn new(on_silence: OnSilence) -> Self {
        Self {
            core: AgentCore::new(Some(Saved::default()), false, on_silence),
            on_silence,
            disk: Saved::default(),
            given: Vec::new(),
            seq: 0,
            incident: 0,
            wall: START,
            up: 0,
        }
    }

    fn now(&self) -> Now {
        Now {
            wall: Timestamp::from_millis(self.wall),
            up: Duration::from_secs(self.up),
        }
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
        let issued = Timestamp::from_millis(self.wall.saturating_sub(age * 1000));
        Order {
            seq: self.seq,
            issued,
            expires: issued.plus_millis(30_000),
            lease_until: issued.plus_millis(60_000),
            nonce: [0; 16],
            latches,
        }
        .seal(key)
    }

    fn give(&mut self, bytes: &[u8], recorded: bool) {
        let now = self.now();
        let Ok(verdict) = self.core.on_order(bytes, &key().verifying_key(), now) else {
            return;
        };
        if verdict.step.is_some_and(|step| step.save) && recorded {
            self.disk = self.core.saved().clone();
        }
        let Some(release) = verdict.release else {
            return;
        };
        if recorded {
            self.disk = release.saved();
            self.core.on_recorded(release, now).unwrap();
        } else {
            self.core.on_not_recorded(release, now);
        }
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
                self.wall += secs * 1000;
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
                let saved = Some(self.disk.clone());
                self.core = AgentCore::new(saved, doubtful, self.on_silence);
            }
            Event::SetClock { secs } => self.wall = START + secs * 1000,
        }
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
            seq_gap,
            age,
            recorded,
            ..
        } => *recorded && *age <= 30 && world.seq + seq_gap > world.core.saved().seq,
        // A replay of an order that came too early, or was never recorded, is a first delivery.
        Event::Replay {
            which,
            recorded: true,
        } if !world.given.is_empty() => {
            let bytes = &world.given[which % world.given.len()];
            let order = Order::open(bytes, &key().verifying_key()).unwrap();
            let now = world.now().wall;
            order.seq > world.core.saved().seq
                && now <= order.expires
                && order.issued <= now.plus_millis(300_000)
        }
        Event::Replay { .. }
        | Event::Foreign { .. }
        | Event::Tick { .. }
        | Event::Observed { .. }
        | Event::Restart { .. }
        | Event::SetClock { .. } => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn only_a_newer_recorded_order_in_time_opens_a_latch(hold in any::<bool>(), events in events()) {
        let mut world = World::new(if hold { OnSilence::Hold } else { OnSilence::Cut });
        for event in events {
            let may = may_release(&event, &world);
            let before = world.closed();
            // A process that could not save knows less after a restart; it is then paused instead.
            let restart = matches!(event, Event::Restart { .. });
            world.act(event.clone());
            for (was, is) in before.iter().zip(world.closed()) {
                if restart {
                    prop_assert!(is.1, "{:?}", event);
                } else if !may {
                    prop_assert!(is.0 || !was.0, "a latch opened: {:?}", event);
                }
            }
            prop_assert!(world.core.saved().latches == world.core.overlay().latches);
        }
    }

    #[test]
    fn an_order_given_twice_opens_nothing_the_second_time(hold in any::<bool>(), events in events(), wait in 0..100_u64) {
        let mut world = World::new(if hold { OnSilence::Hold } else { OnSilence::Cut });
        for event in events {
            if !matches!(event, Event::SetClock { .. } | Event::Restart { .. }) {
                world.act(event);
            }
        }
        world.act(Event::Tick { secs: wait });
        let before = world.closed();
        let (seq, lease) = (world.core.saved().seq, world.core.silent());
        for bytes in world.given.clone() {
            let order = Order::open(&bytes, &key().verifying_key()).unwrap();
            // Those that were refused when they came are not repeats.
            if order.seq <= seq || world.now().wall > order.expires {
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
