//! The next certificate of a host that is in: for a new key, and for the name it has now.

use crate::Intake;
use crate::caller::Caller;
use crate::certified::certified;
use crate::desk::Desk;
use crate::refusal::Refusal;
use net_model::{RenewAnswer, RenewAsk};

/// Signs the request. The certificate that was shown stays good until the new one is seen, for the answer may be lost.
pub(crate) async fn next<I: Intake>(
    desk: &Desk<I>,
    caller: &Caller,
    ask: &RenewAsk,
) -> Result<RenewAnswer, Refusal> {
    if !caller.due {
        return Err(Refusal::later(60));
    }
    let host = &caller.host;
    let (next, certificate) = certified(desk, host, &ask.csr, desk.now())?;
    let (name, shown) = (&host.name, caller.shown);
    if !desk.store.host_renewed(name, shown, &next).await? {
        return Err(Refusal::forbidden("this host is shut out"));
    }
    tracing::info!(host = %name, "A host has a new certificate.");
    Ok(RenewAnswer { certificate })
}
