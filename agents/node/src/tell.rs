//! Tells the gateways what is in force.

use crate::fencing;
use crate::hand::{Hand, Reach};
use crate::receipt::Told;
use gateways::{Gateway as _, LIMIT};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Puts the overlay in force at the fence and at every gateway at once.
pub(crate) async fn tell_all(hand: &Arc<Hand>) -> Told {
    let mut calls = JoinSet::new();
    let fenced = Arc::clone(hand);
    calls.spawn(async move { fencing::tell(&fenced).await });
    for reach in &hand.reaches {
        let (hand, reach) = (Arc::clone(hand), Arc::clone(reach));
        calls.spawn(async move { tell(&hand, &reach).await });
    }
    // Nobody who hears this is waited for: it wakes what runs beside the hand, on another thread.
    hand.changed.notify_waiters();
    let mut told = Told::default();
    while let Some(call) = calls.join_next().await {
        told.add(call.unwrap_or_else(|panic| Told::failed(panic.to_string())));
    }
    told
}

/// Tells one gateway what is in force now.
pub(crate) async fn tell(hand: &Hand, reach: &Reach) -> Told {
    let call = async {
        let _turn = reach.turn.lock().await;
        let overlay = hand.core().overlay().clone();
        reach.driver.apply(&overlay).await
    };
    match tokio::time::timeout(LIMIT, call).await {
        Ok(Ok(cut)) => Told::of(&reach.name, cut),
        Ok(Err(error)) => Told::failed(format!("{}: {error}", reach.name)),
        Err(_) => Told::failed(format!("{}: did not answer within {LIMIT:?}", reach.name)),
    }
}
