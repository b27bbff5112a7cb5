use crate::house::*;
use kill_core::{Core, Decision, InboundText, Trust};
use kill_wire::{Scope, Timestamp};

fn modem(id: &str, says: &str, sent: Timestamp, trust: Trust) -> InboundText {
    InboundText::new("modem", id, Some("+1"), says, trust).sent_at(sent)
}

fn arrives(core: &mut Core, minted: u64, sent: u64, at: u64, trust: Trust) -> Decision {
    let says = format!(
        "KILL LLM {}",
        kill_code(core, "owner", later(minted).step())
    );
    core.on_text(&modem("m", &says, later(sent), trust), later(at))
}

#[test]
fn a_kill_by_the_modem_counts_when_it_was_sent_up_to_a_day_ago() {
    for (minted, sent, at, trust, cuts) in [
        (0, 0, 2880, Trust::A, true),
        (0, 0, 2881, Trust::A, false),
        (0, 20, 2000, Trust::A, true),
        (0, 21, 2000, Trust::A, false),
        // Only a channel that is trusted may say when; and a wrong stamp does not spoil a fresh code.
        (0, 0, 2000, Trust::B, false),
        (0, 0, 2000, Trust::C, false),
        (2000, 0, 2000, Trust::A, true),
        (2000, 4000, 2000, Trust::A, true),
    ] {
        let mut core = core();
        arrives(&mut core, minted, sent, at, trust);
        assert_eq!(
            cut_now(&core),
            if cuts { "LLM#1" } else { "" },
            "{minted} {sent} {at}"
        );
    }
}

#[test]
fn a_late_kill_cuts_once_and_is_called_late() {
    let mut core = core();
    core.lever_cut(Scope::Llm, "x", "y", later(1));
    let code = restore_code(&core, "owner", later(5).step());
    let open = at_once(
        core.lever_restore(&Scope::Llm, &code, "x", later(5))
            .unwrap(),
    );
    core.commit(open.seal, later(5));
    assert!(cut(arrives(&mut core, 0, 0, 1000, Trust::A)).late);
    let mut core = restarted(&core);
    duplicate(arrives(&mut core, 0, 0, 1001, Trust::A));
    let says = format!("KILL {}", kill_code(&core, "owner", later(0).step()));
    let again = modem("n", &says, later(0), Trust::A);
    duplicate(core.on_text(&again, later(1001)));
    assert_eq!(cut_now(&core), "LLM#2");
}

#[test]
fn who_is_late_to_open_sends_again() {
    let mut core = core();
    core.lever_cut(Scope::Llm, "x", "y", NOW);
    let says = format!(
        "RESTORE LLM {}",
        restore_code(&core, "owner", later(5).step())
    );
    refused(core.on_text(&modem("m", &says, later(5), Trust::A), later(500)));
}

#[test]
fn a_guess_that_hits_twice_as_many_steps_costs_two() {
    let mut core = core();
    for n in 0..5 {
        let says = format!("KILL 0000000{n}");
        let sender = format!("+{n}");
        let late = InboundText::new("modem", &says, Some(&sender), &says, Trust::A).sent_at(NOW);
        refused(core.on_text(&late, later(100)));
    }
    assert!(core.step_up(later(100)));
}

#[test]
fn a_late_text_is_not_carried_out_again_however_many_codes_were_used_since() {
    let mut core = core();
    for n in 0..30 {
        assert!(matches!(
            arrives(&mut core, n, n, n, Trust::A),
            Decision::Cut(_)
        ));
    }
    for at in [31, 32, 1000, 2000] {
        let again = arrives(&mut core, 0, 0, at, Trust::A);
        assert!(!matches!(again, Decision::Cut(_)), "{at} steps on");
    }
}
