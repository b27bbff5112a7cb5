use crate::house::*;
use kill_core::{NotVouched, Opening, Rules, Why};
use kill_wire::Scope;

#[test]
fn a_restore_code_vouches_once_and_restores_nothing_afterwards() {
    let mut core = core();
    core.lever_cut(Scope::All, "admin", "test", NOW);
    let at = later(3);
    let code = restore_code(&core, "owner", at.step());
    assert_eq!(core.vouch(&code, at).unwrap().as_str(), "owner");
    assert_eq!(cut_now(&core), "ALL#1", "it opens nothing");
    let mut core = restarted(&core);
    let again = NotVouched::Refused(Why::NotAccepted);
    assert_eq!(core.vouch(&code, at), Err(again));
    assert!(core.lever_restore(&Scope::All, &code, "admin", at).is_err());
    let next = later(4);
    let code = restore_code(&core, "owner", next.step());
    let opening = core.lever_restore(&Scope::All, &code, "admin", next);
    assert!(matches!(opening, Ok(Opening::Now(_))));
}

#[test]
fn a_code_that_restored_vouches_for_nobody_and_neither_does_a_kill_code() {
    let mut core = core();
    core.lever_cut(Scope::All, "admin", "test", NOW);
    let at = later(3);
    let code = restore_code(&core, "owner", at.step());
    let Ok(Opening::Now(restore)) = core.lever_restore(&Scope::All, &code, "admin", at) else {
        panic!("a good code restores");
    };
    core.commit(restore.seal, at);
    let kill = kill_code(&core, "owner", at.step());
    for wrong in [code, kill, String::new()] {
        assert!(core.vouch(&wrong, at).is_err(), "{wrong}");
    }
}

#[test]
fn a_code_from_before_a_kill_vouches_for_nobody() {
    let mut core = core();
    let code = restore_code(&core, "owner", later(1).step());
    core.lever_cut(Scope::Llm, "admin", "test", later(1));
    let refused = core.vouch(&code, later(2));
    assert_eq!(refused, Err(NotVouched::Refused(Why::TooOld)));
}

#[test]
fn guesses_lead_to_the_same_lock_as_those_at_a_restore() {
    let mut core = core();
    let at = later(3);
    for n in 0..20 {
        assert!(core.vouch(&format!("0000 00{n:02}"), at).is_err());
    }
    assert!(core.restore_locked(at));
    let code = restore_code(&core, "owner", at.step());
    let refused = core.vouch(&code, at);
    assert_eq!(refused, Err(NotVouched::Refused(Why::Locked)));
}

#[test]
fn where_two_must_agree_or_one_may_pretend_no_code_is_even_looked_at() {
    for (two_person, duress) in [(true, false), (false, true)] {
        let mut core = two(Rules {
            two_person,
            duress,
            ..by_any_text()
        });
        let at = later(3);
        let code = restore_code(&core, "anna", at.step());
        assert_eq!(core.vouch(&code, at), Err(NotVouched::AtTheMachine));
        for _ in 0..20 {
            assert!(core.vouch("0000 0000", at).is_err());
        }
        assert!(!core.restore_locked(at), "nothing was tried");
    }
}
