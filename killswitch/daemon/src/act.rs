//! Carries out what was decided about a text, and gives what to answer.

use crate::clock;
use crate::conclude::conclude;
use crate::cut;
use crate::other;
use crate::recorder::First;
use crate::report;
use crate::restore;
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
    match decision {
        Decision::Cut(cut) => {
            let report = cut::carry_out(switch, &cut, accepted).await;
            switch
                .core()
                .remember(text, &Reply::from(report.text.clone()));
            conclude(switch, &report).await;
            Some(report.text)
        }
        Decision::Restore(restore) => {
            let said = match restore::carry_out(switch, restore).await {
                Ok(released) => released.text,
                Err(why) => Reply::from(format!("RESTORE refused: {why}")),
            };
            switch.core().remember(text, &said);
            // Only the memory: a duplicate gets this answer even after a restart.
            drop(switch.record(Vec::new(), First::Latch));
            Some(said.into())
        }
        Decision::Status { .. } => Some(report::status_text(switch)),
        Decision::Refused(refused) => {
            tracing::warn!(channel = text.channel, why = %refused.why, "Text refused.");
            switch.note_refusal(&text.channel, &refused.why.to_string());
            refused.reply.map(String::from)
        }
        Decision::Duplicate { reply } => reply.map(String::from),
        Decision::Held(_) | Decision::Feigned(_) | Decision::CheckedIn(_) | Decision::Drill(_) => {
            other::on(switch, decision)
        }
    }
}
