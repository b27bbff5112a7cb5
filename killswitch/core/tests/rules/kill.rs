use crate::house::*;
use kill_core::{InboundText, Trust};
use kill_wire::{LatchSet, Scope};

#[test]
fn a_code_cuts_from_ten_minutes_ago_to_one_step_ahead() {
    for (step, cuts) in [
        (before(21), false),
        (before(20), true),
        (before(1), true),
        (NOW.step(), true),
        (later(1).step(), true),
        (later(2).step(), false),
    ] {
        let mut core = core();
        let says = format!("KILL {}", kill_code(&core, "owner", step));
        core.on_text(&text("m", &says), NOW);
        assert_eq!(!core.memory().latches().is_empty(), cuts, "{step:?}");
    }
}

#[test]
fn whatever_else_a_text_says_a_valid_code_cuts() {
    let fresh = core();
    let code = kill_code(&fresh, "owner", NOW.step());
    let (head, tail) = code.split_at(4);
    for (says, closes) in [
        (code.clone(), "ALL"),
        (format!("KILL LLM {code}"), "LLM"),
        (format!("kill{code}"), "ALL"),
        (format!("{head} {tail} cloud pls"), "CLOUD"),
        (format!("STOP\nchat-fast\n{head}.{tail}"), "chat-fast"),
        (format!("off chat fast {code}"), "chat-fast"),
        (format!("KILL Chat {code}"), "chat"),
        (format!("KILL unknown {code}"), "ALL"),
        (format!("KILL LLM CLOUD {code}"), "ALL"),
        (format!("KILL LLM llm {code}"), "LLM"),
        (format!("STATUS HELP do not kill agent {code}"), "agent"),
        (format!("my number is 0151 2345 67, code {code}"), "ALL"),
    ] {
        let mut core = core();
        let cut = cut(core.on_text(&text("m", &says), NOW));
        assert_eq!(cut.latch.scope.to_string(), closes, "{says}");
        assert!(!cut.repeated && !cut.late);
        assert_eq!(
            (cut.by.as_str(), cut.initials.as_str(), cut.via.as_str()),
            ("owner", "OW", "twilio")
        );
        assert_eq!(cut_now(&core), format!("{closes}#1"));
    }
}

#[test]
fn a_channel_that_is_not_signed_may_cut() {
    let mut core = core();
    let code = kill_code(&core, "owner", NOW.step());
    let text = InboundText::new("elks", "m", None, &code, Trust::C);
    cut(core.on_text(&text, NOW));
}

#[test]
fn a_name_that_is_gone_but_cut_can_still_be_cut() {
    let mut core = core();
    core.lever_cut(scope("old-route"), "admin", "gone", NOW);
    let says = format!("KILL old route {}", kill_code(&core, "owner", NOW.step()));
    let cut = cut(core.on_text(&text("m", &says), NOW));
    assert!(cut.repeated && cut.latch.scope == scope("old-route"));
}

#[test]
fn a_second_kill_of_a_scope_keeps_its_incident() {
    let mut core = core();
    let first = kill_code(&core, "owner", before(1));
    let second = kill_code(&core, "owner", NOW.step());
    let one = cut(core.on_text(&text("a", &format!("KILL LLM {first}")), NOW));
    let two = cut(core.on_text(&text("b", &format!("KILL LLM {second}")), later(1)));
    assert_eq!(one.latch, two.latch);
    assert!(!one.repeated && two.repeated);
    assert_eq!(cut_now(&core), "LLM#1");
}

#[test]
fn a_replay_executes_nothing_and_gets_the_first_answer() {
    let mut core = core();
    let says = format!("KILL LLM {}", kill_code(&core, "owner", NOW.step()));
    let first = text("a", &says);
    cut(core.on_text(&first, NOW));
    assert_eq!(
        duplicate(core.on_text(&first, NOW)),
        None,
        "while the first is being carried out"
    );
    let answer = "CUT LLM".to_owned().into();
    core.remember(&first, &answer);
    let mut core = restarted(&core);
    for (id, channel) in [("a", "twilio"), ("b", "twilio"), ("a", "local")] {
        let again = InboundText::new(channel, id, None, &says, Trust::B);
        assert_eq!(
            duplicate(core.on_text(&again, later(3))).as_ref(),
            Some(&answer),
            "{id} {channel}"
        );
    }
    let wider = text("c", &says.replace("LLM", "ALL"));
    assert_eq!(duplicate(core.on_text(&wider, later(3))), Some(answer));
    assert_eq!(cut_now(&core), "LLM#1");
}

#[test]
fn texts_that_overtake_each_other_all_count() {
    let mut core = core();
    let late = format!("KILL LLM {}", kill_code(&core, "owner", before(5)));
    let early = format!("KILL CLOUD {}", kill_code(&core, "owner", NOW.step()));
    cut(core.on_text(&text("a", &early), NOW));
    cut(core.on_text(&text("b", &late), NOW));
    assert_eq!(cut_now(&core), "CLOUD#1 LLM#2");
}

#[test]
fn a_message_id_that_comes_again_with_a_new_code_cuts() {
    let mut core = core();
    core.on_text(&text("same", "hello"), NOW);
    let says = kill_code(&core, "owner", NOW.step());
    cut(core.on_text(&text("same", &says), NOW));
}

