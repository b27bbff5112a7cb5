//! What people want of budgets and limits.

use crate::support::*;
use gateway_core::limits::{Answer, Cost, Engine, Frees, Need, Now, Permit, Refusal};
use kill_wire::Class;
use net_model::{AtEnd, Budget, MicroDollars, ModelPattern, Rules, Selector, Window};
use std::time::Duration;

const DAY: u64 = 24 * 3_600_000;

fn ask(engine: &mut Engine, need: &Need, at: Now) -> Result<Permit, Refusal> {
    let who = Who::of("claw");
    engine.reserve(&who.asks("m", Class::Local), need, at)
}

fn hard(tokens: u64) -> Rules {
    rules(
        vec![budget(Selector::default(), tokens, AtEnd::Hard)],
        vec![],
    )
}

#[test]
fn sixty_four_streams_that_would_each_take_a_quarter_use_the_budget_and_no_more() {
    for (limit, chunk) in [(4_000, 1), (4_000, 3), (100_000, 7), (500, 1)] {
        let mut engine = engine(&hard(limit));
        let mut streams: Vec<(Option<Permit>, u64)> = (0..64)
            .filter_map(|_| ask(&mut engine, &flows(11), now(0)).ok())
            .map(|permit| (Some(permit), 11))
            .collect();
        assert!(streams.len() >= 32, "{} were let in", streams.len());
        let mut truth = 0;
        // As many rounds as one stream has pieces in a quarter of the budget.
        for _ in 0..limit / 4 / chunk {
            for (permit, so_far) in &mut streams {
                let Some(mut running) = permit.take() else {
                    continue;
                };
                *so_far += chunk;
                let goes_on = running.goes_on(tokens(*so_far))
                    || engine.draw(&mut running, tokens(*so_far), now(1)).is_ok();
                if goes_on {
                    *permit = Some(running);
                } else {
                    truth += *so_far;
                    engine.settle(running, tokens(*so_far), now(1));
                }
            }
        }
        assert!(streams.iter().all(|(permit, _)| permit.is_none()));
        println!("budget {limit}, pieces of {chunk}: spent {truth}");
        assert!(truth <= limit + 64 * chunk, "{truth} of {limit}");
        assert!(truth * 100 >= limit * 95, "{truth} of {limit}");
        assert_eq!(spent(&mut engine, now(2)), (truth, 0));
    }
}

#[test]
fn a_count_that_falls_gives_nothing_back_before_the_end() {
    let mut engine = engine(&hard(1000));
    let mut permit = ask(&mut engine, &flows(11), now(0)).unwrap();
    engine.draw(&mut permit, tokens(500), now(1)).unwrap();
    // Figures of the target put it lower than our own count did.
    for lower in [300, 420, 500] {
        assert!(permit.goes_on(tokens(lower)));
        engine.draw(&mut permit, tokens(lower), now(1)).unwrap();
        assert_eq!(spent(&mut engine, now(1)).0, 500);
    }
    engine.draw(&mut permit, tokens(600), now(1)).unwrap();
    assert_eq!(spent(&mut engine, now(1)).0, 600);
    engine.settle(permit, tokens(450), now(2));
    assert_eq!(spent(&mut engine, now(2)), (450, 0));
}

#[test]
fn what_was_overspent_is_carried_into_the_next_window() {
    let mut engine = engine(&hard(100));
    let permit = ask(&mut engine, &flows(10), now(0)).unwrap();
    engine.settle(permit, tokens(250), now(1));
    let refusal = ask(&mut engine, &flows(1), now(2)).unwrap_err();
    assert_eq!(refusal.frees, Frees::At(now(2 * DAY).wall));
    assert_eq!(
        refusal.to_string(),
        "The budget `day` is gone: 250 of 100 tokens this day. It frees at 2026-03-04T00:00:00.000Z."
    );
    assert_eq!(spent(&mut engine, now(DAY)), (150, 0));
    assert!(ask(&mut engine, &flows(1), now(DAY)).is_err());
    assert_eq!(spent(&mut engine, now(2 * DAY)), (50, 0));
    let permit = ask(&mut engine, &flows(1), now(2 * DAY)).unwrap();
    engine.cancel(permit, now(2 * DAY));
    assert_eq!(spent(&mut engine, now(9 * DAY)), (0, 0));
}

#[test]
fn an_answer_under_way_goes_on_into_the_next_window() {
    let mut engine = engine(&hard(100));
    let mut permit = ask(&mut engine, &flows(10), now(DAY - 10)).unwrap();
    assert!(engine.draw(&mut permit, tokens(100), now(DAY - 5)).is_err());
    assert!(engine.draw(&mut permit, tokens(120), now(DAY + 5)).is_ok());
    // It says less in the end: only what was counted today goes back.
    engine.settle(permit, tokens(60), now(DAY + 6));
    assert_eq!(spent(&mut engine, now(DAY + 7)), (0, 0));
}

