use crate::house::*;
use kill_core::{Core, InboundText, Trust, Why};
use kill_wire::Scope;

fn cut_house() -> Core {
    let mut core = core();
    core.lever_cut(Scope::All, "admin", "test", NOW);
    core.lever_cut(Scope::Llm, "admin", "test", NOW);
    core
}

#[test]
fn the_exact_word_scope_and_a_fresh_code_restore_that_scope_alone() {
    let mut core = cut_house();
    let at = later(3);
    let first = text(
        "a",
        &format!("restore all {}", restore_code(&core, "owner", at.step())),
    );
    let restore = restore(core.on_text(&first, at));
    assert_eq!(
        cut_now(&core),
        "ALL#1 LLM#2",
        "nothing is released before it is recorded"
    );
    assert_eq!(
        core.recorded(&restore.seal, at).latches().as_slice().len(),
        1
    );
    let released = core.commit(restore.seal, at);
    assert!(!released.overtaken);
    assert_eq!(
        released.text.as_str(),
        "RESTORED ALL 08:03:30Z. #1 ended. By OW. Still cut: LLM #2"
    );
    assert_eq!(cut_now(&core), "LLM#2");
    let mut core = restarted(&core);
    assert_eq!(
        duplicate(core.on_text(&first, at)),
        Some(released.text.clone())
    );
    let replay = text("b", &first.text);
    assert_eq!(duplicate(core.on_text(&replay, at)), Some(released.text));
}

#[test]
fn a_code_counts_from_two_steps_ago_to_one_ahead() {
    for (step, opens) in [(7, false), (8, true), (10, true), (11, true), (12, false)] {
        let mut core = cut_house();
        let code = restore_code(&core, "owner", later(step).step());
        let allowed = core
            .lever_restore(&Scope::All, &code, "admin", later(10))
            .is_ok();
        assert_eq!(allowed, opens, "{step}");
    }
}

#[test]
fn what_is_not_exact_restores_nothing() {
    let at = later(3);
    for (says, why) in [
        ("RESTORE CODE", Why::NoScope),
        ("RESTORE LLM ALL CODE", Why::NoScope),
        ("RESTORE CLOUD CODE", Why::NotCut(Scope::Cloud)),
        ("RESTORE LL CODE", Why::NoScope),
        ("RESTOR ALL CODE", Why::NotAccepted),
        ("RESTORED ALL CODE", Why::NotAccepted),
        ("UNDO ALL CODE", Why::NotAccepted),
        ("RESTORE ALL", Why::NoCode),
        ("RESTORE ALL 00000000", Why::NotAccepted),
    ] {
        let mut core = cut_house();
        let says = says.replace("CODE", &restore_code(&core, "owner", at.step()));
        assert_eq!(
            refused(core.on_text(&text("a", &says), at)).why,
            why,
            "{says}"
        );
        assert_eq!(cut_now(&core), "ALL#1 LLM#2");
    }
}

#[test]
fn a_kill_code_never_restores_used_or_not() {
    let mut core = cut_house();
    let at = later(3);
    let code = kill_code(&core, "owner", at.step());
    let says = format!("RESTORE ALL {code}");
    assert!(cut(core.on_text(&text("a", &says), at)).restore_refused);
    assert_eq!(
        refused(core.on_text(&text("b", &says), at)).why,
        Why::NotAccepted
    );
    let by_hand = core
        .lever_restore(&Scope::All, &code, "admin", at)
        .unwrap_err();
    assert_eq!(by_hand.why, Why::NotAccepted);
    assert_eq!(cut_now(&core), "ALL#1 LLM#2");
}

