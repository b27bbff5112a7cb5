//! What the house has decided: who must agree to a restore, what a text may restore, when somebody must check in.

use crate::walk::Section;
use kill_core::{CheckInRule, Restorable, Rules, Then};
use kill_wire::Scope;
use std::collections::BTreeSet;

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// Reads the rules out of `[killswitch]`; what is left out is as shipped.
pub(crate) fn read(section: &mut Section<'_>) -> Rules {
    let shipped = Rules::default();
    let most = 1..=u64::from(Rules::MAX_GUESSES);
    let mut guesses = |key, shipped| {
        let given = section.number(key, most.clone());
        given.and_then(|n| u32::try_from(n).ok()).unwrap_or(shipped)
    };
    let guesses_per_day = guesses("guesses_per_day", shipped.guesses_per_day);
    let restore_guesses_per_day =
        guesses("restore_guesses_per_day", shipped.restore_guesses_per_day);
    Rules {
        two_person: section.flag("two_person").unwrap_or(shipped.two_person),
        text_restorable: restorable(section).unwrap_or(shipped.text_restorable),
        duress: section.flag("duress").unwrap_or(shipped.duress),
        check_in: section.section("check_in").and_then(check_in),
        guesses_per_day,
        restore_guesses_per_day,
    }
}

fn restorable(section: &mut Section<'_>) -> Option<Restorable> {
    const EXPECTED: &str = "a list of scopes, such as [\"LLM\"]; [\"ANY\"] for every scope";
    let words = section.texts("text_restorable", EXPECTED)?;
    if words == ["ANY"] {
        return Some(Restorable::All);
    }
    let scopes: Option<BTreeSet<Scope>> = words.iter().map(|word| word.parse().ok()).collect();
    if scopes.is_none() {
        section.note(
            "text_restorable",
            &format!("one of these is no scope; expected {EXPECTED}"),
        );
    }
    scopes.map(Restorable::Listed)
}

fn check_in(mut section: Section<'_>) -> Option<CheckInRule> {
    let every = section.span("every", MINUTE..=90 * DAY);
    if !section.has("every") && every.is_none() {
        section.missing("every", "how often somebody must check in, such as `24 h`");
    }
    let warn = section.span("warn", MINUTE..=30 * DAY);
    const THEN: &str = "`warn`, or `cut SCOPE`, such as `cut ALL`";
    let then = match section.text("then", THEN).as_deref() {
        None | Some("warn") => Some(Then::Warn),
        Some(other) => {
            let scope = other
                .strip_prefix("cut ")
                .and_then(|scope| scope.parse().ok());
            if scope.is_none() {
                let short: String = other.chars().take(60).collect();
                section.note("then", &format!("`{short}` is not {THEN}"));
            }
            scope.map(Then::Cut)
        }
    };
    section.finish();
    Some(CheckInRule {
        every_ms: every? * 1000,
        warn_ms: warn.unwrap_or(60 * MINUTE) * 1000,
        then: then?,
    })
}
