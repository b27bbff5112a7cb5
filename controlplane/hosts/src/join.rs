//! Lets an invited host in. The life of a token is measured by the control plane's clock alone.

use crate::Intake;
use crate::certified::certified;
use crate::desk::Desk;
use crate::refusal::Refusal;
use net_model::{JoinAnswer, JoinAsk};

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
    let (certificate, pem) = certified(desk, &host, &ask.csr, now)?;
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
        certificate: pem,
    })
}
