//! `[[gateway.budgets]]`, `[[gateway.limits]]` and `[gateway.runaway]`.

use gateway_config::{NAME, one_of, one_of_or, selector};
use kill_config::{Problems, Section};
use kill_wire::{Name, Scope};
use net_model::{AtEnd, Budget, MicroDollars, Reaction, Rules, RunawayRules, Selector, Window};

const MOST: u64 = 1_000_000_000_000;

/// Reads all rules; `None` when a problem was noted that leaves them unusable.
pub(super) fn rules(section: &mut Section<'_>, problems: &Problems) -> Option<Rules> {
    let budgets = budgets(section, problems);
    let limits = gateway_config::limits(section, problems);
    let runaway = runaway(section.section("runaway"));
    let time_zone = section.text("time_zone", "a time zone, such as `Europe/Berlin`");
    let zone_key = section.key("time_zone");
    problems.take(&zone_key, gateway::knows_time_zone(time_zone.as_deref()))?;
    Some(Rules {
        budgets: budgets?,
        limits: limits?,
        runaway,
        time_zone,
    })
}

/// Reads all budgets; `None` when a problem was noted that leaves them unusable.
pub(super) fn budgets(section: &mut Section<'_>, problems: &Problems) -> Option<Vec<Budget>> {
    let budgets = section.sections("budgets").into_iter();
    let budgets: Vec<_> = budgets.map(|it| budget(it, problems)).collect();
    budgets.into_iter().collect()
}

fn budget(mut section: Section<'_>, problems: &Problems) -> Option<Budget> {
    let name = section.need_parsed::<Name>("name", NAME);
    let of = selector(&mut section, problems);
    let window = one_of(&mut section, "window", &Window::ALL);
    let tokens = section.number("tokens", 1..=MOST);
    let money = section.parse::<MicroDollars>("money", "dollars, such as \"2.50\"");
    if !section.has("tokens") && tokens.is_none() && money.is_none() {
        section.missing("money", "an amount of `money`, of `tokens`, or both");
    }
    let at_end = at_end(&mut section, of.as_ref());
    section.finish();
    Some(Budget {
        name: name?,
        of: of?,
        window: window?,
        tokens,
        money,
        at_end: at_end?,
    })
}

fn at_end(section: &mut Section<'_>, of: Option<&Selector>) -> Option<AtEnd> {
    let what = section.text("at_end", "`hard`, `soft` or `trip`");
    let scope = section.parse::<Scope>("scope", "a scope, such as `LLM` or a consumer's name");
    match what.as_deref() {
        None | Some("hard") => Some(AtEnd::Hard),
        Some("soft") => Some(AtEnd::Soft),
        Some("trip") => {
            let named = of.and_then(|of| of.consumer.clone().or_else(|| of.route.clone()));
            let scope = scope.or_else(|| named.map(Scope::Named));
            if scope.is_none() {
                section.missing("scope", "the scope that is cut when the budget is gone");
            }
            scope.map(AtEnd::Trip)
        }
        Some(other) => {
            let short: String = other.chars().take(40).collect();
            section.note(
                "at_end",
                &format!("`{short}` is not `hard`, `soft` or `trip`"),
            );
            None
        }
    }
}

fn runaway(section: Option<Section<'_>>) -> RunawayRules {
    let usual = RunawayRules::default();
    let Some(mut section) = section else {
        return usual;
    };
    let mut reaction =
        |key, usual| one_of_or(&mut section, key, &Reaction::ALL, usual).unwrap_or(usual);
    let rules = RunawayRules {
        spike: reaction("spike", usual.spike),
        repeats: reaction("repeats", usual.repeats),
        errors: reaction("errors", usual.errors),
        storm: reaction("storm", usual.storm),
    };
    section.finish();
    rules
}
