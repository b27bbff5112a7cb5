//! `[[gateway.routes]]`.

use crate::NAME;
use kill_config::{Problem, Problems, Section};
use kill_wire::{Name, RouteKind};
use net_model::ModelPattern;

/// A route as the file has it: its targets by name.
#[derive(Debug)]
pub(crate) struct RouteWish {
    pub(crate) name: Name,
    pub(crate) kind: RouteKind,
    pub(crate) models: Vec<ModelPattern>,
    pub(crate) targets: Vec<String>,
}

/// Reads one route; `None` when a problem was noted that leaves it unusable.
pub(crate) fn route(mut section: Section<'_>, problems: &Problems) -> Option<RouteWish> {
    let name = section.need_parsed::<Name>("name", NAME);
    let kind = match section.text("kind", "`llm`").as_deref() {
        None | Some("llm") => Some(RouteKind::Llm),
        Some("agent") => Some(RouteKind::Agent),
        Some("tool") => Some(RouteKind::Tool),
        Some(other) => {
            let text = format!("`{other}` is not `llm`, `agent` or `tool`");
            problems.note(Problem::new(section.key("kind"), text));
            None
        }
    };
    let key = section.key("models");
    let models = section
        .texts("models", "a list of model names, such as [\"*\"]")
        .unwrap_or_else(|| vec!["*".to_owned()]);
    let models: Vec<_> = models
        .iter()
        .map(|model| problems.take(&key, ModelPattern::new(model)))
        .collect();
    let targets = section.need_texts("targets", "a list of names out of gateway.targets");
    section.finish();
    Some(RouteWish {
        name: name?,
        kind: kind?,
        models: models.into_iter().collect::<Option<_>>()?,
        targets: targets?,
    })
}