#[test]
fn a_code_must_be_newer_than_the_last_kill_by_code_and_by_arrival() {
    let mut core = cut_house();
    // The lever cut at NOW: a code of that step is too old, even if it is shown right after.
    let code = restore_code(&core, "owner", NOW.step());
    let too_old = refused(core.on_text(&text("a", &format!("RESTORE ALL {code}")), NOW));
    assert_eq!(too_old.why, Why::TooOld);
    assert!(too_old.reply.is_some(), "the code was good");
    let code = restore_code(&core, "owner", later(1).step());
    restore(core.on_text(&text("b", &format!("RESTORE ALL {code}")), NOW));
    // A KILL whose own code is old counts from when it came.
    let old = kill_code(&core, "owner", before(10));
    cut(core.on_text(&text("c", &format!("KILL {old}")), later(2)));
    let code = restore_code(&core, "owner", later(2).step());
    let held = core
        .lever_restore(&Scope::All, &code, "admin", later(3))
        .unwrap_err();
    assert_eq!(held.why, Why::TooOld);
    // One that is ahead counts from its own step.
    let ahead = kill_code(&core, "owner", later(5).step());
    cut(core.on_text(&text("d", &format!("KILL {ahead}")), later(4)));
    let code = restore_code(&core, "owner", later(5).step());
    assert!(
        core.lever_restore(&Scope::All, &code, "admin", later(5))
            .is_err()
    );
    let code = restore_code(&core, "owner", later(6).step());
    assert!(
        core.lever_restore(&Scope::All, &code, "admin", later(6))
            .is_ok()
    );
}

#[test]
fn a_cut_between_seal_and_commit_wins() {
    let mut core = cut_house();
    let at = later(3);
    let code = restore_code(&core, "owner", at.step());
    let restore = at_once(core.lever_restore(&Scope::All, &code, "admin", at).unwrap());
    core.lever_cut(Scope::All, "admin", "again", at);
    let released = core.commit(restore.seal, at);
    assert!(released.overtaken && released.remaining.of(&Scope::All).is_some());
    assert_eq!(cut_now(&core), "ALL#1 LLM#2");
}

#[test]
fn of_two_seals_only_the_newer_releases() {
    let mut core = cut_house();
    let at = later(3);
    let code = restore_code(&core, "owner", at.step());
    let all = at_once(core.lever_restore(&Scope::All, &code, "admin", at).unwrap());
    let llm = at_once(core.lever_restore(&Scope::Llm, &code, "admin", at).unwrap());
    assert_eq!(
        core.recorded(&all.seal, at).latches(),
        core.memory().latches()
    );
    let recorded = core.recorded(&llm.seal, at);
    assert!(core.commit(all.seal, at).overtaken);
    assert!(!core.commit(llm.seal, at).overtaken);
    assert_eq!(cut_now(&core), "ALL#1");
    assert_eq!(recorded.to_json(), core.memory().to_json());
}

#[test]
fn a_channel_that_is_not_signed_cannot_restore() {
    let mut core = cut_house();
    let at = later(3);
    let says = format!("RESTORE ALL {}", restore_code(&core, "owner", at.step()));
    let text = InboundText::new("elks", "m", None, &says, Trust::C);
    let refused = refused(core.on_text(&text, at));
    assert_eq!((refused.why, refused.reply), (Why::Untrusted, None));
}

#[test]
fn ten_wrong_codes_in_a_row_lock_restore_but_never_kill() {
    let mut core = cut_house();
    let day = 2880;
    for n in 0..10 {
        assert!(!core.memory().restore_locked(), "{n}");
        // Past five a day they are not looked at, and still lead to the lock.
        let at = later(3 + n / 6 * day);
        let wrong = text(&format!("w{n}"), &format!("RESTORE ALL 0000000{n}"));
        let why = refused(core.on_text(&wrong, at)).why;
        assert_eq!(
            why,
            if n == 5 {
                Why::Locked
            } else {
                Why::NotAccepted
            },
            "{n}"
        );
    }
    let at = later(3 + 5 * day);
    let mut core = restarted(&core);
    assert!(core.memory().restore_locked());
    let code = restore_code(&core, "owner", at.step());
    let good = text("good", &format!("RESTORE ALL {code}"));
    let locked = refused(core.on_text(&good, at));
    assert_eq!((locked.why, locked.reply), (Why::Locked, None));
    let by_hand = core.lever_restore(&Scope::All, &code, "x", at).unwrap_err();
    assert_eq!(by_hand.why, Why::Locked);
    let says = format!("KILL CLOUD {}", card(10).printed());
    cut(core.on_text(&text("k", &says), at));
    core.clear_restore_lock();
    let at = at.plus_millis(90_000);
    let code = restore_code(&core, "owner", at.step());
    let restore = at_once(core.lever_restore(&Scope::All, &code, "x", at).unwrap());
    assert!(!core.commit(restore.seal, at).overtaken);
}

