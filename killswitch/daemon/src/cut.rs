//! Carries out a cut: order first, then write down, then prove.

use crate::event::Event;
use crate::orders;
use crate::proof;
use crate::recorder::First;
use crate::switch::Switch;
use kill_core::Cut;
use kill_wire::CutReport;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How long an answer waits for the disk; the cut itself never does.
pub(crate) const WRITE_LIMIT: Duration = Duration::from_secs(2);

/// Orders, records and proves; `accepted` is when the message had been verified.
pub(crate) async fn carry_out(switch: &Arc<Switch>, cut: &Cut, accepted: Instant) -> CutReport {
    let delivery = orders::deliver(switch).await;
    let severed_ms = millis(accepted);
    let written = switch.record(vec![asked(cut)], First::Latch);
    let proof = proof::prove(switch, &cut.latch.scope, accepted).await;
    let mut report = CutReport {
        scope: cut.latch.scope.clone(),
        incident: cut.latch.incident,
        outcome: proof::outcome(&proof, &delivery.unconfirmed),
        at: cut.latch.since,
        severed_ms,
        proven_ms: millis(accepted),
        streams: delivery.severed,
        proof,
        // What is acknowledged survives. A disk that hangs is waited for this long and not longer.
        recorded: matches!(timeout(WRITE_LIMIT, written).await, Ok(Ok(Ok(()))))
            && !delivery.unsaved,
        repeated: cut.repeated,
        by: cut.by.clone(),
        text: String::new(),
    };
    report.proof.still_open.extend(delivery.unconfirmed);
    report.text = kill_core::cut_reply(cut, &report).into();
    tracing::info!(incident = %report.incident, scope = %report.scope, outcome = ?report.outcome, recorded = report.recorded, severed_ms, streams = report.streams, repeated = report.repeated, "Cut.");
    report
}

/// The journal's entry for it.
pub(crate) fn asked(cut: &Cut) -> Event {
    Event::Cut {
        incident: cut.latch.incident,
        scope: cut.latch.scope.clone(),
        by: cut.by.clone(),
        via: cut.via.clone(),
        why: cut.why.clone(),
        repeated: cut.repeated,
        late: cut.late,
    }
}

fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
