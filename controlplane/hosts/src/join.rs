//! Lets an invited host in. The life of a token is measured by the control plane's clock alone.

use crate::Intake;
use crate::desk::Desk;
use crate::house::serial;
use crate::refusal::Refusal;
use net_model::{HostIdentity, JoinAnswer, JoinAsk};
use store::CertificateRecord;

/// Checks the token, signs the request, uses the token up.
pub(crate) async fn let_in<I: Intake>(
    desk: &Desk<I>,
    ask: &JoinAsk,
) -> Result<JoinAnswer, Refusal> {
    let (now, token) = (desk.now(), ask.secret.hash());
    let void = || Refusal::forbidden("this token is used, too old, withdrawn, or not of this host");
    let invited = desk.store.invited_host(&ask.host, token, now).await?;
    let Some(host) = invited else {
        tracing::warn!(host = %ask.host, "A token that counts no more was brought.");
        return Err(void());
    };
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
    let certificate = CertificateRecord {
        name: host.name.clone(),
        sha256: issued.sha256,
        issued: now,
        not_after: issued.not_after,
    };
    // The one place where it is decided: of two that bring the same token, one comes in.
    if !desk.store.host_joined(token, &certificate).await? {
        return Err(void());
    }
    desk.intake.joined(host.name.clone(), now).await;
    tracing::info!(host = %host.name, zone = %host.zone, "A host has joined.");
    Ok(JoinAnswer {
        zone: host.zone,
        roles: host.roles,
        dial: host.dial,
        certificate: issued.pem,
    })
}
