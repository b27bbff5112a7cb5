//! One call: join, if the host is invited; else fetch what it has to report, and bring it its next certificate when that is due.

use crate::Intake;
use crate::caller::{self, Caller};
use crate::desk::Desk;
use crate::{join, renew, reports};
use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use hyper::{Method, StatusCode};
use net_link::{HOST_NAME, Reply, Talk, parsed};
use net_model::{
    CERTIFICATE_PATH, JOIN_PATH, JoinAsk, MAX_BATCH_BYTES, MAX_TALK_BYTES, RENEW_PATH,
    REPORTS_PATH, RenewAsk,
};
use std::net::SocketAddr;
use std::time::Duration;
use store::{HostRecord, HostState};

/// How long one step may take.
const STEP: Duration = Duration::from_secs(8);
/// Most batches of one call.
const BATCHES: usize = 12;

pub(super) async fn call<I: Intake>(desk: &Desk<I>, host: &HostRecord) -> anyhow::Result<()> {
    let to = host.address.context("no address")?;
    let invited = host.invited_until.is_some_and(|until| until > desk.now());
    if invited && let_in(desk, host, to).await? {
        return Ok(());
    }
    ensure!(host.state == HostState::Joined, "it has not joined yet");
    let mut talk = Talk::open(to, &desk.own().client, HOST_NAME, STEP).await?;
    let caller = known(desk, &talk, host).await?;
    fetch(desk, (&mut talk, to), &caller).await?;
    if caller.due {
        bring_next(desk, &mut talk, &caller).await?;
    }
    Ok(())
}

/// Shows the card to whoever listens there; only who knows the token answers. False when it does not wait to be let in.
async fn let_in<I: Intake>(
    desk: &Desk<I>,
    host: &HostRecord,
    to: SocketAddr,
) -> anyhow::Result<bool> {
    let config = desk.own().towards_strangers;
    let mut talk = Talk::open(to, &config, HOST_NAME, STEP).await?;
    let card = Bytes::from(desk.house.card.clone());
    let asked = talk
        .ask(Method::POST, JOIN_PATH, card, MAX_TALK_BYTES, STEP)
        .await?;
    if asked.status == StatusCode::NOT_FOUND {
        return Ok(false);
    }
    let ask: JoinAsk = value(&asked)?;
    ensure!(
        ask.host == host.name,
        "another host answers there: {}",
        ask.host
    );
    let joined = join::let_in(desk, &ask).await;
    let joined = joined.map_err(|refusal| anyhow::anyhow!("{}", refusal.why()))?;
    let told = talk
        .tell(CERTIFICATE_PATH, &joined, MAX_TALK_BYTES, STEP)
        .await?;
    good(&told)?;
    Ok(true)
}

/// Who answers must be the host that was called, by a certificate that counts.
async fn known<I: Intake>(
    desk: &Desk<I>,
    talk: &Talk,
    host: &HostRecord,
) -> anyhow::Result<Caller> {
    let peer = talk.peer();
    let caller = caller::host(desk, peer.as_ref()).await;
    let caller = caller.map_err(|refusal| anyhow::anyhow!("{}", refusal.why()))?;
    if caller.host.name != host.name {
        tracing::warn!(called = %host.name, answered = %caller.host.name, "Another host answers at this address.");
        bail!("another host answers there: {}", caller.host.name);
    }
    Ok(caller)
}

async fn fetch<I: Intake>(
    desk: &Desk<I>,
    (talk, to): (&mut Talk, SocketAddr),
    caller: &Caller,
) -> anyhow::Result<()> {
    let mut through = desk.intake.through(&caller.host.name);
    for _ in 0..BATCHES {
        let path = format!("{REPORTS_PATH}?through={through}");
        let reply = talk
            .ask(Method::GET, &path, Bytes::new(), MAX_BATCH_BYTES, STEP)
            .await?;
        good(&reply)?;
        if reply.body.is_empty() {
            return Ok(());
        }
        let taken = reports::take(desk, caller, to.ip(), reply.body).await;
        let taken = taken.map_err(|refusal| anyhow::anyhow!("{}", refusal.why()))?;
        if taken.through <= through {
            return Ok(());
        }
        through = taken.through;
    }
    Ok(())
}

async fn bring_next<I: Intake>(
    desk: &Desk<I>,
    talk: &mut Talk,
    caller: &Caller,
) -> anyhow::Result<()> {
    let asked = talk
        .ask(Method::POST, RENEW_PATH, Bytes::new(), MAX_TALK_BYTES, STEP)
        .await?;
    let ask: RenewAsk = value(&asked)?;
    let next = renew::next(desk, caller, &ask).await;
    let next = next.map_err(|refusal| anyhow::anyhow!("{}", refusal.why()))?;
    let told = talk
        .tell(CERTIFICATE_PATH, &next, MAX_TALK_BYTES, STEP)
        .await?;
    good(&told)
}

fn good(reply: &Reply) -> anyhow::Result<()> {
    ensure!(reply.status.is_success(), "it answered {}", reply.status);
    Ok(())
}

fn value<T: serde::de::DeserializeOwned>(reply: &Reply) -> anyhow::Result<T> {
    good(reply)?;
    parsed(&reply.body).map_err(anyhow::Error::msg)
}
