//! The certificate that a host gets: the same when it joins and when it renews.

use crate::Intake;
use crate::desk::Desk;
use crate::house::serial;
use crate::refusal::Refusal;
use kill_wire::Timestamp;
use net_model::HostIdentity;
use store::{CertificateRecord, HostRecord};

/// Signs what `host` asks for, and says how it is recorded; the certificate itself in PEM form.
pub(crate) fn certified<I: Intake>(
    desk: &Desk<I>,
    host: &HostRecord,
    csr: &str,
    now: Timestamp,
) -> Result<(CertificateRecord, String), Refusal> {
    let identity = HostIdentity {
        site: desk.house.site().clone(),
        zone: host.zone.clone(),
        host: host.name.clone(),
    };
    let serial = serial()?;
    let authority = &desk.house.authority;
    let issued = authority
        .sign(csr, &identity, (now, desk.life), serial)
        .map_err(|why| Refusal::bad(why.to_string()))?;
    let record = CertificateRecord {
        name: host.name.clone(),
        sha256: issued.sha256,
        issued: now,
        not_after: issued.not_after,
    };
    Ok((record, issued.pem))
}
