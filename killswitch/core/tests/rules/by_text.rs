use crate::house::*;
use kill_core::{Core, InboundText, Restorable, Rules, Trust, Why};
use kill_wire::Scope;
use std::collections::BTreeSet;

fn cut_house(text_restorable: Restorable) -> Core {
    let mut core = core();
    core.set_rules(Rules {
        text_restorable,
        ..Rules::default()
    });
    core.lever_cut(Scope::All, "admin", "test", NOW);
    core.lever_cut(Scope::Llm, "admin", "test", NOW);
    core
}

fn listed(scopes: &[Scope]) -> Restorable {
    Restorable::Listed(scopes.iter().cloned().collect())
}

#[test]
fn as_shipped_no_text_restores_anything_but_by_the_machine_s_own_channel() {
    let mut core = cut_house(Rules::default().text_restorable);
    let at = later(3);
    let says = format!("RESTORE ALL {}", restore_code(&core, "owner", at.step()));
    let by_phone = refused(core.on_text(&owners("a", &says), at));
    assert_eq!(by_phone.why, Why::NotByText(Scope::All));
    assert_eq!(
        by_phone.reply.unwrap().as_str(),
        "Refused: ALL is not restored by text. Use the dashboard, or portcullis restore."
    );
    let local = InboundText::new("local", "b", None, &says, Trust::A);
    restore(core.on_text(&local, at));
}

#[test]
fn a_scope_that_was_changed_on_the_way_restores_nothing_more() {
    let at = later(3);
    for (says, why) in [
        ("RESTORE ALL CODE", Why::NotByText(Scope::All)),
        ("RESTORE CLOUD CODE", Why::NotByText(Scope::Cloud)),
        ("RESTORE LLM ALL CODE", Why::NoScope),
        ("RESTORE CODE", Why::NoScope),
    ] {
        let mut core = cut_house(listed(&[Scope::Llm]));
        let says = says.replace("CODE", &restore_code(&core, "owner", at.step()));
        assert_eq!(
            refused(core.on_text(&text("a", &says), at)).why,
            why,
            "{says}"
        );
        assert_eq!(cut_now(&core), "ALL#1 LLM#2");
    }
    let mut core = cut_house(listed(&[Scope::Llm]));
    let says = format!("RESTORE LLM {}", restore_code(&core, "owner", at.step()));
    restore(core.on_text(&text("a", &says), at));
}

#[test]
fn where_no_text_may_restore_none_can_lock_restore() {
    let mut core = cut_house(Restorable::Listed(BTreeSet::new()));
    let at = later(3);
    for n in 0..100 {
        let says = ["RESTORE ALL 00000000", "RESTORE 00000000"][n % 2];
        refused(core.on_text(&from(n, &n.to_string(), says), at));
    }
    let code = restore_code(&core, "owner", at.step());
    at_once(core.lever_restore(&Scope::All, &code, "x", at).unwrap());
}
