use super::*;
use kill_wire::{Incident, Latch, RouteKind, Scope};
use net_model::{Allowance, BreakerRule, Consumer, KeyHash, ModelPattern, Span};

const RULE: BreakerRule = BreakerRule {
    failures: 3,
    within: Duration::from_secs(10),
    pause: Duration::from_secs(5),
    slow_first_token: None,
};
const WALL: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const LOCAL: usize = 0;
const CLOUD: usize = 1;

fn s(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn target(name: &str, class: Class) -> Target {
    let base = "http://127.0.0.1:1/v1".parse().unwrap();
    Target {
        breaker: RULE,
        ..Target::new(name.parse().unwrap(), class, base)
    }
}

fn route(name: &str, targets: Vec<usize>) -> Route {
    Route {
        name: name.parse().unwrap(),
        kind: RouteKind::Llm,
        models: vec![ModelPattern::new("*").unwrap()],
        targets,
    }
}

fn consumer(name: &str, routes: Vec<usize>, cloud: Allowance) -> Consumer {
    let mut made = Consumer::new(name.parse().unwrap(), KeyHash::of(name.as_bytes()), routes);
    made.policy.cloud = cloud;
    made
}

fn when(when: When) -> Allowance {
    Allowance {
        when,
        ..Allowance::default()
    }
}

fn table(consumers: Vec<Consumer>) -> Arc<RouteTable> {
    let targets = vec![target("ollama", Class::Local), target("far", Class::Cloud)];
    let routes = vec![
        route("chat", vec![LOCAL, CLOUD]),
        route("write", vec![LOCAL, CLOUD]),
    ];
    Arc::new(RouteTable::new(targets, routes, consumers).unwrap())
}

fn steer(counted: bool) -> Steer {
    let both = consumer("claw", vec![0, 1], Allowance::default());
    Steer::new(table(vec![both]), Zone::UTC, counted, WALL)
}

fn cut(scopes: &[&str]) -> Overlay {
    let latch = |(n, scope): (usize, &&str)| Latch {
        incident: Incident::try_from(u32::try_from(n + 1).unwrap()).unwrap(),
        scope: scope.parse().unwrap(),
        since: WALL,
    };
    let latches: Vec<Latch> = scopes.iter().enumerate().map(latch).collect();
    Overlay {
        latches: latches.try_into().unwrap(),
        ..Overlay::default()
    }
}

impl Steer {
    fn to(&mut self, overlay: &Overlay, at: Duration) -> Vec<Option<usize>> {
        let leads: Vec<_> = self
            .leads(overlay, at, WALL)
            .iter()
            .map(|it| it.to)
            .collect();
        self.in_force(&leads);
        leads
    }

    fn count(&mut self, by: usize, failed: u64, served: u64, at: Duration) {
        let since = Since {
            served,
            failed,
            too_many: 0,
        };
        self.counted(0, Some(by), since, at, WALL);
    }
}

#[test]
fn repeated_failures_turn_a_route_and_one_route_tries_and_brings_all_back() {
    let open = Overlay::default();
    let mut steer = steer(true);
    assert_eq!(steer.to(&open, s(0)), [Some(LOCAL); 2]);
    steer.count(LOCAL, 2, 5, s(1));
    assert_eq!(steer.to(&open, s(1)), [Some(LOCAL); 2]);
    steer.count(LOCAL, 1, 0, s(2));
    assert_eq!(steer.to(&open, s(2)), [Some(CLOUD); 2]);
    let leads = steer.leads(&open, s(2), WALL);
    assert_eq!(leads[0].passed, [(LOCAL, Passed::BreakerOpen)]);
    assert_eq!(steer.to(&open, s(6)), [Some(CLOUD); 2]);
    assert_eq!(
        steer.to(&open, s(7)),
        [Some(LOCAL), Some(CLOUD)],
        "one tries"
    );
    assert_eq!(steer.views(s(7))[LOCAL].state, BreakerState::HalfOpen);
    steer.count(LOCAL, 1, 3, s(8));
    assert_eq!(
        steer.to(&open, s(8)),
        [Some(CLOUD); 2],
        "a failure of the try is enough"
    );
    assert_eq!(steer.to(&open, s(13)), [Some(LOCAL), Some(CLOUD)]);
    steer.count(LOCAL, 0, 1, s(14));
    assert_eq!(steer.to(&open, s(14)), [Some(LOCAL); 2]);
    assert_eq!(steer.views(s(14))[LOCAL].state, BreakerState::Closed);
}

#[test]
fn a_probe_turns_at_once_and_brings_back_what_a_probe_can_tell() {
    let open = Overlay::default();
    let mut steer = steer(true);
    steer.to(&open, s(0));
    assert_eq!(
        steer.probed(LOCAL, false, s(1), WALL),
        Some(Change::Opened(Failure::Unwell))
    );
    assert_eq!(steer.to(&open, s(1)), [Some(CLOUD); 2]);
    steer.probed(LOCAL, true, s(2), WALL);
    assert_eq!(steer.to(&open, s(2)), [Some(LOCAL), Some(CLOUD)]);
    assert_eq!(steer.probed(LOCAL, true, s(3), WALL), Some(Change::Closed));
    assert_eq!(steer.to(&open, s(3)), [Some(LOCAL); 2]);
}

#[test]
fn a_server_that_answers_probes_and_fails_requests_stays_away_for_its_pause() {
    let open = Overlay::default();
    let mut steer = steer(true);
    steer.to(&open, s(0));
    steer.count(LOCAL, 3, 0, s(1));
    for at in 1..6 {
        steer.probed(LOCAL, true, s(at), WALL);
        assert_eq!(steer.to(&open, s(at)), [Some(CLOUD); 2]);
    }
    assert_eq!(steer.to(&open, s(6)), [Some(LOCAL), Some(CLOUD)]);
    assert_eq!(steer.probed(LOCAL, true, s(7), WALL), None);
    assert_eq!(steer.views(s(7))[LOCAL].state, BreakerState::HalfOpen);
}

#[test]
fn what_is_counted_right_after_a_turn_is_nobodys() {
    let open = Overlay::default();
    let mut steer = steer(true);
    steer.to(&open, s(0));
    let failed = Since {
        failed: 9,
        ..Since::default()
    };
    assert_eq!(steer.counted(0, None, failed, s(1), WALL), None);
    let opened = Some((LOCAL, Change::Opened(Failure::Status)));
    assert_eq!(steer.counted(0, None, failed, s(2), WALL), opened);
}

#[test]
fn the_strictest_of_a_route_s_consumers_decides() {
    let night = Span::parse("22:00-06:00").unwrap();
    let cases = [
        (when(When::Never), Passed::Forbidden),
        (when(When::Hours(vec![night])), Passed::NotNow),
        (
            Allowance {
                unknown_price: false,
                ..Allowance::default()
            },
            Passed::UnknownPrice,
        ),
    ];
    for (strict, why) in cases {
        let consumers = vec![
            consumer("claw", vec![0, 1], Allowance::default()),
            consumer("paw", vec![0], strict),
        ];
        let mut steer = Steer::new(
            table(consumers),
            Zone::UTC,
            true,
            Timestamp::from_millis(12 * 3_600_000),
        );
        steer.probed(LOCAL, false, s(0), WALL);
        let noon = Timestamp::from_millis(12 * 3_600_000);
        let leads = steer.leads(&Overlay::default(), s(0), noon);
        assert_eq!(leads[0].to, None);
        assert_eq!(
            leads[0].passed,
            [(LOCAL, Passed::BreakerOpen), (CLOUD, why)]
        );
        assert_eq!(leads[1].to, Some(CLOUD), "the other consumer's route");
    }
}

#[test]
fn a_try_that_a_cut_turns_away_is_no_failure_and_costs_a_pause() {
    let targets = vec![target("far", Class::Cloud), target("ollama", Class::Local)];
    let routes = vec![route("chat", vec![0, 1])];
    let claw = consumer("claw", vec![0], Allowance::default());
    let table = RouteTable::new(targets, routes, vec![claw]).unwrap();
    let mut steer = Steer::new(Arc::new(table), Zone::UTC, true, WALL);
    steer.probed(0, false, s(0), WALL);
    assert_eq!(steer.to(&Overlay::default(), s(5)), [Some(0)]);
    assert_eq!(steer.to(&cut(&["CLOUD"]), s(6)), [Some(1)]);
    assert_eq!(steer.views(s(6))[0].state, BreakerState::Open);
    assert_eq!(steer.to(&Overlay::default(), s(6)), [Some(1)]);
    assert_eq!(steer.to(&Overlay::default(), s(10)), [Some(0)]);
}

#[test]
fn who_may_not_be_served_in_the_house_now_is_barred_and_the_others_are_served() {
    let mut paw = consumer("paw", vec![0], Allowance::default());
    paw.policy.local = when(When::Never);
    let consumers = vec![consumer("claw", vec![0, 1], Allowance::default()), paw];
    let mut steer = Steer::new(table(consumers), Zone::UTC, true, WALL);
    let leads = steer.to(&Overlay::default(), s(0));
    assert_eq!(leads, [Some(LOCAL); 2]);
    let barred = steer.barred(&leads, WALL);
    let barred: Vec<_> = barred
        .iter()
        .map(|(who, route)| (who.as_str(), route.as_str()))
        .collect();
    assert_eq!(barred, [("paw", "chat")]);
    assert!(steer.barred(&[Some(CLOUD), None], WALL).is_empty());
}

/// A small generator, so that a failure can be repeated by its seed.
struct Dice(fastrand::Rng);

impl Dice {
    fn overlay(&mut self) -> Overlay {
        let scopes = ["CLOUD", "LLM", "ALL", "chat", "write", "claw", "AGENTS"];
        let chosen: Vec<&str> = scopes.into_iter().filter(|_| self.0.u8(..4) == 0).collect();
        let mut overlay = cut(&chosen);
        if self.0.u8(..4) == 0 {
            overlay.paused = vec![if self.0.bool() {
                Scope::All
            } else {
                Scope::Cloud
            }];
        }
        overlay
    }

    fn step(&mut self, steer: &mut Steer, now: Duration) {
        let target = self.0.usize(..2);
        let since = Since {
            served: self.0.u64(..3),
            failed: self.0.u64(..3),
            too_many: self.0.u64(..2),
        };
        let by = self.0.bool().then_some(target);
        match self.0.u8(..4) {
            0 => drop(steer.probed(target, self.0.bool(), now, WALL)),
            1 | 2 => drop(steer.counted(self.0.usize(..2), by, since, now, WALL)),
            _ => {}
        }
    }
}

#[test]
fn in_ten_thousand_steps_no_route_leads_outside_while_that_is_closed() {
    let mut dice = Dice(fastrand::Rng::with_seed(7));
    let mut steer = steer(true);
    let mut now = Duration::ZERO;
    let mut overlay = Overlay::default();
    let (mut outside, mut kept_in, mut nowhere) = (0, 0, 0);
    for step in 0..10_000 {
        now += Duration::from_millis(dice.0.u64(..2000));
        if dice.0.u8(..6) == 0 {
            overlay = dice.overlay();
        }
        dice.step(&mut steer, now);
        let leads = steer.leads(&overlay, now, WALL);
        let chosen: Vec<_> = leads.iter().map(|lead| lead.to).collect();
        if dice.0.bool() {
            steer.in_force(&chosen);
        }
        let routes: Vec<Route> = steer.table.routes().to_vec();
        for (route, lead) in routes.iter().zip(&leads) {
            let closed = overlay.overrules(&subject(route, Class::Cloud)).is_some();
            assert!(
                !(closed && lead.to == Some(CLOUD)),
                "step {step}: {overlay:?}"
            );
            let local_well = steer.targets[LOCAL].breaker.state() == BreakerState::Closed;
            assert!(
                !local_well || lead.to == Some(LOCAL),
                "step {step}: not home"
            );
            match lead.to {
                Some(CLOUD) => outside += 1,
                None if closed => nowhere += 1,
                _ if closed => kept_in += 1,
                _ => {}
            }
            let may = steer.may_probe(CLOUD, &overlay);
            let any = routes
                .iter()
                .any(|it| overlay.overrules(&subject(it, Class::Cloud)).is_none());
            assert_eq!(may, any);
        }
        let tries = steer.targets.iter().filter(|it| it.tried_by.is_some());
        for standing in tries {
            assert_eq!(
                standing.breaker.state(),
                BreakerState::HalfOpen,
                "step {step}"
            );
        }
    }
    assert!(
        outside > 500 && kept_in > 500 && nowhere > 500,
        "{outside} {kept_in} {nowhere}"
    );
}
