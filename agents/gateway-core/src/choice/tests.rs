use super::*;
use kill_wire::{Class, Timestamp};
use net_model::{
    Allowance, Api, BreakerRule, BreakerState, Policy, Span, Target, TargetKind, When,
};
use prices::Prices;
use proptest::prelude::*;
use std::time::Duration;

const RULE: BreakerRule = BreakerRule {
    failures: 3,
    within: Duration::from_secs(10),
    pause: Duration::from_secs(5),
    slow_first_token: None,
};

fn s(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn opened(failure: Failure) -> Breaker {
    let mut breaker = Breaker::default();
    for _ in 0..RULE.failures {
        breaker.failed(Pass::Usual, failure, &RULE, s(0));
    }
    assert_eq!(breaker.state(), BreakerState::Open);
    breaker
}

#[test]
fn it_opens_with_the_failure_that_meets_the_rule_and_no_earlier() {
    let mut breaker = Breaker::default();
    let mut fail = |at| breaker.failed(Pass::Usual, Failure::Timeout, &RULE, s(at));
    assert_eq!(
        [fail(0), fail(5), fail(10)],
        [None; 3],
        "the first is out of the span"
    );
    assert_eq!(fail(11), Some(Change::Opened(Failure::Timeout)));
    assert_eq!(breaker.ask(s(15)), Err(Resting::Until(s(16))));
}

#[test]
fn exactly_one_tries_and_its_success_closes_it() {
    let mut breaker = opened(Failure::Status);
    assert_eq!(breaker.ask(s(5)), Ok(Pass::Trial));
    assert_eq!(breaker.ask(s(50)), Err(Resting::Trying));
    assert_eq!(
        breaker.served(Pass::Usual),
        None,
        "one from before it opened tells nothing"
    );
    assert_eq!(breaker.served(Pass::Trial), Some(Change::Closed));
    assert_eq!(breaker.ask(s(50)), Ok(Pass::Usual));
    assert_eq!(breaker.failures(&RULE, s(50)), 0, "its past is forgotten");
}

#[test]
fn a_try_that_fails_costs_another_pause_and_one_that_was_left_says_nothing() {
    let mut breaker = opened(Failure::Status);
    assert_eq!(breaker.ask(s(5)), Ok(Pass::Trial));
    let change = breaker.failed(Pass::Trial, Failure::BrokenOff, &RULE, s(7));
    assert_eq!(change, Some(Change::StaysOpen(Failure::BrokenOff)));
    assert_eq!(breaker.ask(s(11)), Err(Resting::Until(s(12))));
    assert_eq!(breaker.ask(s(12)), Ok(Pass::Trial));
    breaker.abandoned(Pass::Trial, &RULE, s(13));
    assert_eq!(breaker.state(), BreakerState::Open);
    assert_eq!(breaker.ask(s(16)), Err(Resting::Until(s(17))));
    assert_eq!(breaker.ask(s(17)), Ok(Pass::Trial));
}

#[test]
fn a_target_that_asks_for_rest_is_given_it_within_reason() {
    let mut breaker = opened(Failure::TooMany(Some(s(60))));
    assert_eq!(breaker.ask(s(59)), Err(Resting::Until(s(60))));
    let for_ever = Failure::TooMany(Some(s(1_000_000)));
    breaker.failed(Pass::Usual, for_ever, &RULE, s(1));
    assert_eq!(breaker.ask(s(1)), Err(Resting::Until(s(1) + LONGEST_REST)));
}

#[test]
fn a_probe_opens_it_and_lets_it_try_sooner_where_a_probe_can_tell() {
    let mut breaker = Breaker::default();
    let change = breaker.unwell(&RULE, s(0));
    assert_eq!(change, Some(Change::Opened(Failure::Unwell)));
    breaker.unwell(&RULE, s(3));
    assert_eq!(breaker.ask(s(7)), Err(Resting::Until(s(8))));
    breaker.well(&RULE, s(7));
    assert_eq!(breaker.ask(s(7)), Ok(Pass::Trial));
    breaker.failed(Pass::Trial, Failure::Connect, &RULE, s(8));
    breaker.well(&RULE, s(9));
    assert_eq!(
        breaker.ask(s(11)),
        Err(Resting::Until(s(12))),
        "a pause after the last try"
    );

    let mut failing = opened(Failure::Status);
    failing.well(&RULE, s(1));
    assert_eq!(failing.ask(s(1)), Err(Resting::Until(s(5))));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Ask,
    Serve,
    Fail(Failure),
    Leave,
    Well,
    Unwell,
    LateFailure,
}

fn steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
    let failure = prop::sample::select(vec![
        Failure::Connect,
        Failure::Timeout,
        Failure::Status,
        Failure::TooMany(None),
        Failure::TooMany(Some(s(20))),
        Failure::BrokenOff,
        Failure::SlowFirstToken,
    ]);
    let step = prop_oneof![
        4 => Just(Step::Ask),
        2 => Just(Step::Serve),
        4 => failure.prop_map(Step::Fail),
        1 => Just(Step::Leave),
        1 => Just(Step::Well),
        1 => Just(Step::Unwell),
        1 => Just(Step::LateFailure),
    ];
    prop::collection::vec((0..3000_u64, step), 0..300)
}

/// One breaker, and what it should do, told another way.
#[derive(Default)]
struct Watched {
    breaker: Breaker,
    now: Duration,
    /// Passes that were given and not yet reported.
    out: Vec<Pass>,
    tries: Vec<Duration>,
    /// Failures since it last closed.
    failures: Vec<Duration>,
}

