use crate::house::*;
use kill_core::{Core, Decision, Held, Opening, Rules, RulesError, Why};
use kill_wire::Scope;

fn cut_house() -> Core {
    let mut core = two(Rules {
        two_person: true,
        ..by_any_text()
    });
    core.lever_cut(Scope::All, "admin", "test", NOW);
    core.lever_cut(Scope::Llm, "admin", "test", NOW);
    core
}

fn says(core: &Core, name: &str, scope: &str, steps: u64) -> String {
    let code = restore_code(core, name, later(steps).step());
    format!("RESTORE {scope} {code}")
}

fn held(decision: Decision) -> Held {
    match decision {
        Decision::Held(held) => held,
        other => panic!("expected a held restore, got {other:?}"),
    }
}

#[test]
fn two_people_restore_and_one_alone_never_does() {
    let mut core = cut_house();
    let first = text("a", &says(&core, "anna", "ALL", 3));
    let waits = held(core.on_text(&first, later(3)));
    assert_eq!(
        waits.reply.as_str(),
        "RESTORE held: 1 of 2 people. Second member must text RESTORE ALL code by 08:18Z. #1"
    );
    // The code is spent, here and after a restart, and the same person is no second one.
    let mut core = restarted(&core);
    assert_eq!(
        duplicate(core.on_text(&text("b", &first.text), later(3))),
        Some(waits.reply)
    );
    for n in 4..20 {
        let again = says(&core, "anna", "ALL", n);
        held(core.on_text(&text(&n.to_string(), &again), later(n)));
    }
    assert_eq!(cut_now(&core), "ALL#1 LLM#2");
    let second = says(&core, "ben", "ALL", 20);
    let both = restore(core.on_text(&text("c", &second), later(20)));
    assert!(!core.commit(both.seal, later(20)).overtaken);
    assert_eq!(cut_now(&core), "LLM#2");
}

#[test]
fn the_two_may_come_by_different_ways() {
    let mut core = cut_house();
    let at = later(3);
    let code = restore_code(&core, "anna", at.step());
    let first = core.lever_restore(&Scope::All, &code, "admin", at).unwrap();
    assert!(matches!(first, Opening::Held(held) if held.via == "lever (admin)"));
    let second = says(&core, "ben", "ALL", 3);
    restore(core.on_text(&text("a", &second), at));
    let third = restore_code(&core, "ben", later(4).step());
    at_once(
        core.lever_restore(&Scope::All, &third, "x", later(4))
            .unwrap(),
    );
}

#[test]
fn the_two_must_mean_the_same_scope_within_a_quarter_of_an_hour() {
    let mut core = cut_house();
    let first = says(&core, "anna", "ALL", 3);
    held(core.on_text(&text("a", &first), later(3)));
    let other = says(&core, "ben", "LLM", 4);
    held(core.on_text(&text("b", &other), later(4)));
    let late = says(&core, "ben", "ALL", 33);
    held(core.on_text(&text("c", &late), later(33)));
    let in_time = says(&core, "anna", "ALL", 62);
    restore(core.on_text(&text("d", &in_time), later(62)));
}

#[test]
fn a_cut_in_between_takes_the_first_one_s_wish_back() {
    for by_text in [false, true] {
        let mut core = cut_house();
        let first = says(&core, "anna", "ALL", 3);
        held(core.on_text(&text("a", &first), later(3)));
        if by_text {
            let code = kill_code(&core, "ben", later(3).step());
            cut(core.on_text(&text("k", &format!("KILL CLOUD {code}")), later(3)));
        } else {
            core.lever_cut(Scope::Cloud, "x", "y", later(3));
        }
        let second = says(&core, "ben", "ALL", 4);
        held(core.on_text(&text("b", &second), later(4)));
        assert_eq!(cut_now(&core), "ALL#1 LLM#2 CLOUD#3");
    }
}

#[test]
fn when_the_restore_could_not_be_written_down_the_second_person_tries_again() {
    let mut core = cut_house();
    let first = says(&core, "anna", "ALL", 3);
    held(core.on_text(&text("a", &first), later(3)));
    let second = says(&core, "ben", "ALL", 3);
    drop(restore(core.on_text(&text("b", &second), later(3))));
    restore(core.on_text(&text("c", &second), later(3)));
}

#[test]
fn a_wrong_second_code_is_a_wrong_code() {
    let mut core = cut_house();
    let first = says(&core, "anna", "ALL", 3);
    held(core.on_text(&text("a", &first), later(3)));
    let wrong = refused(core.on_text(&text("b", "RESTORE ALL 00000000"), later(3)));
    assert_eq!(wrong.why, Why::NotAccepted);
}

#[test]
fn two_of_one_person_may_not_start() {
    let rules = Rules {
        two_person: true,
        ..Rules::default()
    };
    assert_eq!(rules.check(alone().people()), Err(RulesError::TwoOfOne(1)));
    let bound = rules.check(cut_house().people()).unwrap();
    assert!(bound.restore < 1e-6, "{bound:?}");
}