#[test]
fn a_whole_answer_holds_the_most_it_may_say() {
    let mut engine = engine(&hard(1000));
    let whole = |most| Need {
        answer: Answer::Whole(tokens(most)),
        ..flows(100)
    };
    let first = ask(&mut engine, &whole(800), now(0)).unwrap();
    let refusal = ask(&mut engine, &whole(800), now(0)).unwrap_err();
    assert_eq!(refusal.frees, Frees::WithOthers);
    assert!(refusal.to_string().contains("900 held"), "{refusal}");
    engine.settle(first, tokens(150), now(1));
    let second = ask(&mut engine, &whole(700), now(1)).unwrap();
    engine.settle(second, tokens(700), now(1));
    let never = ask(&mut engine, &whole(5000), now(1)).unwrap_err();
    assert_eq!(never.frees, Frees::Never);
    // Where no most was said, what is left must do.
    let usually = Need {
        answer: Answer::WholeUsually(tokens(1024)),
        ..flows(100)
    };
    let last = ask(&mut engine, &usually, now(1)).unwrap();
    assert_eq!(spent(&mut engine, now(1)), (850, 150));
    engine.settle(last, tokens(120), now(1));
    assert_eq!(spent(&mut engine, now(1)), (970, 0));
}

#[test]
fn a_rule_counts_what_its_selector_names_and_roles_count_together() {
    let of = |selector: Selector| {
        let mut engine = engine(&rules(vec![budget(selector, 100, AtEnd::Hard)], vec![]));
        let mut count = |who: &str, model: &str, class| {
            let who = Who::of(who);
            let permit = engine.reserve(&who.asks(model, class), &flows(1), now(0));
            let bound = permit.as_ref().is_ok_and(Permit::is_bound);
            engine.settle(permit.unwrap(), tokens(1), now(0));
            bound
        };
        [
            count("claw", "gpt-5", Class::Local),
            count("paw", "gpt-5", Class::Cloud),
            count("rag", "llama", Class::Cloud),
        ]
    };
    let usual = Selector::default;
    assert_eq!(of(usual()), [true, true, true]);
    let role = Some(name("agent"));
    assert_eq!(of(Selector { role, ..usual() }), [true, true, false]);
    let consumer = Some(name("rag"));
    assert_eq!(
        of(Selector {
            consumer,
            ..usual()
        }),
        [false, false, true]
    );
    let class = Some(Class::Cloud);
    assert_eq!(of(Selector { class, ..usual() }), [false, true, true]);
    let model = Some(ModelPattern::new("gpt-*").unwrap());
    assert_eq!(of(Selector { model, ..usual() }), [true, true, false]);
    let route = Some(name("other"));
    assert_eq!(of(Selector { route, ..usual() }), [false; 3]);
}

#[test]
fn a_budget_of_money_leaves_alone_what_is_free_and_refuses_what_has_no_price() {
    let day = Budget {
        tokens: None,
        money: Some(MicroDollars(2_500_000)),
        ..budget(Selector::default(), 0, AtEnd::Hard)
    };
    let mut engine = engine(&rules(vec![day], vec![]));
    let priced = |micro, cost| {
        let mut need = flows(10);
        need.prompt.money = MicroDollars(micro);
        Need { cost, ..need }
    };
    let permit = ask(&mut engine, &priced(30_000, Cost::Known), now(0)).unwrap();
    assert!(permit.counts_money());
    let mut last = tokens(500);
    last.money = MicroDollars(2_530_000);
    engine.settle(permit, last, now(0));
    let gone: Vec<String> = engine.gone().iter().map(|gone| gone.say()).collect();
    assert_eq!(gone, ["budget day is gone: 2.53 of 2.50 USD"]);
    assert!(ask(&mut engine, &priced(1, Cost::Known), now(0)).is_err());
    assert!(ask(&mut engine, &priced(0, Cost::Unknown), now(0)).is_err());
    let free = ask(&mut engine, &priced(0, Cost::Free), now(0)).unwrap();
    assert!(!free.is_bound());
    engine.cancel(free, now(0));
}

#[test]
fn soft_says_it_once_in_a_window_and_refuses_nothing() {
    let soft = rules(vec![budget(Selector::default(), 100, AtEnd::Soft)], vec![]);
    let mut engine = engine(&soft);
    for (at, told) in [(0, 0), (1, 1), (2, 0), (DAY, 0), (DAY + 1, 1)] {
        let mut permit = ask(&mut engine, &flows(10), now(at)).unwrap();
        assert!(engine.draw(&mut permit, tokens(70), now(at)).is_ok());
        engine.settle(permit, tokens(70), now(at));
        assert_eq!(engine.gone().len(), told, "at {at}");
    }
}

