//! The agent's binary, from the control plane: taken only whole and under the seal of the house.

use crate::identity::Identity;
use crate::seal::{BadSeal, check_seal};
use crate::trial::Place;
use bytes::Bytes;
use hyper::Method;
use net_link::{CONTROL_NAME, Reply, Talk, TalkError, parsed};
use net_model::{AGENT_PATH, BinarySeal, MAX_TALK_BYTES, own_target};
use std::net::SocketAddr;
use std::time::Duration;

/// Longest binary taken in bytes.
const MAX_BYTES: usize = 64 * 1024 * 1024;
const STEP: Duration = Duration::from_secs(120);

/// Why there is no new binary.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The host is one that is dialled: it fetches nothing.
    #[error("this host does not dial out; bring the binary to it")]
    Contained,
    /// No answer.
    #[error(transparent)]
    Talk(#[from] TalkError),
    /// There is none.
    #[error("the control plane has none for this machine: {0}")]
    None(String),
    /// It is not what it should be.
    #[error("the binary was not taken")]
    Seal(#[from] BadSeal),
    /// The connection cannot be set up.
    #[error("a secure connection cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The disk refuses; what was in place is there still.
    #[error("it cannot be written")]
    Disk(#[from] std::io::Error),
}

/// Puts the binary for this machine, of version `here` or newer, in the place of `to`, on trial; gives its version. The file is
/// replaced whole: what runs keeps the one it was started from.
///
/// # Errors
/// When there is none, its seal does not hold, or the disk refuses; `to` is then as it was.
pub async fn update_agent(
    identity: &Identity,
    at: &[SocketAddr],
    here: &str,
    to: &Place,
) -> Result<String, FetchError> {
    let (version, binary) = fetch(identity, at, here).await?;
    to.begin(&binary)?;
    Ok(version)
}

/// The binary with its version, when its seal holds.
async fn fetch(
    identity: &Identity,
    at: &[SocketAddr],
    here: &str,
) -> Result<(String, Bytes), FetchError> {
    let at = if at.is_empty() {
        &identity.card.addresses
    } else {
        at
    };
    let to = at.first().filter(|_| identity.dial == net_model::Dial::Out);
    let to = to.ok_or(FetchError::Contained)?;
    let config = identity.trust.client(Some(&identity.credentials))?;
    let mut talk = Talk::open(*to, &config, CONTROL_NAME, STEP).await?;
    let target = own_target();
    let path = format!("{AGENT_PATH}{target}");
    let none = |reply: &Reply| FetchError::None(reply.status.to_string());
    let reply = talk
        .ask(
            Method::GET,
            &format!("{path}.sig"),
            Bytes::new(),
            MAX_TALK_BYTES,
            STEP,
        )
        .await?;
    let seal = parsed::<BinarySeal>(&reply.body).ok();
    let seal = seal.filter(|_| reply.status.is_success());
    let seal = seal.ok_or_else(|| none(&reply))?;
    let reply = talk
        .ask(Method::GET, &path, Bytes::new(), MAX_BYTES, STEP)
        .await?;
    if !reply.status.is_success() {
        return Err(none(&reply));
    }
    check_seal(&identity.card.agent_key, &seal, &reply.body, &target, here)?;
    Ok((seal.version, reply.body))
}
