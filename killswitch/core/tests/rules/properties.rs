use crate::house::*;
use crate::replies::{fits, report};
use kill_core::{Core, Cut, Decision, InboundText, Reply, Trust, cut_reply, status_reply};
use kill_wire::{Outcome, Scope, Step, Timestamp};
use proptest::prelude::*;

/// One text: how long after the one before it comes, which code it holds, or which text it repeats.
#[derive(Clone, Debug)]
struct Delivery {
    wait: u64,
    kill: bool,
    age: u64,
    llm: bool,
    repeats: Option<prop::sample::Index>,
}

fn delivery() -> impl Strategy<Value = Delivery> {
    let repeats = prop::option::weighted(0.2, any::<prop::sample::Index>());
    let age = prop_oneof![0_u64..4, 0_u64..22];
    (0_u64..4, any::<bool>(), age, any::<bool>(), repeats).prop_map(
        |(wait, kill, age, llm, repeats)| Delivery {
            wait,
            kill,
            age,
            llm,
            repeats,
        },
    )
}

/// A text on its way, with the step its code was shown in.
#[derive(Clone)]
struct Sent {
    message: InboundText,
    minted: u64,
}

/// What happened, in steps.
#[derive(Default)]
struct Events {
    newest_kill: u64,
    kills: Vec<(Scope, u64)>,
    restores: Vec<(Scope, u64)>,
}

fn deliver(core: &mut Core, sent: &Sent, at: Timestamp, events: &mut Events) {
    let before = core.memory().latches();
    match core.on_text(&sent.message, at) {
        Decision::Cut(cut) => {
            assert!(core.memory().latches().of(&cut.latch.scope).is_some());
            events.newest_kill = events.newest_kill.max(sent.minted).max(at.step().get());
            events.kills.push((cut.latch.scope, sent.minted));
        }
        Decision::Restore(restore) => {
            assert_eq!(
                core.memory().latches(),
                before,
                "released before it was recorded"
            );
            let scope = restore.latch.scope.clone();
            let released = core.commit(restore.seal, at);
            assert!(!released.overtaken);
            assert!(
                sent.minted > events.newest_kill,
                "opened by a code from before a KILL"
            );
            events.restores.push((scope, sent.minted));
        }
        Decision::Refused(_) | Decision::Duplicate { .. } => {
            assert_eq!(core.memory().latches(), before);
        }
        other => panic!("nobody asked: {other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// However texts are delayed, overtake each other and come twice.
    #[test]
    fn never_open_after_a_later_kill(deliveries in prop::collection::vec(delivery(), 1..10)) {
        let mut core = alone();
        let mut at = later(30);
        let mut events = Events::default();
        let mut all: Vec<Sent> = Vec::new();
        for (n, Delivery { wait, kill, age, llm, repeats }) in deliveries.into_iter().enumerate() {
            at = at.plus_millis(wait * 30_000);
            let step = Step::new(at.step().get() + 1 - age);
            let scope = if llm { Scope::Llm } else { Scope::All };
            let says = if kill {
                format!("KILL {scope} {}", kill_code(&core, "owner", step))
            } else {
                format!("RESTORE {scope} {}", restore_code(&core, "owner", step))
            };
            let new = Sent { message: text(&n.to_string(), &says), minted: step.get() };
            let sent = match repeats {
                Some(index) if !all.is_empty() => index.get(&all).clone(),
                _ => new,
            };
            deliver(&mut core, &sent, at, &mut events);
            all.push(sent);
        }
        // A scope is open only if a RESTORE of it was minted after every KILL of it.
        for (scope, killed) in &events.kills {
            let restored = events.restores.iter().any(|(open, minted)| open == scope && minted > killed);
            prop_assert!(restored || core.memory().latches().of(scope).is_some());
        }
    }
}

proptest! {
    #[test]
    fn any_text_with_a_valid_code_cuts(before_it in "[^0-9OolI]{0,60}", after_it in "[^0-9OolI]{0,60}", age in 0_u64..=20, gap in "[ .,/\n-]?") {
        prop_assume!(!before_it.chars().chain(after_it.chars()).any(char::is_numeric));
        let mut core = core();
        let code = kill_code(&core, "owner", before(age));
        let (head, tail) = code.split_at(4);
        let says = format!("{before_it} {head}{gap}{tail} {after_it}");
        prop_assert!(matches!(core.on_text(&text("m", &says), NOW), Decision::Cut(_)), "{says}");
    }

    #[test]
    fn garbage_never_panics_and_never_cuts(says in "(?s).{0,300}", sender in prop::option::of(".{0,80}")) {
        let mut core = core();
        let text = InboundText::new("c", "m", sender.as_deref(), &says, Trust::A);
        let decision = core.on_text(&text, NOW);
        prop_assert!(matches!(decision, Decision::Refused(_)), "{decision:?}");
        prop_assert!(core.memory().latches().is_empty());
    }

    #[test]
    fn digits_and_lookalikes_never_panic(says in "[0-9OolIA-Z٠-٩۰-۹０-９ .-]{0,400}") {
        let mut core = core();
        let before = core.memory().latches();
        if !matches!(core.on_text(&text("m", &says), NOW), Decision::Cut(_)) {
            prop_assert_eq!(core.memory().latches(), before);
        }
    }

    #[test]
    fn every_reply_fits_one_segment_for_hostile_names(
        initials in ".{0,40}", names in prop::collection::vec("(?s).{0,80}", 0..40), big: u32,
        flags in any::<[bool; 3]>(), cuts in prop::collection::vec("[a-z][a-z0-9._-]{22}x", 0..40),
    ) {
        let mut core = core();
        for name in &cuts {
            core.lever_cut(scope(name), "a", "b", NOW);
        }
        let [repeated, late, restore_refused] = flags;
        let made = core.lever_cut(Scope::All, &initials, "x", NOW);
        let cut = Cut { initials, repeated, late, restore_refused, ..made };
        for outcome in [Outcome::Cut, Outcome::Partial, Outcome::Unproven] {
            let said = cut_reply(&cut, &report(&cut, outcome, big, &names));
            prop_assert!(fits(&said), "{said}");
            prop_assert!(said.as_str().contains(&cut.latch.incident.to_string()), "{said}");
        }
        let said = status_reply(&core.memory().latches(), big, big, big, big, NOW, &names);
        prop_assert!(fits(&said), "{said}");
        let at = later(5);
        let code = restore_code(&core, "owner", at.step());
        let restore = at_once(core.lever_restore(&Scope::All, &code, "x", at).unwrap());
        let said = core.commit(restore.seal, at).text;
        prop_assert!(fits(&said), "{said}");
        let refused = core.lever_restore(&Scope::All, "0", "x", at).unwrap_err();
        prop_assert!(refused.reply.as_ref().is_none_or(fits));
    }

    #[test]
    fn a_stored_reply_is_still_a_reply(said in "(?s).{0,300}") {
        let json = serde_json::to_string(&said).unwrap();
        prop_assert!(fits(&serde_json::from_str::<Reply>(&json).unwrap()));
    }
}
