//! What a text may come to besides a cut and a restore.

use crate::recorder::First;
use crate::switch::Switch;
use kill_core::Decision;

/// Writes down what was decided; the answer is the core's.
pub(crate) fn on(switch: &Switch, decision: Decision) -> Option<String> {
    drop(switch.record(Vec::new(), First::Latch));
    match decision {
        Decision::Held(held) => Some(held.reply.into()),
        Decision::Feigned(feigned) => Some(feigned.reply.into()),
        Decision::CheckedIn(done) => Some(done.reply.into()),
        Decision::Drill(_)
        | Decision::Cut(_)
        | Decision::Restore(_)
        | Decision::Status { .. }
        | Decision::Refused(_)
        | Decision::Duplicate { .. } => None,
    }
}
