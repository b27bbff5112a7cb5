//! Invitations.

use crate::house::{House, random};
use kill_wire::Timestamp;
use net_model::{
    Dial, Fingerprint, HostName, HostRoles, HouseCard, Reach, Token, TokenSecret, ZoneName,
};
use std::net::SocketAddr;
use store::{Invitation, Store};
use zeroize::Zeroizing;

/// How long a token can be used, in milliseconds.
pub const TOKEN_LIFE_MS: u64 = 15 * 60_000;

/// Whom to invite.
#[derive(Clone, Debug)]
pub struct Guest {
    /// Its name.
    pub name: HostName,
    /// Where it stands.
    pub zone: ZoneName,
    /// What it is for.
    pub roles: HostRoles,
    /// Who dials.
    pub dial: Dial,
    /// Where it is dialled, if it is.
    pub address: Option<SocketAddr>,
}

/// An open invitation.
#[derive(Debug)]
pub struct Invited {
    /// To be shown once, to whoever stands at the host.
    pub token: Zeroizing<String>,
    /// From then on it is good for nothing.
    pub expires: Timestamp,
}

/// Invites a host, or with `anew` one that is known: then every older token of it is void. None when it is known already, or with
/// `anew` when it is not.
///
/// # Errors
/// When database or randomness refuse.
pub async fn invite(
    store: &Store,
    house: &House,
    guest: Guest,
    anew: bool,
    now: Timestamp,
) -> anyhow::Result<Option<Invited>> {
    let secret = TokenSecret::new(&Zeroizing::new(random::<16>()?));
    let expires = now.plus_millis(TOKEN_LIFE_MS);
    let reach = match (guest.dial, guest.address) {
        (Dial::In, Some(address)) => Reach::Listen(address.port()),
        _ => {
            Reach::Dial(HouseCard::read(&house.card).map_or_else(|_| Vec::new(), |it| it.addresses))
        }
    };
    let invitation = Invitation {
        name: guest.name.clone(),
        zone: guest.zone,
        roles: guest.roles,
        dial: guest.dial,
        address: guest.address,
        token: secret.hash(),
        expires,
    };
    if !store.invite_host(&invitation, anew, now).await? {
        return Ok(None);
    }
    let token = Token {
        host: guest.name,
        secret,
        house: Fingerprint::of(&house.card),
        reach,
    };
    let token = token.expose();
    Ok(Some(Invited { token, expires }))
}
