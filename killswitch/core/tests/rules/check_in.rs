use crate::house::*;
use kill_core::{CheckInRule, CheckInStep, CheckedIn, Decision, DrillPlan, Rules, Then};
use kill_wire::{Scope, Timestamp};

const HOUR: u64 = 3_600_000;

fn rules(then: Then) -> Rules {
    Rules {
        check_in: Some(CheckInRule {
            every_ms: 24 * HOUR,
            warn_ms: HOUR,
            then,
        }),
        ..by_any_text()
    }
}

fn hours(n: u64) -> Timestamp {
    NOW.plus_millis(n * HOUR)
}

fn checked_in(decision: Decision) -> CheckedIn {
    match decision {
        Decision::CheckedIn(done) => done,
        other => panic!("expected a check-in, got {other:?}"),
    }
}

fn drill(decision: Decision) -> DrillPlan {
    match decision {
        Decision::Drill(plan) => plan,
        other => panic!("expected a drill, got {other:?}"),
    }
}

#[test]
fn two_warnings_come_before_anything_follows_and_each_comes_once() {
    let mut core = two(rules(Then::Cut(Scope::Agents)));
    assert_eq!(core.check_in_due(NOW), None);
    assert_eq!(core.check_in_due(hours(23)), None);
    let first = CheckInStep::WarnFirst { next: hours(25) };
    assert_eq!(core.check_in_due(hours(24)), Some(first));
    assert_eq!(core.check_in_due(hours(24)), None);
    let mut core = restarted(&core);
    let second = CheckInStep::WarnSecond { next: hours(26) };
    assert_eq!(core.check_in_due(hours(25)), Some(second));
    let act = CheckInStep::Act(Then::Cut(Scope::Agents));
    assert_eq!(core.check_in_due(hours(26)), Some(act));
    assert_eq!(core.check_in_due(hours(999)), None);
    assert_eq!(core.check_in_state(hours(26)).unwrap().warned, 2);
    let cut = core.check_in_cut(Scope::Agents, hours(26));
    assert_eq!(
        (cut.via.as_str(), cut_now(&core).as_str()),
        ("check-in", "AGENTS#1")
    );
}

#[test]
fn after_a_long_silence_the_warnings_still_come_first() {
    let mut core = two(rules(Then::Cut(Scope::All)));
    assert_eq!(core.check_in_due(NOW), None);
    let late = hours(500);
    assert!(matches!(
        core.check_in_due(late),
        Some(CheckInStep::WarnFirst { .. })
    ));
    assert!(matches!(
        core.check_in_due(late),
        Some(CheckInStep::WarnSecond { .. })
    ));
    assert_eq!(
        core.check_in_due(late),
        Some(CheckInStep::Act(Then::Cut(Scope::All)))
    );
}

#[test]
fn without_a_rule_nothing_is_due_and_a_clock_set_back_starts_over() {
    let mut core = two(by_any_text());
    assert_eq!(
        (core.check_in_due(hours(9999)), core.check_in_state(NOW)),
        (None, None)
    );
    core.set_rules(rules(Then::Warn));
    assert_eq!(core.check_in_due(hours(999)), None);
    assert_eq!(core.check_in_due(NOW), None);
    assert!(core.check_in_due(hours(24)).is_some());
}

#[test]
fn a_code_with_ok_or_alone_from_any_phone_checks_in_once() {
    for words in ["OK CODE", "ok, CODE", "OKCODE", "CODE", "12:00 CODE!"] {
        let mut core = two(rules(Then::Warn));
        assert_eq!(core.check_in_due(NOW), None);
        assert!(core.check_in_due(hours(24)).is_some());
        let code = check_in_code(&core, "anna", hours(24).step());
        let says = words.replace("CODE", &code);
        let done = checked_in(core.on_text(&text("a", &says), hours(24)));
        assert_eq!(
            done.reply.as_str(),
            "OK AN checked in 08:02:00Z. Next by 11-23 08:02Z.",
            "{words}"
        );
        let state = core.check_in_state(hours(24)).unwrap();
        assert_eq!(
            (state.last, state.by.as_deref()),
            (Some(hours(24)), Some("anna"))
        );
        assert_eq!((state.due, state.warned), (hours(48), 0));
        let mut core = restarted(&core);
        let again = duplicate(core.on_text(&text("b", &says), hours(24)));
        assert_eq!(again, Some(done.reply));
        assert_eq!(core.check_in_due(hours(47)), None);
        assert!(core.check_in_due(hours(48)).is_some());
    }
}

