//! Puts an overlay in force: one write, read back, proven at the data port; then what is open ends.
//!
//! **Invariant:** a write nobody saw the end of may still come about. One that opens is sent only to a gateway that has
//! just answered, and where its end is not seen the cut is written again before the restore is called refused.

use super::Apisix;
use super::admin::NotDone;
use super::names::CUT;
use super::state::Expected;
use super::store::Rule;
use crate::{GatewayError, Severed};
use net_model::Overlay;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// Until the rule must have been read back, and until the gateway must have followed. Ending streams comes after it;
/// all of it stays within [`crate::LIMIT`].
const LAID: Duration = Duration::from_millis(400);
const PROVEN: Duration = Duration::from_millis(490);
/// Longest single write and read; they take a tenth of it.
const WRITE: Duration = Duration::from_millis(200);
const READ: Duration = Duration::from_millis(120);

impl Apisix {
    pub(super) async fn force(&self, overlay: &Overlay) -> Result<Severed, GatewayError> {
        let began = Instant::now();
        self.hear(overlay)?;
        let _turn = self.turn.lock().await;
        let Some(now) = self.state().expected() else {
            return Ok(Severed::default());
        };
        let laid = self.lay(now, began + LAID).await;
        let now = laid.map_err(|why| self.state().scrubbed(why))?;
        self.followed(&now, began + PROVEN).await?;
        self.state().followed = Some(now.rule.clone());
        Ok(self.streams.end(&now.closing).await)
    }

    /// Remembers it first: whatever becomes of this call, a look compares with the newest word.
    fn hear(&self, overlay: &Overlay) -> Result<(), GatewayError> {
        let mut state = self.state();
        if let Some(told) = state.told()
            && overlay.seq < told.seq
        {
            let said = format!("overlay {} is older than {}", overlay.seq, told.seq);
            return Err(GatewayError::Refused(said));
        }
        state.tell(overlay);
        Ok(())
    }

    /// Makes the rule in the gateway what it must be; gives what stands there then. Whoever calls this holds the turn.
    pub(super) async fn lay(
        &self,
        now: Expected,
        until: Instant,
    ) -> Result<Expected, GatewayError> {
        // Only what stood once is looked at first: a cut that is new waits for no reading.
        let stood = self.state().stood().is_some();
        let now = match stood && self.is_gone(&now, until).await {
            true => self.marked_anew(now),
            false => now,
        };
        self.state().followed = None;
        let now = if now.shut.all {
            self.close(now, until).await?
        } else {
            self.narrow(now, until).await?
        };
        let rule = now.rule.clone();
        self.state().laid = rule.map(|rule| (rule, now.shut.clone()));
        Ok(now)
    }

    /// Whether it was read that something else stands there.
    async fn is_gone(&self, now: &Expected, until: Instant) -> bool {
        let there = self.ours(until).await;
        there.is_ok_and(|there| !is(there.as_ref(), now))
    }

    /// The same rule with another mark, unless another is wanted meanwhile: somebody took it away or changed it.
    fn marked_anew(&self, now: Expected) -> Expected {
        let mut state = self.state();
        if state.rule() != now.rule {
            return now;
        }
        state.disturbed();
        state.expected().unwrap_or(now)
    }

    /// Reads first: only where something stands that this takes away does it open anything, and a gateway that cannot
    /// be read is not told to open.
    async fn narrow(&self, now: Expected, until: Instant) -> Result<Expected, GatewayError> {
        let there = self.ours(until).await?;
        if is(there.as_ref(), &now) {
            return Ok(now);
        }
        let Some(there) = there else {
            return self.close(now, until).await;
        };
        let wider = self.state().laid.as_ref().is_some_and(|(rule, shut)| {
            rule.get("plugins") == Some(&there.plugins) && now.shut.covers(shut)
        });
        if wider {
            self.close(now, until).await
        } else {
            self.open(&now, &there, until).await.map(|()| now)
        }
    }

    /// Nothing is opened by this: it may be said twice, and left in doubt.
    async fn close(&self, mut now: Expected, until: Instant) -> Result<Expected, GatewayError> {
        let mut doubt = self.orders.cut(now.rule.as_ref(), left(until, WRITE)).await;
        if let Err(NotDone::Refused(why)) = doubt {
            return Err(why);
        }
        loop {
            let there = self.ours(until).await;
            if there.as_ref().is_ok_and(|rule| is(rule.as_ref(), &now)) {
                return Ok(now);
            }
            if there.is_ok() && doubt.is_ok() {
                now = self.marked_anew(now);
            }
            if Instant::now() >= until {
                return Err(match doubt {
                    Err(NotDone::Unknown(why) | NotDone::Refused(why)) => why,
                    Ok(()) => GatewayError::Garbled(
                        "the rule was taken, and cannot be read back".to_owned(),
                    ),
                });
            }
            doubt = self.orders.cut(now.rule.as_ref(), left(until, WRITE)).await;
        }
    }

    /// Takes away or changes the rule that is there; or puts it back.
    async fn open(&self, now: &Expected, there: &Rule, until: Instant) -> Result<(), GatewayError> {
        let written = self.orders.cut(now.rule.as_ref(), left(until, WRITE)).await;
        if let Err(NotDone::Refused(why)) = written {
            return Err(why);
        }
        if self
            .ours(until)
            .await
            .is_ok_and(|rule| is(rule.as_ref(), now))
        {
            return Ok(());
        }
        // Where this overlay also closes something, what was there before is not enough.
        let fence = match now.shut.is_nothing() {
            true => json!({ "id": CUT, "plugins": there.plugins }),
            false => now.all.clone(),
        };
        let again = self.orders.cut(Some(&fence), WRITE).await;
        let seen = self.ours(Instant::now() + READ).await;
        let stands = again.is_ok()
            && seen.is_ok_and(|rule| {
                rule.is_some_and(|rule| Some(&rule.plugins) == fence.get("plugins"))
            });
        let end = if stands {
            "the cut was written again and stands"
        } else {
            "the cut was written again, and whether it stands is not known"
        };
        Err(GatewayError::Refused(format!(
            "the restore was not confirmed: {end}"
        )))
    }

    /// Our rule, as it stands in the gateway.
    async fn ours(&self, until: Instant) -> Result<Option<Rule>, GatewayError> {
        let (rules, _) = self.orders.rules(left(until, READ)).await?;
        Ok(rules.into_iter().find(|rule| rule.id == CUT))
    }
}

/// Whether what stands there is what must.
pub(super) fn is(there: Option<&Rule>, now: &Expected) -> bool {
    let wanted = now.rule.as_ref().and_then(|rule| rule.get("plugins"));
    wanted == there.map(|rule: &Rule| -> &Value { &rule.plugins })
}

/// So long at most; a moment always.
fn left(until: Instant, most: Duration) -> Duration {
    const MOMENT: Duration = Duration::from_millis(20);
    most.min(until.saturating_duration_since(Instant::now()))
        .max(MOMENT)
}
