//! Brings what LiteLLM blocks to what is closed, and knows what of it is ours.
//!
//! **Invariant:** what we may have blocked is ours until it was seen open; what is not ours is never unblocked. A call that
//! was not answered may still come about: until a minute has passed, what it was about is told again.

use super::api::What;
use super::held::Held;
use super::{CutBy, LIMIT, Litellm, cannot};
use crate::{Closing, GatewayError};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// For how long what was not answered may still come about.
const UNSURE: Duration = Duration::from_secs(60);

impl Litellm {
    /// Blocks what is closed and unblocks what we blocked and is not any more. Gives whether it changed anything.
    pub(super) async fn block(&self, held: &Held, closing: &Closing) -> Result<bool, GatewayError> {
        let by = self.settings.cut_by;
        if !held.database {
            return if closing.is_empty() {
                Ok(false)
            } else {
                Err(cannot())
            };
        }
        self.settle(held, closing);
        let (wanted, now) = (held.blocks(closing, by), held.blocked(by));
        let unsure = self.unsure();
        let open = |id: &&String| !now.contains(*id) || unsure.contains(*id);
        let close: Vec<&String> = wanted.ids.iter().filter(open).collect();
        if !close.is_empty() {
            // Before it is asked: what may have been carried out is ours as well.
            let others = |id: &&String| !now.contains(*id);
            self.ours
                .add(self.what(), close.iter().copied().filter(others));
            self.state().blocked = Some(Instant::now());
            self.set(self.what(), &close, true).await?;
        }
        let mut changed = !close.is_empty();
        // What was blocked by another setting of `cut_by` goes as well, once this one holds.
        for (what, now) in [
            (What::Key, held.blocked(CutBy::Keys)),
            (What::Model, held.blocked(CutBy::Models)),
        ] {
            let ours = self.ours.get(what);
            let still = |id: &&String| what == self.what() && wanted.ids.contains(*id);
            let open = ours.iter().filter(|id| !still(id) && now.contains(*id));
            let open: Vec<&String> = open.collect();
            if !open.is_empty() {
                changed = true;
                self.set(what, &open, false).await?;
            }
        }
        if wanted.cannot.is_empty() {
            return Ok(changed);
        }
        let names = wanted.cannot.join(", ");
        Err(GatewayError::Refused(format!(
            "these models stand in its own file and cannot be blocked: {names}"
        )))
    }

    async fn set(&self, what: What, ids: &[&String], blocked: bool) -> Result<(), GatewayError> {
        let now = Instant::now();
        let sure: Vec<&String> = {
            // Before it is asked, since whoever waits may give up at any moment.
            let mut state = self.state();
            state.looked = None;
            let sure = ids.iter().copied();
            let sure = sure.filter(|id| !state.unsure.contains_key(*id)).collect();
            let asked = ids.iter().map(|&id| (id.clone(), now));
            state.unsure.extend(asked);
            sure
        };
        let done = self.api()?.set(what, ids, blocked, LIMIT).await;
        let mut state = self.state();
        state.looked = None;
        if done.is_ok() {
            state.unsure.retain(|id, _| !sure.contains(&id));
        }
        done
    }

    /// What may still come to be blocked or unblocked.
    fn unsure(&self) -> BTreeSet<String> {
        let mut state = self.state();
        state.unsure.retain(|_, since| since.elapsed() < UNSURE);
        state.unsure.keys().cloned().collect()
    }

    /// What is not blocked any more, and is not to be, is not ours any more.
    pub(super) fn settle(&self, held: &Held, closing: &Closing) {
        let (unsure, wanted) = (
            self.unsure(),
            held.blocks(closing, self.settings.cut_by).ids,
        );
        for (what, now) in [
            (What::Key, held.blocked(CutBy::Keys)),
            (What::Model, held.blocked(CutBy::Models)),
        ] {
            let ours = self.ours.get(what);
            let gone =
                |id: &&String| !now.contains(*id) && !wanted.contains(*id) && !unsure.contains(*id);
            let gone: Vec<&String> = ours.iter().filter(gone).collect();
            self.ours.remove(what, &gone);
        }
    }
}
