//! `[[gateway.limits]]`, and which exchanges a rule is about.

use crate::NAME;
use crate::target::class_of;
use kill_config::{Problems, Section};
use kill_wire::Name;
use net_model::{Limit, ModelPattern, Selector};

/// Most tokens of a rule.
const MOST: u64 = 1_000_000_000_000;

/// Reads all limits; `None` when a problem was noted that leaves them unusable.
pub fn limits(section: &mut Section<'_>, problems: &Problems) -> Option<Vec<Limit>> {
    let limits = section.sections("limits").into_iter();
    let limits: Vec<_> = limits.map(|it| limit(it, problems)).collect();
    limits.into_iter().collect()
}

/// Which exchanges a rule is about; `None` when a problem was noted.
pub fn selector(section: &mut Section<'_>, problems: &Problems) -> Option<Selector> {
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
