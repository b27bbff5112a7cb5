//! The next certificate, for a new key. It is on the disk before it is used: until the control plane sees it, the old one counts.

use crate::Settings;
use crate::identity::{Identity, State};
use crate::join::{JoinError, answer};
use crate::key;
use net_link::Talk;
use net_model::{MAX_TALK_BYTES, RENEW_PATH, RenewAnswer, RenewAsk};
use std::time::Duration;

const STEP: Duration = Duration::from_secs(20);

pub(crate) async fn renew(
    talk: &mut Talk,
    identity: &Identity,
    settings: &Settings,
) -> Result<Identity, JoinError> {
    let fresh = key::fresh()?;
    let ask = RenewAsk { csr: fresh.request };
    let reply = talk.tell(RENEW_PATH, &ask, MAX_TALK_BYTES, STEP).await?;
    let next: RenewAnswer = answer(&reply)?;
    let state = State::at(&settings.state_dir, settings.clock);
    let identity = state.keep_renewed(identity, &next.certificate, &fresh.key)?;
    tracing::info!(host = %identity.name, "The certificate was renewed.");
    Ok(identity)
}
