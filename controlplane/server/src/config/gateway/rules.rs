//! `[[gateway.budgets]]`, `[[gateway.limits]]` and `[gateway.runaway]`.

use super::NAME;
use super::target::class_of;
use super::word::{one_of, one_of_or};
use kill_config::{Problems, Section};
use kill_wire::{Name, Scope};
use net_model::{
    AtEnd, Budget, Limit, MicroDollars, ModelPattern, Reaction, Rules, RunawayRules, Selector,
    Window,
};

const MOST: u64 = 1_000_000_000_000;

/// Reads all rules; `None` when a problem was noted that leaves them unusable.
pub(super) fn rules(section: &mut Section<'_>, problems: &Problems) -> Option<Rules> {
    let budgets: Vec<_> = section
        .sections("budgets")
        .into_iter()
        .map(|section| budget(section, problems))
        .collect();
    let limits: Vec<_> = section
        .sections("limits")
        .into_iter()
        .map(|section| limit(section, problems))
        .collect();
    let runaway = runaway(section.section("runaway"));
    let time_zone = section.text("time_zone", "a time zone, such as `Europe/Berlin`");
    let zone_key = section.key("time_zone");
    problems.take(&zone_key, gateway::knows_time_zone(time_zone.as_deref()))?;
    Some(Rules {
        budgets: budgets.into_iter().collect::<Option<_>>()?,
        limits: limits.into_iter().collect::<Option<_>>()?,
        runaway,
        time_zone,
    })
}

fn selector(section: &mut Section<'_>, problems: &Problems) -> Option<Selector> {
    let (consumer, role, route) = (
        section.parse::<Name>("consumer", NAME),
        section.parse::<Name>("role", NAME),
        section.parse::<Name>("route", NAME),
    );
    let key = section.key("model");
    let model = section.text("model", "a model, `prefix*` or `*`");
    let model = model.map(|model| problems.take(&key, ModelPattern::new(&model)));
    let class = section.text("class", "`local` or `cloud`");
    let class = class.map(|class| class_of(section, "class", &class));
    Some(Selector {
        consumer,
        role,
        route,
        model: match model {
            None => None,
            Some(read) => Some(read?),
        },
        class: match class {
            None => None,
            Some(read) => Some(read?),
        },
    })
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

fn limit(mut section: Section<'_>, problems: &Problems) -> Option<Limit> {
    let name = section.need_parsed::<Name>("name", NAME);
    let of = selector(&mut section, problems);
    let requests = section.number("requests_per_minute", 1..=u64::from(u32::MAX));
    let tokens = section.number("tokens_per_minute", 1..=MOST);
    let open = section.number("open", 1..=u64::from(u32::MAX));
    if requests.is_none() && tokens.is_none() && open.is_none() {
        let one = "`requests_per_minute`, `tokens_per_minute` or `open`";
        section.missing("requests_per_minute", one);
    }
    section.finish();
    Some(Limit {
        name: name?,
        of: of?,
        requests_per_minute: requests.and_then(|count| u32::try_from(count).ok()),
        tokens_per_minute: tokens,
        open: open.and_then(|count| u32::try_from(count).ok()),
    })
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