#[test]
fn a_kill_that_arrives_after_a_later_restore_cuts_and_is_called_late() {
    let mut core = core();
    core.lever_cut(Scope::All, "admin", "test", NOW);
    let at = later(4);
    let open = format!("RESTORE ALL {}", restore_code(&core, "owner", at.step()));
    let restore = restore(core.on_text(&text("a", &open), at));
    core.commit(restore.seal, at);
    assert_eq!(cut_now(&core), "");
    let late = kill_code(&core, "owner", NOW.step());
    let late = cut(core.on_text(&text("b", &late), at));
    assert!(late.late);
    let prompt = kill_code(&core, "owner", at.step());
    let prompt = cut(core.on_text(&text("c", &format!("KILL LLM {prompt}")), at));
    assert!(!prompt.late);
    assert_eq!(cut_now(&core), "ALL#2 LLM#3");
}

#[test]
fn both_codes_in_one_text_cut_and_refuse_the_restore() {
    let mut core = core();
    core.lever_cut(Scope::Llm, "admin", "test", NOW);
    let at = later(4);
    let kill = kill_code(&core, "owner", at.step());
    let restore = restore_code(&core, "owner", at.step());
    let both = cut(core.on_text(&text("a", &format!("RESTORE LLM {restore} {kill}")), at));
    assert!(both.restore_refused && both.repeated);
    // Nor does the RESTORE code open anything later: it is not newer than that KILL.
    refused(core.on_text(&text("b", &format!("RESTORE LLM {restore}")), at));
    assert_eq!(cut_now(&core), "LLM#1");
}

#[test]
fn a_fresh_kill_code_with_the_word_restore_cuts() {
    let mut core = core();
    let code = kill_code(&core, "owner", NOW.step());
    let cut = cut(core.on_text(&text("a", &format!("RESTORE LLM {code}")), NOW));
    assert!(cut.restore_refused && cut.latch.scope == Scope::Llm);
}

#[test]
fn a_card_cuts_once_in_any_grouping() {
    let mut core = core();
    let printed = card(10).printed();
    let says = format!("kill chat {}", printed.to_lowercase().replace('-', " "));
    let first = text("a", &says);
    let cut = cut(core.on_text(&first, NOW));
    assert_eq!(
        (cut.why.as_str(), cut.latch.scope),
        ("text with a card", scope("chat"))
    );
    core.remember(&first, &"CUT chat".to_owned().into());
    let mut core = restarted(&core);
    let again = duplicate(core.on_text(&text("b", &format!("KILL ALL {printed}")), later(9999)));
    assert_eq!(again, Some("CUT chat".to_owned().into()));
    assert_eq!(cut_now(&core), "chat#1");
}

#[test]
fn the_lever_cuts_without_a_code_and_fail_safe_cuts_everything() {
    let mut core = core();
    let by_hand = core.lever_cut(scope("chat"), "ad\nmin\u{7}", "why\0not", NOW);
    assert_eq!(
        (
            by_hand.by.as_str(),
            by_hand.why.as_str(),
            by_hand.via.as_str()
        ),
        ("ad min", "why not", "lever")
    );
    let safe = core.fail_safe("latch file garbled", NOW);
    assert_eq!(
        (safe.via.as_str(), safe.latch.scope),
        ("fail-safe", Scope::All)
    );
    assert!(core.fail_safe("again", NOW).repeated);
    assert_eq!(cut_now(&core), "chat#1 ALL#2");
}

#[test]
fn more_scopes_than_a_set_holds_cut_everything() {
    let mut core = core();
    for n in 0..LatchSet::MAX + 20 {
        let cut = core.lever_cut(scope(&format!("r{n}")), "admin", "many", NOW);
        let closed = core.memory().latches().of(&cut.latch.scope).is_some();
        assert!(
            closed && (n < LatchSet::MAX - 1) == (cut.latch.scope != Scope::All),
            "{n}"
        );
    }
    assert_eq!(core.memory().latches().as_slice().len(), LatchSet::MAX);
}

#[test]
fn without_incident_numbers_left_a_cut_still_cuts_everything() {
    let json = core().memory().to_json();
    let json = json.replace(r#""next_incident":1"#, r#""next_incident":4294967295"#);
    let memory = kill_core::Memory::parse(json.as_bytes()).unwrap();
    let mut core = kill_core::Core::new(memory, core().people().clone());
    core.lever_cut(Scope::Llm, "admin", "a", NOW);
    core.lever_cut(Scope::Cloud, "admin", "b", NOW);
    assert_eq!(cut_now(&core), "ALL#4294967295");
}

#[test]
fn a_revoked_person_can_do_nothing() {
    let mut core = core();
    let code = kill_code(&core, "owner", NOW.step());
    let printed = card(10).printed();
    core.prepare(NOW);
    let mut people = core.people().clone();
    people.revoke("owner").unwrap();
    core.set_people(people);
    refused(core.on_text(&text("a", &format!("KILL {code}")), NOW));
    refused(core.on_text(&text("b", &format!("KILL {printed}")), NOW));
    assert_eq!(cut_now(&core), "");
}
