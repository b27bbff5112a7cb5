//! What an order does: the way of a cut, from signed bytes to the overlay that closes.

use crate::issuer::Held;
use crate::{AgentCore, Release, Step, Verdict, closing};
use kill_wire::{Order, Refusal};
use std::time::Duration;

impl AgentCore {
    /// Reads an order of any kill switch of this house.
    ///
    /// # Errors
    /// When nothing follows from it: not signed by this house, not newer, or late without closing more.
    pub fn on_order(&mut self, bytes: &[u8], up: Duration) -> Result<Verdict, Refusal> {
        let mut keys = self.issuers.iter_mut().enumerate();
        let opened = keys.find_map(|(at, it)| Some((at, Order::open(bytes, &it.key).ok()?, it)));
        let (at, order, issuer) = opened.ok_or(Refusal::Unsigned)?;
        if order.seq <= issuer.read {
            let current = issuer.read;
            return Err(Refusal::Stale { current });
        }
        issuer.read = order.seq;
        let doubtful = issuer.held.doubtful;
        let Some(given) = self.challenges.answered(&order.grant.answers, up) else {
            // Late word that something was cut still closes it. It releases nothing and permits nothing.
            let step = self.close(at, &order.into()).ok_or(Refusal::Unanswered)?;
            return Ok(Verdict::closed(at, Some(step)));
        };
        let release = Release::new(at, given, order);
        if doubtful || self.would_open(&release) {
            return Ok(Verdict {
                step: self.close(at, &release.held),
                release: Some(release),
                issuer: at,
            });
        }
        let step = self.accept(release);
        Ok(Verdict::closed(at, Some(step)))
    }

    /// Closes what this closes more.
    pub(crate) fn close(&mut self, at: usize, more: &Held) -> Option<Step> {
        let closes = self.issuers.get_mut(at)?.held.add(more);
        closes.then(|| {
            self.lay();
            self.step(true)
        })
    }

    pub(crate) fn accept(&mut self, order: Release) -> Step {
        if let Some(issuer) = self.issuers.get_mut(order.issuer) {
            issuer.lease = issuer.lease.renewed(order.given, &order.grant);
            issuer.held = order.held;
        }
        self.lay();
        self.step(true)
    }

    /// Whether it opens anything that is closed by a latch now.
    fn would_open(&mut self, release: &Release) -> bool {
        let now = closing::in_force(&self.issuers);
        let before = self.swap(release.issuer, release.held.clone());
        let then = closing::in_force(&self.issuers);
        self.swap(release.issuer, before);
        closing::releases(&now, &then)
    }

    fn swap(&mut self, at: usize, held: Held) -> Held {
        let place = self.issuers.get_mut(at).map(|issuer| &mut issuer.held);
        place.map_or_else(Held::default, |place| std::mem::replace(place, held))
    }

    pub(crate) fn step(&self, save: bool) -> Step {
        let overlay = self.overlay.clone();
        Step { overlay, save }
    }
}
