//! Hosts join as `node-agent join` does it: a key, a request, a token, over TLS that the house's authority vouches for.
//!
//! The tokens are written into the database as `portcullis hosts invite` writes them, without starting that program a thousand
//! times.

use anyhow::{Context as _, ensure};
use hyper::{Method, StatusCode};
use kill_wire::Timestamp;
use net_link::{CONTROL_NAME, Credentials, Talk, Trust, parsed, stranger_client};
use net_model::{
    CARD_PATH, Dial, HostName, HostRole, HouseCard, JOIN_PATH, JoinAnswer, JoinAsk, MAX_TALK_BYTES,
    TokenSecret,
};
use rcgen::{CertificateParams, KeyPair};
use sha2::{Digest as _, Sha256};
use site_tests::bench::clock::wall_ms;
use site_tests::bench::controlplane::House;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use store::{Invitation, Store};
use tokio::task::JoinSet;

/// How long one exchange may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);
/// Hosts that join at the same time.
const AT_ONCE: usize = 16;
/// How long a token of these is good, in milliseconds.
const TOKEN_MS: u64 = 900_000;

/// A host that has joined.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// Which of all.
    pub(crate) number: u32,
    trust: Trust,
    own: Arc<Credentials>,
}

impl Member {
    /// Opens a connection that shows its certificate.
    pub(crate) async fn call(&self, to: SocketAddr) -> anyhow::Result<Talk> {
        let config = self.trust.client(Some(&self.own))?;
        Ok(Talk::open(to, &config, CONTROL_NAME, LIMIT).await?)
    }
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(wall_ms())
}

/// What the host of this number is called.
pub(crate) fn name(number: u32) -> String {
    format!("host{number}")
}

/// Invites and joins so many hosts, and one more in a zone of its own.
pub(crate) async fn all(house: &House, count: u32) -> anyhow::Result<(Vec<Member>, Member)> {
    let store = Store::open(&house.database()).await?;
    let mut asks = Vec::new();
    for number in 0..=count {
        let zone = match number == count {
            true => "red".to_owned(),
            false => format!("zone{}", number % 8),
        };
        asks.push((number, invite(&store, number, &zone).await?));
    }
    store.close().await;
    let trust = trust(house.hosts).await?;
    let (mut joining, mut members) = (JoinSet::new(), Vec::new());
    for (number, secret) in asks {
        if joining.len() >= AT_ONCE
            && let Some(joined) = joining.join_next().await
        {
            members.push(joined??);
        }
        joining.spawn(join(house.hosts, trust.clone(), number, secret));
    }
    while let Some(joined) = joining.join_next().await {
        members.push(joined??);
    }
    members.sort_by_key(|member| member.number);
    let red = members.pop().context("nobody joined")?;
    Ok((members, red))
}

async fn invite(store: &Store, number: u32, zone: &str) -> anyhow::Result<TokenSecret> {
    // Good for one name of a house that ends with this program: it needs no chance.
    let digest = Sha256::digest(name(number).as_bytes());
    let chance: [u8; 16] = digest.first_chunk().copied().context("a digest")?;
    let secret = TokenSecret::new(&chance);
    let invitation = Invitation {
        name: name(number).parse()?,
        zone: zone.parse()?,
        roles: [HostRole::Other].into(),
        dial: Dial::Out,
        address: None,
        token: secret.hash(),
        expires: now().plus_millis(TOKEN_MS),
    };
    let new = store.invite_host(&invitation, false, now()).await?;
    ensure!(new, "{} is known already", invitation.name);
    Ok(secret)
}

/// Whom the house's card says to trust.
async fn trust(at: SocketAddr) -> anyhow::Result<Trust> {
    let mut talk = Talk::open(at, &stranger_client(None)?, CONTROL_NAME, LIMIT).await?;
    let body = bytes::Bytes::new();
    let reply = talk
        .ask(Method::GET, CARD_PATH, body, MAX_TALK_BYTES, LIMIT)
        .await?;
    let card = HouseCard::read(&reply.body)?;
    Ok(Trust::new(&card.authority, now, card.made)?)
}

async fn join(
    at: SocketAddr,
    trust: Trust,
    number: u32,
    secret: TokenSecret,
) -> anyhow::Result<Member> {
    let key = KeyPair::generate()?;
    let csr = CertificateParams::default()
        .serialize_request(&key)?
        .pem()?;
    let host: HostName = name(number).parse()?;
    let ask = JoinAsk { host, secret, csr };
    let mut talk = Talk::open(at, &trust.client(None)?, CONTROL_NAME, LIMIT).await?;
    let reply = talk.tell(JOIN_PATH, &ask, MAX_TALK_BYTES, LIMIT).await?;
    ensure!(
        reply.status == StatusCode::OK,
        "{} was not let in: {}",
        ask.host,
        reply.status
    );
    let answer: JoinAnswer = parsed(&reply.body).map_err(anyhow::Error::msg)?;
    let own = Credentials::from_pem(&answer.certificate, &key.serialize_pem())?;
    Ok(Member {
        number,
        own: Arc::new(own),
        trust,
    })
}
