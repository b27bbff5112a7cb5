//! Who asks, and whether they may: looked up at each question, so that whoever is shut out is out at once.

use crate::Intake;
use crate::desk::Desk;
use crate::refusal::Refusal;
use hyper::StatusCode;
use kill_wire::Timestamp;
use net_link::{Named, Peer};
use store::{HostState, KnownHost};

/// A host that is in, by the certificate it showed.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) host: store::HostRecord,
    /// The certificate it showed.
    pub(crate) shown: net_model::KeyHash,
    /// Half of the certificate's life is over, or it names the host as it is not called any more.
    pub(crate) due: bool,
}

/// The host that a certificate names.
pub(crate) async fn host<I: Intake>(
    desk: &Desk<I>,
    peer: Option<&Peer>,
) -> Result<Caller, Refusal> {
    let Some(peer) = peer else {
        let why = "this needs the certificate of a host";
        return Err(Refusal::new(StatusCode::UNAUTHORIZED, why));
    };
    let Named::Host(named) = &peer.named else {
        return Err(Refusal::forbidden("this certificate is not a host's"));
    };
    let now = desk.now();
    let found = desk.store.host_by_certificate(peer.certificate).await?;
    let Some(known) = found else {
        tracing::warn!(host = %named.host, "A certificate was shown that does not count any more.");
        let why = "this certificate does not count any more; the host must be invited anew";
        return Err(Refusal::forbidden(why));
    };
    judge(&known, now)?;
    if !known.by_the_one_before {
        retire_the_one_before(desk, &known, peer).await?;
    }
    Ok(Caller {
        due: due(&known, now),
        host: known.host,
        shown: peer.certificate,
    })
}

fn judge(known: &KnownHost, now: Timestamp) -> Result<(), Refusal> {
    match known.host.state {
        HostState::Joined => {}
        HostState::Revoked | HostState::Invited => {
            tracing::warn!(host = %known.host.name, "A host that is shut out tried to speak.");
            return Err(Refusal::forbidden("this host is shut out"));
        }
    }
    // Also of a connection that was set up before: it may be older than the certificate is good.
    match now >= known.not_after {
        true => Err(Refusal::forbidden("this certificate is over")),
        false => Ok(()),
    }
}

fn due(known: &KnownHost, now: Timestamp) -> bool {
    known.host.certificate.as_ref().is_none_or(|it| {
        let half = it.not_after.since(it.issued) / 2;
        known.by_the_one_before || now.since(it.issued) >= half || it.name != known.host.name
    })
}

async fn retire_the_one_before<I: Intake>(
    desk: &Desk<I>,
    known: &KnownHost,
    peer: &Peer,
) -> Result<(), Refusal> {
    if known.host.has_one_before {
        desk.store.host_certificate_seen(peer.certificate).await?;
    }
    Ok(())
}
