//! Carries a batch of reports from a host to whoever takes them in.

use crate::caller::Caller;
use crate::desk::Desk;
use crate::refusal::Refusal;
use crate::{Intake, Reporter};
use bytes::Bytes;
use net_model::ReportsAnswer;
use std::net::IpAddr;

/// Hands a batch on, under the name of whoever brought it.
pub(crate) async fn take<I: Intake>(
    desk: &Desk<I>,
    caller: &Caller,
    address: IpAddr,
    lines: Bytes,
) -> Result<ReportsAnswer, Refusal> {
    let host = &caller.host;
    let from = Reporter {
        host: host.name.clone(),
        zone: host.zone.clone(),
        address,
        dial: host.dial,
        certificate_ends: host.certificate.as_ref().map(|it| it.not_after),
    };
    let taken = desk.intake.reports(from, lines, desk.now()).await;
    let answer = taken.map_err(Refusal::later)?;
    Ok(ReportsAnswer {
        renew: caller.due,
        ..answer
    })
}
