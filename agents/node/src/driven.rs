//! Gateways that are not ours: what an agent is told of them, and what it says of them in reports of its host.

use crate::hand::Reach;
use gateway_config::{DriverWish, WantedWish};
use gateways::Driver;
use kill_wire::Name;
use net_model::report::{DrivenFact, Few, Printable, TargetFact};
use net_model::{BreakerState, TargetView};
use std::path::Path;
use std::sync::Arc;

/// One gateway that is not ours.
#[derive(Debug)]
pub struct Driven {
    /// Its name on this host.
    pub name: String,
    /// How it is spoken to.
    pub driver: Driver,
    /// What it shall do; none where that is somebody else's.
    pub managed: Option<Managed>,
}

impl Driven {
    /// As a file wishes it; `wanted` counts where the wish is to manage it.
    #[must_use]
    pub fn wished(wish: &DriverWish, wanted: Option<&WantedWish>) -> Self {
        let wanted = wanted.filter(|_| wish.is_managed()).cloned();
        Self {
            name: wish.name.to_string(),
            driver: wish.driver(),
            managed: wanted.map(|wanted| Managed {
                wanted,
                counted: wish.is_counted(),
            }),
        }
    }
}

impl Driven {
    /// Its driver keeps below `folder` what must outlive this process.
    pub(crate) fn remembering(self, folder: &Path) -> Self {
        Self {
            driver: self.driver.remembering(folder, &self.name),
            ..self
        }
    }
}

/// What a gateway shall do, and how it is seen what came of it.
#[derive(Clone, Debug)]
pub struct Managed {
    /// Routes, targets, consumers and their keys.
    pub wanted: WantedWish,
    /// Whether it tells how often it answered what.
    pub counted: bool,
}

/// What was last seen of a gateway.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// It holds what is in force here.
    pub(crate) follows: bool,
    /// What its driver says somebody should know.
    pub(crate) notices: Vec<String>,
    /// How often it was not as wanted, and not by our doing.
    pub(crate) drifted: u64,
    /// What was not as wanted the last time.
    pub(crate) drift: Vec<String>,
    /// Why what is wanted could not be brought about.
    pub(crate) failed: Option<String>,
    /// What is wrong with a newer file that says what is wanted.
    pub(crate) refused: Option<String>,
    /// Routes that do not lead to their first choice, and why.
    pub(crate) leads: Vec<String>,
    /// How its targets fare, as it is decided here where routes lead.
    pub(crate) decided: Vec<TargetView>,
    /// How they fare as its driver says.
    pub(crate) said: Vec<TargetView>,
}

/// How the gateways fare that are not ours. A claim, as everything a host says of itself.
#[derive(Clone, Debug)]
pub struct DrivenView(Arc<[Arc<Reach>]>);

/// Most lines of one kind about one gateway.
const MAX_LINES: usize = 6;
/// Most targets of one gateway: a report has 16 KiB for everything.
const MAX_TARGETS: usize = 16;

impl DrivenView {
    pub(crate) fn of(reaches: &[Arc<Reach>]) -> Self {
        let others = reaches.iter().filter(|reach| !reach.ours);
        Self(others.map(Arc::clone).collect())
    }

    /// From now on gateways that are managed shall do this. What is closed stays closed whatever it says.
    pub fn want(&self, wanted: &WantedWish) {
        for managed in self.0.iter().filter_map(|reach| reach.managed.as_ref()) {
            managed.send_modify(|managed| managed.wanted = wanted.clone());
        }
    }

    /// Says of gateways that are managed that a newer wish was not taken, and why; none where the newest was.
    pub fn refuse(&self, why: Option<String>) {
        for reach in self.0.iter().filter(|reach| reach.managed.is_some()) {
            reach.seen().refused.clone_from(&why);
        }
    }

    /// As reports say it.
    #[must_use]
    pub fn facts(&self) -> Few<DrivenFact> {
        Few::first_of(self.0.iter().map(|reach| fact(reach))).0
    }
}

fn fact(reach: &Reach) -> DrivenFact {
    let seen = reach.seen();
    let failed = seen
        .failed
        .iter()
        .map(|why| format!("not as wanted: {why}"));
    let refused = seen.refused.iter();
    let refused = refused.map(|why| format!("the changed file was not taken: {why}"));
    let notices = seen.notices.iter().take(MAX_LINES).cloned();
    let leads = seen.leads.iter().take(MAX_LINES).cloned();
    let drift = seen.drift.iter().take(MAX_LINES);
    let drift = drift.map(|what| format!("was put right: {what}"));
    let notes = failed
        .chain(refused)
        .chain(notices)
        .chain(leads)
        .chain(drift);
    DrivenFact {
        name: Printable::clipped(&reach.name),
        kind: Printable::clipped(reach.driver.kind()),
        follows: seen.follows,
        managed: reach.managed.is_some(),
        drifted: seen.drifted,
        notes: Few::first_of(notes.map(|line| Printable::clipped(&line))).0,
        targets: targets(&seen),
    }
}

/// What is decided here of each target and what the gateway says of it, one beside the other; those first that are not well.
fn targets(seen: &Seen) -> Few<TargetFact> {
    let well = |view: &TargetView| view.health.as_ref().map(|health| health.well);
    let known = |name: &Name| seen.decided.iter().any(|it| it.name == *name);
    let decided = seen.decided.iter().map(|view| {
        let said = seen.said.iter().find(|it| it.name == view.name);
        target(view, well(view), said.and_then(well))
    });
    let said = seen.said.iter().filter(|it| !known(&it.name));
    let said = said.map(|view| target(view, None, well(view)));
    let mut all: Vec<TargetFact> = decided.chain(said).collect();
    all.sort_by_key(|it| {
        let unwell = [it.probed, it.checked].contains(&Some(false));
        it.state == BreakerState::Closed && !unwell
    });
    Few::first_of(all.into_iter().take(MAX_TARGETS)).0
}

fn target(view: &TargetView, probed: Option<bool>, checked: Option<bool>) -> TargetFact {
    TargetFact {
        name: view.name.clone(),
        class: view.class,
        state: view.state,
        since: Some(view.since).filter(|since| since.millis() > 0),
        why: view.why.as_deref().map(Printable::clipped),
        probed,
        checked,
    }
}
