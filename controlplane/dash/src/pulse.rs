//! Whether a press of the red button would work now: the kill switch is asked itself, past the database and past everything
//! else that looks at the house. However many pages ask, it is asked once a second.

use crate::lever::ask;
use crate::site::Site;
use kill_wire::{IncidentRecord, LeverReply, LeverRequest, StateReport, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How long an answer counts as new, in milliseconds.
const FRESH_MS: u64 = 900;

/// How long one question may take.
const LIMIT: Duration = Duration::from_millis(900);

/// Incidents that are asked for along with it.
const INCIDENTS: u32 = 8;

/// What the kill switch said last.
#[derive(Debug)]
pub(crate) struct Pulse {
    at: Timestamp,
    /// Its state and its newest incidents, or why it did not answer.
    pub(crate) said: Result<(StateReport, Vec<IncidentRecord>), String>,
}

/// The newest pulse, shared by all who ask.
#[derive(Debug, Default)]
pub(crate) struct Newest(Mutex<Option<Arc<Pulse>>>);

impl Site {
    /// Asks the kill switch, or takes what it said within the last second.
    pub(crate) async fn pulse(&self) -> Arc<Pulse> {
        let mut newest = self.newest.0.lock().await;
        let now = self.now();
        if let Some(pulse) = newest.as_ref()
            && pulse.at <= now
            && now.since(pulse.at) < FRESH_MS
        {
            return Arc::clone(pulse);
        }
        let said = self.ask_killswitch().await;
        let at = self.now();
        let pulse = Arc::new(Pulse { at, said });
        *newest = Some(Arc::clone(&pulse));
        pulse
    }

    async fn ask_killswitch(&self) -> Result<(StateReport, Vec<IncidentRecord>), String> {
        const OTHER: &str = "the kill switch answered something that was not asked for";
        let state = match ask(self, LeverRequest::State, LIMIT).await {
            Ok(LeverReply::State(state)) => *state,
            Ok(_) => return Err(OTHER.to_owned()),
            Err(error) => return Err(error.message),
        };
        let limit = INCIDENTS;
        match ask(self, LeverRequest::Incidents { limit }, LIMIT).await {
            Ok(LeverReply::Incidents { incidents }) => Ok((state, incidents)),
            Ok(_) => Err(OTHER.to_owned()),
            Err(error) => Err(error.message),
        }
    }
}
