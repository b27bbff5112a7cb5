use crate::house::*;
use kill_core::{Core, Decision, InboundText, Trust, Why};

/// A house in which guessing was seen.
fn guessed() -> Core {
    let mut core = core();
    for n in 0..10 {
        refused(core.on_text(&from(n, &format!("g{n}"), "KILL 00000000"), NOW));
    }
    assert!(core.step_up(NOW));
    core
}

#[test]
fn ten_wrong_codes_a_day_make_kill_ask_for_two() {
    let mut core = guessed();
    let one = kill_code(&core, "owner", before(1));
    let two = kill_code(&core, "owner", NOW.step());
    assert_eq!(
        refused(core.on_text(&text("a", &one), NOW)).why,
        Why::StepUp
    );
    assert_eq!(cut_now(&core), "");
    cut(core.on_text(&text("b", &two), later(1)));
    assert_eq!(cut_now(&core), "ALL#1");
}

#[test]
fn two_codes_in_one_text_cut_after_guessing() {
    let mut core = guessed();
    let one = kill_code(&core, "owner", before(3));
    let two = kill_code(&core, "owner", NOW.step());
    let cut = cut(core.on_text(&text("a", &format!("KILL LLM {one} {two}")), NOW));
    assert_eq!(cut.latch.scope.to_string(), "LLM");
    for code in [one, two] {
        duplicate(core.on_text(&text(&code, &code), NOW));
    }
}

#[test]
fn a_card_cuts_after_guessing() {
    let mut core = guessed();
    cut(core.on_text(&text("a", &card(11).printed()), NOW));
}

#[test]
fn halves_must_be_of_one_person_one_channel_and_ten_minutes() {
    let mut core = guessed();
    let one = kill_code(&core, "owner", before(1));
    let two = kill_code(&core, "owner", NOW.step());
    refused(core.on_text(&text("a", &one), NOW));
    // The same code again is not a second one.
    refused(core.on_text(&text("b", &one), NOW));
    let elsewhere = InboundText::new("local", "c", None, &two, Trust::A);
    refused(core.on_text(&elsewhere, NOW));
    let late = kill_code(&core, "owner", later(20).step());
    refused(core.on_text(&text("d", &late), NOW.plus_millis(600_000)));
    assert_eq!(cut_now(&core), "");
}

#[test]
fn step_up_ends_after_a_day() {
    let mut core = guessed();
    let at = later(2880);
    let code = kill_code(&core, "owner", at.step());
    assert!(!core.step_up(at));
    cut(core.on_text(&text("a", &code), at));
}

#[test]
fn step_up_survives_a_restart() {
    let mut core = restarted(&guessed());
    let code = kill_code(&core, "owner", NOW.step());
    refused(core.on_text(&text("a", &code), NOW));
}

#[test]
fn one_text_is_worth_no_more_guesses_than_many() {
    let mut core = core();
    let wrong: String = (0..10).map(|n| format!("0000000{n} ")).collect();
    let code = kill_code(&core, "owner", NOW.step());
    for (sender, step_up) in [(1, false), (2, true)] {
        let says = format!("{wrong}{code}");
        refused(core.on_text(&from(sender, &sender.to_string(), &says), NOW));
        assert_eq!(core.step_up(NOW), step_up);
    }
}

#[test]
fn one_sender_s_guesses_step_up_that_sender_alone() {
    let mut core = core();
    for n in 0..100 {
        refused(core.on_text(
            &from(1, &format!("g{n}"), &format!("KILL 000000{n:02}")),
            NOW,
        ));
    }
    assert!(!core.step_up(NOW));
    let code = kill_code(&core, "owner", NOW.step());
    assert_eq!(
        refused(core.on_text(&from(1, "a", &code), NOW)).why,
        Why::StepUp
    );
    cut(core.on_text(&from(2, "b", &code), NOW));
}

#[test]
fn a_known_message_id_buys_no_free_guesses() {
    let mut core = core();
    let code = kill_code(&core, "owner", NOW.step());
    cut(core.on_text(&from(0, "a", &code), NOW));
    // Neither under an id that was seen, nor beside a code that was used, nor with the word RESTORE.
    for n in 0..12 {
        let id = if n % 2 == 0 {
            "a".to_owned()
        } else {
            format!("b{n}")
        };
        let says = format!("RESTORE {code} 000000{n:02}");
        core.on_text(&from(n, &id, &says), NOW);
    }
    assert!(core.step_up(NOW));
}