#[test]
fn five_wrong_codes_a_day_make_restore_wait_a_day_or_for_someone_at_the_machine() {
    let mut core = cut_house();
    let at = later(3);
    for n in 0..5 {
        refused(core.on_text(&text(&format!("w{n}"), "RESTORE ALL 00000000"), at));
    }
    let mut core = restarted(&core);
    let code = restore_code(&core, "owner", at.step());
    let refused = core.lever_restore(&Scope::All, &code, "x", at).unwrap_err();
    assert_eq!(refused.why, Why::Locked);
    assert!(core.restore_locked(at) && !core.restore_locked(later(2884)));
    assert!(!core.memory().restore_locked());
    for at in [later(2884), later(6)] {
        let mut core = restarted(&core);
        if at == later(6) {
            core.clear_restore_lock();
        }
        let code = restore_code(&core, "owner", at.step());
        at_once(core.lever_restore(&Scope::All, &code, "x", at).unwrap());
    }
}

#[test]
fn one_text_is_worth_no_more_tries_than_many() {
    let mut core = cut_house();
    let at = later(3);
    let wrong: String = (0..10).map(|n| format!(" 0000000{n}")).collect();
    let code = restore_code(&core, "owner", at.step());
    refused(core.on_text(&text("a", &format!("RESTORE ALL{wrong} {code}")), at));
    assert!(core.memory().restore_locked());
}

#[test]
fn a_good_restore_forgives_the_failures_in_a_row_but_not_those_of_the_day() {
    let mut core = cut_house();
    let at = later(3);
    for n in 0..4 {
        refused(core.on_text(&text(&format!("w{n}"), "RESTORE ALL 00000000"), at));
    }
    let code = restore_code(&core, "owner", at.step());
    let restore = at_once(core.lever_restore(&Scope::All, &code, "x", at).unwrap());
    core.commit(restore.seal, at);
    let next = |core: &mut Core, id: &str| {
        refused(core.on_text(&text(id, "RESTORE LLM 00000000"), at)).why
    };
    assert_eq!(next(&mut core, "w4"), Why::NotAccepted);
    assert_eq!(next(&mut core, "w5"), Why::Locked);
    assert!(!core.memory().restore_locked());
}

#[test]
fn a_restore_code_without_the_word_is_no_oracle() {
    let mut core = cut_house();
    let at = later(3);
    let right = restore_code(&core, "owner", at.step());
    let right = refused(core.on_text(&text("a", &format!("ALL {right}")), at));
    let wrong = refused(core.on_text(&text("b", "ALL 00000000"), at));
    assert_eq!(right, wrong);
    assert_eq!(right.reply, None);
}

#[test]
fn a_clock_that_had_run_ahead_does_not_close_for_ever() {
    let mut core = core();
    core.lever_cut(Scope::All, "admin", "clock a year ahead", later(1_051_200));
    let code = restore_code(&core, "owner", NOW.step());
    assert_eq!(
        core.lever_restore(&Scope::All, &code, "x", NOW)
            .unwrap_err()
            .why,
        Why::TooOld
    );
    let code = restore_code(&core, "owner", later(2).step());
    assert!(
        core.lever_restore(&Scope::All, &code, "x", later(2))
            .is_ok()
    );
}
