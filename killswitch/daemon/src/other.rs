//! What a text may come to besides a cut.

use crate::drill;
use crate::event::Event;
use crate::recorder::First;
use crate::report;
use crate::restore;
use crate::switch::Switch;
use crate::tell;
use kill_core::{Decision, Feigned, Held, InboundText, Reply};
use std::sync::Arc;

/// Carries it out. `None`: no answer is due.
pub(crate) async fn on(
    switch: &Arc<Switch>,
    text: &InboundText,
    decision: Decision,
) -> Option<String> {
    match decision {
        Decision::Restore(restore) => {
            let said = match restore::carry_out(switch, restore).await {
                Ok(released) => released.text,
                Err(why) => Reply::from(format!("RESTORE refused: {why}")),
            };
            remember(switch, text, said)
        }
        Decision::Held(wish) => {
            held(switch, &wish).await;
            Some(wish.reply.into())
        }
        Decision::Feigned(pretence) => {
            feigned(switch, &pretence).await;
            Some(pretence.reply.into())
        }
        Decision::CheckedIn(done) => {
            switch.note(Event::CheckedIn {
                by: done.by,
                via: done.via,
            });
            Some(done.reply.into())
        }
        Decision::Drill(plan) => {
            let drill = drill::run(switch, &plan).await;
            remember(switch, text, kill_core::drill_reply(&drill))
        }
        Decision::Status { latches, .. } => Some(report::status_text(switch, &latches)),
        Decision::Refused(refused) => {
            tracing::warn!(channel = text.channel, why = %refused.why, "Text refused.");
            switch.note_refusal(&text.channel, &refused.why.to_string());
            refused.reply.map(String::from)
        }
        Decision::Duplicate { reply } => reply.map(String::from),
        // Has been carried out before this is asked.
        Decision::Cut(_) => None,
    }
}

/// A duplicate gets this answer even after a restart.
fn remember(switch: &Switch, text: &InboundText, said: Reply) -> Option<String> {
    switch.core().remember(text, &said);
    drop(switch.record(Vec::new(), First::Latch));
    Some(said.into())
}

/// The first of two people: their code is spent, nothing opens.
pub(crate) async fn held(switch: &Switch, held: &Held) {
    tracing::info!(incident = %held.latch.incident, by = held.by, "A restore waits for a second person.");
    let event = Event::Held {
        incident: held.latch.incident,
        scope: held.latch.scope.clone(),
        by: held.by.clone(),
        via: held.via.clone(),
    };
    // What the disk says is said in the state.
    drop(restore::written(switch.record(vec![event], First::Latch)).await);
}

/// A restore under duress: the others are told, and the answer comes no sooner than a real one's.
pub(crate) async fn feigned(switch: &Switch, feigned: &Feigned) {
    let event = Event::Feigned {
        scope: feigned.scope.clone(),
        by: feigned.by.clone(),
        via: feigned.via.clone(),
    };
    // What the disk says is said in the state.
    drop(restore::written(switch.record(vec![event], First::Latch)).await);
    tell::people(switch, feigned.warning.as_str(), |name| {
        feigned.alert.contains(name)
    });
}