#[test]
fn requests_and_tokens_a_minute_and_how_many_at_once() {
    let mut engine = engine(&rules(vec![], vec![limit(Some(2), None, Some(1))]));
    let first = ask(&mut engine, &flows(1), now(0)).unwrap();
    assert_eq!(first.rates().0.map(|rate| rate.left), Some(1));
    let refusal = ask(&mut engine, &flows(1), now(0)).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "The limit `pace` allows 1 at the same time. It frees when another answer ends."
    );
    engine.settle(first, tokens(1), now(0));
    let second = ask(&mut engine, &flows(1), now(0)).unwrap();
    engine.settle(second, tokens(1), now(0));
    let refusal = ask(&mut engine, &flows(1), now(0)).unwrap_err();
    assert_eq!(refusal.wait(now(0).wall), Some(Duration::from_secs(30)));
    let third = ask(&mut engine, &flows(1), now(30_000)).unwrap();
    // Another target took over: the request counts once.
    engine.cancel(third, now(30_000));
    let fourth = ask(&mut engine, &flows(1), now(30_000)).unwrap();
    engine.settle(fourth, tokens(1), now(30_000));
}

#[test]
fn tokens_beyond_the_pace_are_waited_for_and_never_cut_off() {
    let mut engine = engine(&rules(vec![], vec![limit(None, Some(600), None)]));
    let mut permit = ask(&mut engine, &flows(100), now(0)).unwrap();
    assert!(!permit.goes_on(tokens(900)));
    assert!(engine.draw(&mut permit, tokens(900), now(0)).is_ok());
    engine.settle(permit, tokens(1200), now(0));
    let refusal = ask(&mut engine, &flows(10), now(0)).unwrap_err();
    assert_eq!(refusal.frees, Frees::After(Duration::from_secs(61)));
    assert!(
        ask(&mut engine, &flows(10), now(61_000)).is_ok_and(|permit| {
            engine.settle(permit, tokens(10), now(61_000));
            true
        })
    );
}

#[test]
fn other_rules_leave_the_figures_of_what_still_counts_the_same() {
    let mut engine = engine(&hard(1000));
    let open = ask(&mut engine, &flows(100), now(0)).unwrap();
    let done = ask(&mut engine, &flows(100), now(0)).unwrap();
    engine.settle(done, tokens(400), now(0));
    load(&mut engine, &hard(500), now(1));
    assert_eq!(spent(&mut engine, now(1)).0, 400);
    assert!(ask(&mut engine, &flows(50), now(1)).is_err());
    // The rule goes: what is under way goes on unbound, and leaves nothing behind.
    load(&mut engine, &Rules::default(), now(2));
    let mut open = open;
    assert!(engine.draw(&mut open, tokens(5000), now(2)).is_ok());
    engine.settle(open, tokens(5000), now(2));
    load(&mut engine, &hard(500), now(3));
    assert_eq!(spent(&mut engine, now(3)), (0, 0));
}

#[test]
fn after_a_crash_what_was_held_counts_as_spent_until_the_window_turns() {
    let mut before = engine(&hard(1000));
    let done = ask(&mut before, &flows(100), now(0)).unwrap();
    before.settle(done, tokens(300), now(0));
    let open = ask(&mut before, &flows(200), now(0)).unwrap();
    let held = spent(&mut before, now(0)).1;
    let kept = before.keep();
    let text = serde_json::to_string(&kept).unwrap();
    assert_eq!(
        serde_json::from_str::<Vec<gateway_core::limits::Kept>>(&text).unwrap(),
        kept
    );
    let mut after = engine(&hard(1000));
    after.recover(&kept, now(5));
    assert_eq!(spent(&mut after, now(5)), (300 + held, 0));
    assert_eq!(spent(&mut after, now(DAY)), (0, 0));
    let mut lost = engine(&hard(1000));
    lost.forget();
    assert!(ask(&mut lost, &flows(1), now(5)).is_err());
    assert!(
        lost.gone().is_empty(),
        "nothing trips for a file that was lost"
    );
    before.cancel(open, now(9));
}

#[test]
fn a_clock_that_is_set_back_gives_nothing_anew() {
    let hour = Budget {
        window: Window::Hour,
        ..budget(Selector::default(), 100, AtEnd::Hard)
    };
    let mut engine = engine(&rules(vec![hour], vec![]));
    let permit = ask(&mut engine, &flows(1), now(5 * 3_600_000)).unwrap();
    engine.settle(permit, tokens(100), now(5 * 3_600_000));
    for back in [4 * 3_600_000, 3_600_000, 0] {
        assert!(ask(&mut engine, &flows(1), now(back)).is_err());
    }
    assert!(
        ask(&mut engine, &flows(1), now(3_600_000)).is_ok_and(|permit| {
            engine.cancel(permit, now(3_600_000));
            true
        })
    );
}

#[test]
fn a_person_who_opens_again_gives_the_budget_anew() {
    let mut engine = engine(&hard(100));
    let permit = ask(&mut engine, &flows(1), now(0)).unwrap();
    engine.settle(permit, tokens(100), now(0));
    assert_eq!(engine.gone().len(), 1);
    engine.grant(&name("day"));
    let permit = ask(&mut engine, &flows(1), now(0)).unwrap();
    engine.settle(permit, tokens(100), now(0));
    assert_eq!(engine.gone().len(), 1, "it is told again");
}
