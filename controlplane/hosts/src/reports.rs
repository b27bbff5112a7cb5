//! Carries reports from a host to whoever takes them in, line by line.

use crate::caller::Caller;
use crate::desk::Desk;
use crate::refusal::Refusal;
use crate::{Intake, Taken};
use bytes::Bytes;
use net_model::{RefusedReport, ReportsAnswer};

/// Most bytes of one report.
const MAX_LINE: usize = 16 * 1024;
/// Most refusals told in one answer.
const MAX_TOLD: usize = 64;

/// Hands every line on. Stops where the taker is busy: what follows stays with the host.
pub(crate) async fn take<I: Intake>(
    desk: &Desk<I>,
    caller: &Caller,
    lines: &Bytes,
) -> Result<ReportsAnswer, Refusal> {
    let now = desk.now();
    let mut answer = ReportsAnswer {
        renew: caller.due,
        ..ReportsAnswer::default()
    };
    let mut any = false;
    for line in lines.split(|byte| *byte == b'\n') {
        if line.is_empty() {
            continue;
        }
        let taken = if line.len() > MAX_LINE {
            Taken::Refused {
                seq: None,
                why: format!("longer than {MAX_LINE} bytes"),
            }
        } else {
            let line = lines.slice_ref(line);
            desk.intake.take(caller.host.name.clone(), line, now).await
        };
        match taken {
            Taken::Kept { seq } => answer.through = answer.through.max(seq),
            Taken::Refused { seq, why } => {
                answer.through = answer.through.max(seq.unwrap_or(0));
                if answer.refused.len() < MAX_TOLD {
                    answer.refused.push(RefusedReport { seq, why });
                }
            }
            Taken::Busy if any => return Ok(answer),
            Taken::Busy => return Err(Refusal::busy()),
        }
        any = true;
    }
    Ok(answer)
}
