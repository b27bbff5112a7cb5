use crate::house::*;
use kill_core::{Core, Decision, Feigned, Opening, Rules};
use kill_wire::{LatchSet, Scope};

fn cut_house(two_person: bool) -> Core {
    let mut core = two(Rules {
        duress: true,
        two_person,
        ..by_any_text()
    });
    core.lever_cut(Scope::All, "admin", "test", NOW);
    core.lever_cut(Scope::Llm, "admin", "test", NOW);
    core
}

fn feigned(decision: Decision) -> Feigned {
    match decision {
        Decision::Feigned(feigned) => feigned,
        other => panic!("expected a pretence, got {other:?}"),
    }
}

fn told(core: &mut Core, name: &str, id: &str) -> LatchSet {
    let at = later(4);
    let code = check_in_code(core, name, at.step());
    match core.on_text(&text(id, &format!("STATUS {code}")), at) {
        Decision::Status { latches, .. } => latches,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_duress_code_is_answered_as_a_real_one_and_opens_nothing() {
    let at = later(3);
    let mut real = cut_house(false);
    let code = restore_code(&real, "anna", at.step());
    let done = restore(real.on_text(&text("a", &format!("RESTORE ALL {code}")), at));
    let real = real.commit(done.seal, at);
    let mut core = cut_house(false);
    let says = format!("RESTORE ALL {}", duress_code(&core, "anna", at.step()));
    let pretence = feigned(core.on_text(&text("a", &says), at));
    assert_eq!(pretence.reply, real.text);
    let alert: Vec<String> = pretence.alert.iter().map(ToString::to_string).collect();
    assert_eq!(alert, ["ben"]);
    assert!(
        pretence
            .warning
            .as_str()
            .starts_with("DURESS: AN used a duress code")
    );
    assert_eq!(cut_now(&core), "ALL#1 LLM#2");
    let mut core = restarted(&core);
    assert_eq!(
        duplicate(core.on_text(&text("b", &says), at)),
        Some(pretence.reply)
    );
    assert!(!core.memory().restore_locked());
    // Who was forced is told what the answer said, everybody else the truth.
    assert_eq!(told(&mut core, "anna", "s").as_slice().len(), 1);
    assert_eq!(told(&mut core, "ben", "t").as_slice().len(), 2);
    // The next order still closes everything.
    assert_eq!(core.memory().latches().as_slice().len(), 2);
    // A second time the scope is not cut any more, as after a real one.
    let again = duress_code(&core, "anna", later(5).step());
    refused(core.on_text(&text("c", &format!("RESTORE ALL {again}")), later(5)));
}

#[test]
fn the_real_restore_works_later_in_the_same_step_too() {
    let at = later(3);
    let mut core = cut_house(false);
    let forced = duress_code(&core, "anna", at.step());
    feigned(core.on_text(&text("a", &format!("RESTORE ALL {forced}")), at));
    let code = restore_code(&core, "anna", at.step());
    let real = restore(core.on_text(&text("b", &format!("RESTORE ALL {code}")), at));
    assert!(!core.commit(real.seal, at).overtaken);
    assert_eq!(cut_now(&core), "LLM#2");
    assert_eq!(told(&mut core, "anna", "s").as_slice().len(), 1);
}

#[test]
fn unless_the_rules_allow_it_a_duress_code_is_nobody_s() {
    let mut core = cut_house(false);
    core.set_rules(by_any_text());
    let at = later(3);
    let code = duress_code(&core, "anna", at.step());
    refused(core.on_text(&text("a", &format!("RESTORE ALL {code}")), at));
    assert!(core.lever_restore(&Scope::All, &code, "x", at).is_err());
}

#[test]
fn a_duress_code_may_be_typed_at_the_lever() {
    let mut core = cut_house(false);
    let at = later(3);
    let code = duress_code(&core, "anna", at.step());
    let opening = core.lever_restore(&Scope::All, &code, "x", at).unwrap();
    assert!(matches!(opening, Opening::Feigned(_)));
    assert_eq!(cut_now(&core), "ALL#1 LLM#2");
}

#[test]
fn of_two_people_one_forced_is_enough_to_open_nothing() {
    for forced in ["anna", "ben"] {
        let mut core = cut_house(true);
        let at = later(3);
        let code = |core: &Core, name: &str| {
            if name == forced {
                duress_code(core, name, at.step())
            } else {
                restore_code(core, name, at.step())
            }
        };
        let first = format!("RESTORE ALL {}", code(&core, "anna"));
        assert!(matches!(
            core.on_text(&text("a", &first), at),
            Decision::Held(_)
        ));
        let second = format!("RESTORE ALL {}", code(&core, "ben"));
        feigned(core.on_text(&text("b", &second), at));
        assert_eq!(cut_now(&core), "ALL#1 LLM#2");
    }
}
