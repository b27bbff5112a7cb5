use super::*;

fn target(number: u64) -> ProbeTarget {
    format!("tcp://198.18.10.{}:445", number + 1)
        .parse()
        .unwrap()
}

fn plan(must: u64, must_not: u64) -> CanaryPlan {
    CanaryPlan {
        must: (0..must).map(|it| target(100 + it)).collect(),
        must_not: (0..must_not).map(target).collect(),
        every_ms: CanaryPlan::EVERY_MS,
    }
}

/// Lets it run until `end`, tries answered by `reached`; when each target was tried.
fn run(
    canary: &mut Canary,
    end: u64,
    reached: impl Fn(&ProbeTarget, u64) -> Reached,
) -> Vec<(u64, ProbeTarget)> {
    let mut log = Vec::new();
    while let Some(now) = canary.next().filter(|next| *next <= end) {
        for tried in canary.due(now, 4) {
            let found = reached(&tried.target, now);
            log.push((now, tried.target.clone()));
            canary.found(&tried, found, now);
        }
    }
    log
}

#[test]
fn a_breach_is_known_within_seconds_of_its_first_sight() {
    let opened = 200_000;
    for seed in 0..50 {
        let mut canary = Canary::new(plan(0, 8), seed, 0).unwrap();
        let reached = |at: &ProbeTarget, now| match now >= opened && *at == target(3) {
            true => Reached::Open,
            false => Reached::Silent,
        };
        let end = opened + 72_000 + 2_400;
        let log = run(&mut canary, end, reached);
        let seen: Vec<u64> = log
            .iter()
            .filter(|it| it.0 >= opened && it.1 == target(3))
            .map(|it| it.0)
            .collect();
        assert!(seen[1] - seen[0] <= 2_400, "{seen:?}");
        let facts = canary.facts(end);
        assert!(facts[0].is_breach() && facts[0].target == target(3));
        assert!(
            facts[1..]
                .iter()
                .all(|fact| fact.verdict() == CanaryVerdict::Holds)
        );
    }
}

#[test]
fn one_try_that_connects_is_no_breach() {
    let mut canary = Canary::new(plan(0, 1), 1, 0).unwrap();
    for number in 0..20 {
        let now = canary.next().unwrap();
        let tried = canary.due(now, 1).remove(0);
        let blip = number % 5 == 0;
        let found = if blip { Reached::Open } else { Reached::Silent };
        canary.found(&tried, found, now);
        assert!(!canary.facts(now)[0].is_breach());
    }
}

#[test]
fn findings_of_the_same_meaning_agree() {
    let mut canary = Canary::new(plan(0, 1), 1, 0).unwrap();
    for (found, agreed) in [
        (Reached::Silent, 1),
        (Reached::Refused, 2),
        (Reached::Open, 1),
        (Reached::Open, 2),
        (Reached::Untried, 1),
    ] {
        let now = canary.next().unwrap();
        let tried = canary.due(now, 1).remove(0);
        canary.found(&tried, found, now);
        assert_eq!(canary.facts(now)[0].agreed, agreed, "{found:?}");
    }
}

#[test]
fn tries_are_few_spread_and_never_two_of_one_target_at_once() {
    let mut canary = Canary::new(plan(32, 32), 7, 0).unwrap();
    let hour = 3_600_000;
    let log = run(&mut canary, hour, |_, _| Reached::Silent);
    // 64 targets about once a minute; what must be reached and is not settles after two.
    assert!((64 * 50..=64 * 76).contains(&log.len()), "{}", log.len());
    let busiest = (0..hour / 1000)
        .map(|s| log.iter().filter(|it| it.0 / 1000 == s).count())
        .max();
    assert!(busiest.unwrap() <= 16, "{busiest:?}");
    let first = canary.due(hour + 80_000, 64);
    assert_eq!(first.len(), 64);
    assert_eq!(
        (canary.due(hour + 200_000, 64), canary.next()),
        (Vec::new(), None)
    );
}

#[test]
fn a_plan_that_contradicts_itself_or_is_too_much_is_refused() {
    let both = CanaryPlan {
        must: vec![target(1)],
        must_not: vec![target(1)],
        every_ms: 60_000,
    };
    assert_eq!(
        Canary::new(both, 0, 0).unwrap_err(),
        BadPlan::Twice(target(1))
    );
    assert_eq!(
        Canary::new(plan(33, 32), 0, 0).unwrap_err(),
        BadPlan::TooMany(65)
    );
    let often = CanaryPlan {
        every_ms: 9_999,
        ..plan(0, 1)
    };
    assert_eq!(Canary::new(often, 0, 0).unwrap_err(), BadPlan::Every(9_999));
}

#[test]
fn what_was_never_tried_is_not_told() {
    let mut canary = Canary::new(plan(0, 2), 1, 0).unwrap();
    assert_eq!(canary.facts(0), []);
    let tried = canary.due(20_000, 1).remove(0);
    canary.found(&tried, Reached::Refused, 20_000);
    let facts = canary.facts(25_000);
    assert_eq!((facts.len(), facts[0].age_ms), (1, 5_000));
}