#[test]
fn the_lever_checks_in_without_a_code() {
    let mut core = two(rules(Then::Warn));
    assert_eq!(core.lever_check_in("ad\nmin", hours(3)).by, "ad min");
    assert_eq!(core.check_in_due(hours(26)), None);
    assert!(core.check_in_due(hours(27)).is_some());
}

#[test]
fn a_drill_and_a_status_need_the_check_in_code_and_change_nothing() {
    let mut core = two(rules(Then::Warn));
    let code = check_in_code(&core, "ben", NOW.step());
    let plan = drill(core.on_text(&text("a", &format!("DRILL {code}")), NOW));
    assert_eq!((plan.by(), plan.via(), plan.at()), ("ben", "twilio", NOW));
    core.remember(&text("a", ""), &"DRILL".to_owned().into());
    let again = core.on_text(&text("b", &format!("DRILL {code}")), NOW);
    assert_eq!(duplicate(again), Some("DRILL".to_owned().into()));
    let code = check_in_code(&core, "ben", later(1).step());
    let asked = core.on_text(&text("c", &format!("STATUS {code}")), later(1));
    assert!(matches!(asked, Decision::Status { by, .. } if by == "ben"));
    assert_eq!(cut_now(&core), "");
    assert_eq!(core.check_in_state(NOW).unwrap().last, None);
    refused(core.on_text(&text("d", "DRILL 000000"), NOW));
    refused(core.on_text(&text("e", "DRILL"), NOW));
}

#[test]
fn keys_of_one_verb_do_nothing_for_another() {
    for word in ["", "KILL ", "RESTORE ALL ", "OK ", "DRILL ", "STATUS "] {
        let mut core = two(rules(Then::Warn));
        core.lever_cut(Scope::All, "x", "y", before_now());
        let tell = check_in_code(&core, "anna", NOW.step());
        let decision = core.on_text(&text("t", &format!("{word}{tell}")), NOW);
        assert!(
            !matches!(decision, Decision::Cut(_) | Decision::Restore(_)),
            "{word}"
        );
        let kill = kill_code(&core, "anna", NOW.step());
        assert!(matches!(
            core.on_text(&text("k", &format!("{word}{kill}")), NOW),
            Decision::Cut(_)
        ));
        let open = restore_code(&core, "anna", later(3).step());
        let decision = core.on_text(&text("r", &format!("{word}{open}")), later(3));
        let restores = matches!(decision, Decision::Restore(_));
        assert_eq!(restores, word == "RESTORE ALL ", "{word}");
        assert!(
            restores || matches!(decision, Decision::Refused(_)),
            "{word}"
        );
    }
}

fn before_now() -> Timestamp {
    Timestamp::from_millis(NOW.millis() - 120_000)
}

#[test]
fn guesses_at_check_in_codes_are_bounded_and_the_machine_still_checks_in() {
    let mut core = two(rules(Then::Warn));
    for n in 0..10 {
        refused(core.on_text(&from(n, &n.to_string(), "OK 000000"), NOW));
    }
    let code = check_in_code(&core, "anna", NOW.step());
    refused(core.on_text(&text("a", &format!("OK {code}")), NOW));
    let code = check_in_code(&core, "anna", hours(25).step());
    checked_in(core.on_text(&text("b", &format!("OK {code}")), hours(25)));
    // Six digits that are nobody's KILL code are no guesses at one.
    assert!(!core.step_up(NOW));
}
