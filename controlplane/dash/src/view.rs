//! From a snapshot to what stands on the page. Pure: the same snapshot draws the same text, so a part is sent
//! again only when it says something new. Ages are counted by the browser from the instants given here.

mod budgets;
mod charts;
mod exchanges;
mod feed;
mod health;
mod incidents;
mod map;
mod outcome;
mod routes;
mod scopes;
mod stop;
mod targets;
mod text;
mod trials;
mod usage;
mod verdict;
mod watch;

pub(crate) use budgets::Budgets;
pub(crate) use charts::{TargetChart, target_charts};
pub(crate) use feed::{Feed, remarks};
pub(crate) use incidents::{Row as IncidentRow, row as incident_row};
pub(crate) use map::{BY_NAME, Map};
pub(crate) use outcome::{
    Outcome, check_in_outcome, cut_outcome, drill_outcome, held_outcome, restore_outcome,
};
pub(crate) use routes::Routes;
pub(crate) use scopes::CutNow;
pub(crate) use stop::{Now, Proofs};
pub(crate) use targets::{Targets, breaker, class};
pub(crate) use text::{When, counted, proof};
pub(crate) use trials::{Trial, Trials, Tried};
pub(crate) use watch::{Watch, guesses};

use askama::Template;
use net_model::Snapshot;

/// A part as text.
pub(crate) fn drawn(part: &impl Template) -> String {
    part.render().unwrap_or_else(|error| {
        tracing::error!(%error, "A part of a page cannot be drawn.");
        "This part cannot be drawn.".to_owned()
    })
}

/// Every part of the page that changes by itself.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) verdict: verdict::Verdict,
    pub(crate) scopes: scopes::Scopes,
    pub(crate) cut: scopes::CutNow,
    pub(crate) exchanges: exchanges::Exchanges,
    pub(crate) targets: targets::Targets,
    pub(crate) budgets: budgets::Budgets,
    pub(crate) usage: usage::Usage,
    pub(crate) feed: feed::Feed,
    pub(crate) incidents: incidents::Incidents,
    pub(crate) health: health::Health,
    pub(crate) watch: watch::Watch,
}

impl Parts {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        Self {
            verdict: verdict::Verdict::of(snapshot),
            scopes: scopes::Scopes::of(snapshot),
            cut: scopes::CutNow::of(snapshot),
            exchanges: exchanges::Exchanges::of(snapshot),
            targets: targets::Targets::of(snapshot),
            budgets: budgets::Budgets::of(snapshot),
            usage: usage::Usage::of(snapshot),
            feed: feed::Feed::of(snapshot),
            incidents: incidents::Incidents::of(snapshot),
            health: health::Health::of(snapshot),
            watch: watch::Watch::of(snapshot),
        }
    }

    /// Each part's name, as the page's `sse-swap` has it, and its text.
    pub(crate) fn drawn(&self) -> Vec<(&'static str, String)> {
        let drawn = [
            ("verdict", self.verdict.render()),
            ("scopes", self.scopes.render()),
            ("cut", self.cut.render()),
            ("exchanges", self.exchanges.render()),
            ("targets", self.targets.render()),
            ("budgets", self.budgets.render()),
            ("usage", self.usage.render()),
            ("feed", self.feed.render()),
            ("incidents", self.incidents.render()),
            ("health", self.health.render()),
            ("watch", self.watch.render()),
        ];
        let text = |(name, drawn): (&'static str, askama::Result<String>)| match drawn {
            Ok(text) => (name, text),
            Err(error) => {
                tracing::error!(name, %error, "A part of the page cannot be drawn.");
                (name, "This part cannot be drawn.".to_owned())
            }
        };
        drawn.into_iter().map(text).collect()
    }
}
