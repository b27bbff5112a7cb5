//! The section `[canary]`: what this host tries to reach, to see that the walls of its zone hold.

use host_facts::{Canary, CanaryPlan};
use kill_config::{Problem, Problems, Section};
use net_model::ProbeTarget;

const TARGETS: &str =
    "a list of what to try, such as [\"tcp://192.0.2.7:445\", \"dns://192.0.2.53\"]";

/// `None` without the section, or when a problem was noted.
pub(super) fn read(section: Option<Section<'_>>, problems: &Problems) -> Option<CanaryPlan> {
    let mut section = section?;
    let must = targets(&mut section, "must", problems);
    let must_not = targets(&mut section, "must_not", problems);
    let (least, most) = CanaryPlan::BOUNDS_MS;
    let every = section.span("every", least / 1000..=most / 1000);
    let plan = CanaryPlan {
        must,
        must_not,
        every_ms: every.map_or(CanaryPlan::EVERY_MS, |seconds| seconds * 1000),
    };
    let fine = Canary::new(plan.clone(), 0, 0);
    let fine = fine.map_err(|why| section.note("must_not", &why.to_string()));
    section.finish();
    fine.ok().map(|_| plan)
}

fn targets(section: &mut Section<'_>, list: &'static str, problems: &Problems) -> Vec<ProbeTarget> {
    let key = section.key(list);
    let texts = section.texts(list, TARGETS).unwrap_or_default();
    let mut targets = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        match text.parse() {
            Ok(target) => targets.push(target),
            Err(error) => problems.note(Problem::new(format!("{key}[{at}]"), format!("{error}"))),
        }
    }
    targets
}
