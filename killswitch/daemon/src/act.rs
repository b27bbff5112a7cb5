//! Carries out what was decided about a text, and gives what to answer.

use crate::clock;
use crate::conclude::conclude;
use crate::cut;
use crate::other;
use crate::switch::Switch;
use kill_core::{Decision, InboundText, Reply};
use std::sync::Arc;
use tokio::time::Instant;

/// Decides; a cut is in the latches from here on.
pub(crate) fn decide(switch: &Switch, text: &InboundText) -> (Instant, Decision) {
    (Instant::now(), switch.core().on_text(text, clock::now()))
}

/// Acts; `accepted` is when it was decided. `None`: no answer is due.
pub(crate) async fn carry_out(
    switch: &Arc<Switch>,
    text: &InboundText,
    decision: Decision,
    accepted: Instant,
) -> Option<String> {
    let Decision::Cut(cut) = decision else {
        return other::on(switch, text, decision).await;
    };
    let report = cut::carry_out(switch, &cut, accepted).await;
    let said = Reply::from(report.text.clone());
    switch.core().remember(text, &said);
    conclude(switch, &report).await;
    Some(report.text)
}
