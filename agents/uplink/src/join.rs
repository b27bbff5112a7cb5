//! Joins a house by a token.

use crate::identity::{Identity, IdentityError, State};
use crate::key;
use hyper::{Method, StatusCode};
use net_link::{
    CONTROL_NAME, Clock, Named, Reply, Talk, TalkError, Trust, parsed, stranger_client,
};
use net_model::{
    CARD_PATH, Fingerprint, HouseCard, JOIN_PATH, JoinAnswer, JoinAsk, MAX_TALK_BYTES, Refused,
    Token,
};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// How long one step may take.
const STEP: Duration = Duration::from_secs(10);

/// Why a host did not join.
#[derive(Debug, thiserror::Error)]
pub enum JoinError {
    /// Nowhere to go.
    #[error("the token names no address; say where the control plane is: --at ADDRESS:PORT")]
    Nowhere,
    /// Nobody answers, or not in good order.
    #[error(transparent)]
    Talk(#[from] TalkError),
    /// Whoever answers is not the house that invited: nothing was said to it.
    #[error("{0} is not the house that invited this host; the token was not shown to it")]
    AnotherHouse(SocketAddr),
    /// The control plane refuses.
    #[error("the control plane refused: {0}")]
    Refused(String),
    /// What was answered is not usable, or cannot be kept.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The key cannot be made.
    #[error("a key cannot be made on this host")]
    Key(#[from] rcgen::Error),
    /// The connection cannot be set up.
    #[error("a secure connection cannot be set up")]
    Tls(#[from] rustls::Error),
    /// The place to listen.
    #[error("cannot listen")]
    Listen(#[source] std::io::Error),
}

/// Joins at the first of `at` that answers, else where the token says.
///
/// # Errors
/// The last reason why not. The token is used up only when the control plane let this host in.
pub async fn join(
    token: &Token,
    at: &[SocketAddr],
    state_dir: &Path,
    clock: Clock,
) -> Result<Identity, JoinError> {
    let mut last = JoinError::Nowhere;
    for to in at {
        match join_at(token, *to, state_dir, clock).await {
            Ok(identity) => return Ok(identity),
            // Only who cannot be spoken to leads on to the next address.
            Err(why @ (JoinError::Talk(_) | JoinError::AnotherHouse(_))) => last = why,
            Err(why) => return Err(why),
        }
    }
    Err(last)
}

async fn join_at(
    token: &Token,
    to: SocketAddr,
    state_dir: &Path,
    clock: Clock,
) -> Result<Identity, JoinError> {
    let card = card(token, to).await?;
    let another = || JoinError::AnotherHouse(to);
    let house = HouseCard::read(&card).map_err(|_| another())?;
    let trust = Trust::new(&house.authority, clock, house.made)?;
    // A connection of its own, which the authority of the card must vouch for.
    let opened = Talk::open(to, &trust.client(None)?, CONTROL_NAME, STEP).await;
    let mut talk = match opened {
        Err(TalkError::Insecure { .. }) => return Err(another()),
        opened => opened?,
    };
    let named = talk.peer().map(|peer| peer.named);
    if named != Some(Named::Control(house.site)) {
        return Err(another());
    }
    let fresh = key::fresh()?;
    let ask = JoinAsk {
        host: token.host.clone(),
        secret: token.secret.clone(),
        csr: fresh.request,
    };
    let reply = talk.tell(JOIN_PATH, &ask, MAX_TALK_BYTES, STEP).await?;
    let answer: JoinAnswer = answer(&reply)?;
    Ok(State::at(state_dir, clock).keep_joined(&card, &answer, &fresh.key)?)
}

/// The card, from whoever answers: only the fingerprint of the token says whether it is the right one.
async fn card(token: &Token, to: SocketAddr) -> Result<Vec<u8>, JoinError> {
    let mut talk = Talk::open(to, &stranger_client(None)?, CONTROL_NAME, STEP).await?;
    let reply = talk
        .ask(
            Method::GET,
            CARD_PATH,
            bytes::Bytes::new(),
            MAX_TALK_BYTES,
            STEP,
        )
        .await?;
    let right = reply.status == StatusCode::OK && Fingerprint::of(&reply.body) == token.house;
    match right {
        true => Ok(reply.body.to_vec()),
        false => Err(JoinError::AnotherHouse(to)),
    }
}

/// The value of a good answer; the sentence of a bad one.
pub(crate) fn answer<T: serde::de::DeserializeOwned>(reply: &Reply) -> Result<T, JoinError> {
    if reply.status.is_success() {
        return parsed(&reply.body).map_err(JoinError::Refused);
    }
    let said: Option<Refused> = parsed(&reply.body).ok();
    let said = said.map_or_else(|| reply.status.to_string(), |it| it.error);
    let plain = said.chars().filter(|c| !c.is_control()).take(200).collect();
    Err(JoinError::Refused(plain))
}