impl Watched {
    fn step(&mut self, step: Step) {
        let (before, now) = (self.breaker.state(), self.now);
        match step {
            Step::Ask => match self.breaker.ask(now) {
                Ok(pass) => {
                    if pass == Pass::Trial {
                        assert_eq!(before, BreakerState::Open);
                        self.tries.push(now);
                    } else {
                        assert_eq!(before, BreakerState::Closed);
                    }
                    self.out.push(pass);
                }
                Err(_) => assert_ne!(before, BreakerState::Closed, "a closed one refuses nobody"),
            },
            Step::Serve => {
                if let Some(pass) = self.out.pop()
                    && self.breaker.served(pass) == Some(Change::Closed)
                {
                    assert_eq!(pass, Pass::Trial);
                    self.failures.clear();
                }
            }
            Step::Fail(failure) => {
                if let Some(pass) = self.out.pop() {
                    self.fail(pass, failure, before);
                }
            }
            Step::LateFailure => self.fail(Pass::Usual, Failure::BrokenOff, before),
            Step::Leave => {
                if let Some(pass) = self.out.pop() {
                    self.breaker.abandoned(pass, &RULE, now);
                }
            }
            Step::Well => self.breaker.well(&RULE, now),
            Step::Unwell => {
                self.breaker.unwell(&RULE, now);
            }
        }
        let trying = self.out.iter().filter(|pass| **pass == Pass::Trial).count();
        assert!(trying <= 1, "one tries at a time");
    }

    fn fail(&mut self, pass: Pass, failure: Failure, before: BreakerState) {
        let now = self.now;
        self.failures.push(now);
        let change = self.breaker.failed(pass, failure, &RULE, now);
        if before == BreakerState::Closed {
            let within = |at: &&Duration| **at + RULE.within > now;
            let met = self.failures.iter().filter(within).count() >= 3;
            let opened = self.breaker.state() == BreakerState::Open;
            assert_eq!(opened, met, "it opens when the rule is met, and only then");
            assert_eq!(change.is_some(), met);
        }
    }
}

proptest! {
    #[test]
    fn one_try_a_pause_and_the_rule_alone_opens_it(steps in steps()) {
        let mut watched = Watched::default();
        for (after, step) in steps {
            watched.now += Duration::from_millis(after);
            watched.step(step);
        }
        for pair in watched.tries.windows(2) {
            prop_assert!(pair[1] - pair[0] >= RULE.pause);
        }
        // Whatever was: once the target is well, it is back within a rest and the one that tries.
        for pass in std::mem::take(&mut watched.out) {
            watched.breaker.abandoned(pass, &RULE, watched.now);
        }
        let rest = watched.now + s(20) + RULE.pause;
        let pass = watched.breaker.ask(rest);
        prop_assert!(pass.is_ok());
        watched.breaker.served(pass.unwrap());
        prop_assert_eq!(watched.breaker.state(), BreakerState::Closed);
    }
}

fn target(name: &str, class: Class, kind: TargetKind) -> Target {
    let base = "http://127.0.0.1:1/v1".parse().unwrap();
    Target {
        kind,
        ..Target::new(name.parse().unwrap(), class, base)
    }
}

fn allowance() -> impl Strategy<Value = Allowance> {
    let span = (
        prop::array::uniform7(any::<bool>()),
        0..1440_u16,
        0..1440_u16,
    );
    let span = span.prop_map(|(days, from, until)| Span { days, from, until });
    let when = prop_oneof![
        Just(When::Always),
        Just(When::Never),
        prop::collection::vec(span, 0..3).prop_map(When::Hours),
    ];
    (when, any::<bool>()).prop_map(|(when, unknown_price)| Allowance {
        when,
        unknown_price,
    })
}

proptest! {
    #[test]
    fn no_class_ever_serves_that_the_policy_forbids(
        local in allowance(),
        cloud in allowance(),
        minute in 0..4_000_000_u64,
        kinds in prop::collection::vec((any::<bool>(), 0..TargetKind::ALL.len()), 0..5),
        api in 0..Api::ALL.len(),
        known in any::<bool>(),
    ) {
        let policy = Policy { local, cloud };
        let now = Timestamp::from_millis(minute * 60_000);
        let targets: Vec<Target> = kinds
            .iter()
            .map(|(cloud, kind)| {
                let class = if *cloud { Class::Cloud } else { Class::Local };
                target("it", class, TargetKind::ALL[*kind].1)
            })
            .collect();
        let prices = Prices::default();
        let wish = Wish {
            api: Api::ALL[api],
            model: if known { "gpt-4o" } else { "no-such-model" },
            policy: &policy,
            now,
            zone: &zone(None).unwrap(),
            prices: &prices,
        };
        // 1970-01-01 was a Thursday.
        let day = u8::try_from((minute / 1440 + 3) % 7).unwrap();
        let at = u16::try_from(minute % 1440).unwrap();
        let judged: Vec<_> = targets.iter().map(|target| (target, wish.may_use(target))).collect();
        prop_assert_eq!(judged.len(), targets.len());
        for ((judged, may), target) in judged.into_iter().zip(&targets) {
            prop_assert!(std::ptr::eq(judged, target), "the route's order stands");
            let allowance = policy.of(target.class);
            let priced = allowance.unknown_price || known || target.class == Class::Local;
            let allowed = allowance.when.allows(day, at) && priced && target.kind.speaks(wish.api);
            prop_assert_eq!(may.is_ok(), allowed, "{:?}", may);
        }
    }
}

#[test]
fn hours_count_in_the_zone_of_the_house() {
    let berlin = zone(Some("Europe/Berlin")).unwrap();
    // 2026-07-01 is a Wednesday; summer time is two hours ahead of UTC.
    let at = week_time(Timestamp::from_millis(1_782_943_200_000), &berlin);
    assert_eq!(at, WeekTime { day: 3, minute: 0 });
    assert!(zone(Some("Europe/Atlantis")).is_err());
}
