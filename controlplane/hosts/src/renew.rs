//! The next certificate of a host that is in: for a new key, and for the name it has now.

use crate::Intake;
use crate::caller::Caller;
use crate::desk::Desk;
use crate::house::serial;
use crate::refusal::Refusal;
use net_model::{HostIdentity, RenewAnswer, RenewAsk};
use store::CertificateRecord;

/// Signs the request. The certificate that was shown stays good until the new one is seen, for the answer may be lost.
pub(crate) async fn next<I: Intake>(
    desk: &Desk<I>,
    caller: &Caller,
    ask: &RenewAsk,
) -> Result<RenewAnswer, Refusal> {
    if !caller.due {
        return Err(Refusal::later(60));
    }
    let now = desk.now();
    let host = &caller.host;
    let identity = HostIdentity {
        site: desk.house.site().clone(),
        zone: host.zone.clone(),
        host: host.name.clone(),
    };
    let serial = serial()?;
    let authority = &desk.house.authority;
    let issued = authority
        .sign(&ask.csr, &identity, (now, desk.life), serial)
        .map_err(|why| Refusal::bad(why.to_string()))?;
    let next = CertificateRecord {
        name: host.name.clone(),
        sha256: issued.sha256,
        issued: now,
        not_after: issued.not_after,
    };
    let (name, shown) = (&host.name, caller.shown);
    if !desk.store.host_renewed(name, shown, &next).await? {
        return Err(Refusal::forbidden("this host is shut out"));
    }
    tracing::info!(host = %name, "A host has a new certificate.");
    Ok(RenewAnswer {
        certificate: issued.pem,
    })
}
