//! The dead man's switch: two warnings, then what the rules say.

use crate::clock;
use crate::conclude::conclude;
use crate::cut;
use crate::event::Event;
use crate::switch::Switch;
use crate::tell;
use kill_core::{CheckInStep, Then, check_in_warning};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);

/// Watches until shutdown.
pub(crate) async fn watch(switch: Arc<Switch>) {
    loop {
        let due = switch.core().check_in_due(clock::now());
        if let Some(step) = due {
            take(&switch, step).await;
        }
        tokio::select! {
            () = switch.stop.cancelled() => return,
            () = sleep(LOOK) => {}
        }
    }
}

async fn take(switch: &Arc<Switch>, step: CheckInStep) {
    let then = switch
        .core()
        .rules()
        .check_in
        .as_ref()
        .map(|rule| rule.then.clone());
    let said = check_in_warning(&step, &then.unwrap_or_default());
    tracing::warn!(said = said.as_str(), "Nobody checked in.");
    if let CheckInStep::Act(Then::Cut(scope)) = &step {
        let accepted = Instant::now();
        let cut = switch.core().check_in_cut(scope.clone(), clock::now());
        let report = cut::carry_out(switch, &cut, accepted).await;
        conclude(switch, &report).await;
        tell::everyone(switch, &report.text);
    }
    let told = tell::everyone(switch, said.as_str());
    let warned = match step {
        CheckInStep::WarnFirst { .. } => 1,
        CheckInStep::WarnSecond { .. } | CheckInStep::Act(_) => 2,
    };
    switch.note(Event::CheckInDue { warned, told });
}
