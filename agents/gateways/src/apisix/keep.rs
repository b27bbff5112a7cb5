//! Brings the objects of ours to what is wanted.
//!
//! **Invariant:** a route never turns to where an overlay closes it before the rule says so: as long as the gateway may have
//! some of what was wanted before, both are closed.

use super::Apisix;
use super::compare::{Plan, Stored, contains, lasting, plan};
use super::objects::{Object, beyond, objects};
use crate::{Drift, GatewayError, Mode, Wanted};
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// Longest single call, and longest wait for the rule.
const EACH: Duration = Duration::from_secs(3);
const RULE: Duration = Duration::from_millis(400);

impl Apisix {
    pub(super) async fn keep(&self, wanted: &Wanted, mode: Mode) -> Result<Drift, GatewayError> {
        if !self.settings.manage {
            return Ok(Drift::default());
        }
        let objects = objects(wanted, &self.settings.besides);
        let stored = self.routes.stored(EACH).await?;
        let plan = plan(&objects, &stored, &self.state().images);
        if mode == Mode::Show {
            return Ok(plan.drift);
        }
        let before = self.state().rule();
        self.state().want(wanted);
        self.adjust(before).await?;
        let mut drift = plan.drift.clone();
        drift.failed = self.repair(&plan, &objects).await?;
        let settled = drift.failed.is_empty();
        let before = self.state().rule();
        {
            let mut state = self.state();
            state.notices = beyond(wanted, &self.settings.besides);
            state.notices.extend(drift.failed.iter().cloned());
            if settled {
                state.settled();
            }
        }
        self.adjust(before).await?;
        Ok(drift)
    }

    /// Brings the rule to what the overlay now comes to, where that is not what it came to before.
    async fn adjust(&self, before: Option<Value>) -> Result<(), GatewayError> {
        let _turn = self.turn.lock().await;
        if self.state().rule() == before {
            return Ok(());
        }
        let now = self.state().expected();
        let Some(now) = now else { return Ok(()) };
        let laid = self.lay(now, Instant::now() + RULE).await;
        laid.map(drop).map_err(|why| self.state().scrubbed(why))
    }

    /// Gives what was not brought right.
    async fn repair(&self, plan: &Plan, objects: &[Object]) -> Result<Vec<String>, GatewayError> {
        if plan.put.is_empty() && plan.delete.is_empty() {
            return Ok(Vec::new());
        }
        let failed = self.routes.carry_out(plan, EACH).await;
        let stored = self.routes.stored(EACH).await?;
        let mut state = self.state();
        let mut failed: Vec<String> = failed.into_iter().map(|why| state.scrub(why)).collect();
        for one in &plan.put {
            let key = (one.kind, one.id.clone());
            match found(&stored, one).map(|now| lasting(&now.value)) {
                Some(now) if contains(&one.value, &now) => {
                    state.images.insert(key, (one.value.clone(), now));
                }
                Some(_) | None => {
                    state.images.remove(&key);
                    let line = format!("{} {}", one.kind.one(), one.id);
                    if !failed.iter().any(|why| why.starts_with(&line)) {
                        failed.push(format!("{line}: not there as it was written"));
                    }
                }
            }
        }
        for (kind, id) in &plan.delete {
            if stored.iter().any(|one| one.kind == *kind && one.id == *id) {
                failed.push(format!("{} {id}: still there", kind.one()));
            }
        }
        let known = |kind, id: &str| objects.iter().any(|one| one.kind == kind && one.id == id);
        state.images.retain(|(kind, id), _| known(*kind, id));
        Ok(failed)
    }
}

fn found<'a>(stored: &'a [Stored], object: &Object) -> Option<&'a Stored> {
    let mut stored = stored.iter();
    stored.find(|one| one.kind == object.kind && one.id == object.id)
}