#[test]
fn the_same_message_again_is_one_guess() {
    let mut core = core();
    for _ in 0..100 {
        for n in 0..3 {
            core.on_text(&from(n, &format!("{n}"), "KILL 00000000"), NOW);
        }
    }
    assert!(!core.step_up(NOW));
}

#[test]
fn texts_without_a_code_and_bad_cards_are_no_guesses() {
    let mut core = core();
    for n in 0..100 {
        let bad = card(100 + n).printed();
        let n = usize::from(n);
        core.on_text(
            &from(n, &format!("a{n}"), "hello, are you there at 14:02?"),
            NOW,
        );
        core.on_text(&from(n, &format!("b{n}"), &bad), NOW);
    }
    // Eight neighbouring digits of a card read as a code now and then, so not quite none.
    let code = kill_code(&core, "owner", later(1).step());
    cut(core.on_text(&text("good", &code), later(1)));
}

#[test]
fn ten_thousand_bad_texts_lock_nobody_out() {
    let mut core = core();
    for n in 0..10_000_u32 {
        let says = format!("KILL {:08}", n.wrapping_mul(7919));
        match core.on_text(&owners(&format!("g{n}"), &says), NOW) {
            Decision::Refused(_) | Decision::Duplicate { .. } => {}
            other => panic!("a bad text did something: {other:?}"),
        }
    }
    assert_eq!(cut_now(&core), "");
    let one = kill_code(&core, "owner", before(1));
    let two = kill_code(&core, "owner", NOW.step());
    cut(core.on_text(&owners("two", &format!("KILL LLM {one} {two}")), NOW));
    cut(core.on_text(
        &text("card", &format!("KILL CLOUD {}", card(10).printed())),
        NOW,
    ));
    assert_eq!(cut_now(&core), "LLM#1 CLOUD#2");
}

#[test]
fn right_and_wrong_first_codes_are_answered_alike() {
    for (right, wrong, mut core) in [
        (
            kill_code(&core(), "owner", NOW.step()),
            "00000000",
            guessed(),
        ),
        (kill_code(&core(), "six", NOW.step()), "000000", guessed()),
        (kill_code(&core(), "six", NOW.step()), "000000", core()),
    ] {
        let right = refused(core.on_text(&owners("a", &right), NOW));
        let wrong = refused(core.on_text(&owners("b", wrong), NOW));
        assert_eq!(right, wrong);
        assert!(right.reply.is_some(), "the sender is registered");
    }
}

#[test]
fn six_digits_need_two_codes_and_three_after_guessing() {
    let mut core = core();
    let code = |core: &Core, n| kill_code(core, "six", before(n));
    let says = code(&core, 0);
    refused(core.on_text(&text("a", &says), NOW));
    let says = code(&core, 4);
    cut(core.on_text(&text("b", &says), later(1)));
    let mut core = guessed();
    let two = format!("{} {}", code(&core, 0), code(&core, 1));
    refused(core.on_text(&text("c", &two), NOW));
    let third = code(&core, 2);
    cut(core.on_text(&text("d", &third), NOW));
}

#[test]
fn an_unknown_sender_is_never_answered_without_a_valid_code() {
    let mut core = core();
    for n in 0..1000 {
        let says = ["hi", "STATUS", "KILL 00000000", "RESTORE ALL 00000000"][n % 4];
        let unknown = InboundText::new(
            "twilio",
            &format!("m{n}"),
            Some(&format!("+1{n}")),
            says,
            Trust::B,
        );
        match core.on_text(&unknown, NOW) {
            Decision::Refused(refused) => assert_eq!(refused.reply, None),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_registered_sender_may_ask_how_things_are() {
    let mut core = core();
    let asked = core.on_text(&owners("a", "status?"), NOW);
    assert!(matches!(asked, Decision::Status { by, .. } if by == "owner"));
    let answer = "STATUS".to_owned().into();
    core.remember(&owners("a", "status?"), &answer);
    assert_eq!(
        duplicate(core.on_text(&owners("a", "status?"), NOW)),
        Some(answer)
    );
    assert!(
        refused(core.on_text(&owners("b", "hello"), NOW))
            .reply
            .is_some()
    );
}
