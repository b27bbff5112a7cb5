//! Writes down how a cut was proven, when everything else is done.

use crate::cut::WRITE_LIMIT;
use crate::event::Event;
use crate::recorder::First;
use crate::switch::Switch;
use kill_wire::CutReport;
use tokio::time::timeout;

/// Journals the proof; the answer tells when it stands on disk.
pub(crate) async fn conclude(switch: &Switch, report: &CutReport) {
    let proved = Event::Proved {
        incident: report.incident,
        outcome: report.outcome,
        streams: report.streams,
        severed_ms: report.severed_ms,
        proven_ms: report.proven_ms,
        proof: report.proof.clone(),
    };
    if !matches!(
        timeout(WRITE_LIMIT, switch.record(vec![proved], First::Latch)).await,
        Ok(Ok(Ok(())))
    ) {
        tracing::error!(incident = %report.incident, "The proof could not be written down.");
    }
}
