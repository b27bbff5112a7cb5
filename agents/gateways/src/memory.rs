//! A gateway that is only memory: the twin of the real ones. It can be told to fail, to lag and to restart.

use crate::{Gateway, GatewayError, Severed};
use kill_wire::ProbePoint;
use net_model::{Observed, Overlay};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The twin. Clones are handles on the same gateway, so that a test can look while an agent drives it.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    boot: u64,
    overlay: Option<Overlay>,
    open: Vec<ProbePoint>,
    failing: bool,
    lag: Duration,
    goes_on: bool,
    applied: u64,
}

impl Memory {
    /// Opens an exchange on this way through the gateway.
    ///
    /// # Errors
    /// As a request would be refused: before the first overlay, or when the one in force closes it.
    pub fn open(&self, way: ProbePoint) -> Result<(), GatewayError> {
        let mut state = self.state();
        match &state.overlay {
            None => Err(GatewayError::Refused("no overlay yet".into())),
            Some(overlay) if overlay.overrules(&way.subject()).is_some() => {
                Err(GatewayError::Refused("closed".into()))
            }
            Some(_) => {
                state.open.push(way);
                Ok(())
            }
        }
    }

    /// From now on every call fails, or works again.
    pub fn fail(&self, failing: bool) {
        self.state().failing = failing;
    }

    /// From now on every call takes this long.
    pub fn lag(&self, lag: Duration) {
        self.state().lag = lag;
    }

    /// From now on an overlay ends nothing that is open, as at a gateway that goes on with what it has begun.
    pub fn go_on(&self, goes_on: bool) {
        self.state().goes_on = goes_on;
    }

    /// Comes back as a new process: no overlay, nothing open.
    pub fn restart(&self) {
        let mut state = self.state();
        state.boot += 1;
        state.overlay = None;
        state.open.clear();
    }

    /// The overlay in force; `None` before the first.
    #[must_use]
    pub fn overlay(&self) -> Option<Overlay> {
        self.state().overlay.clone()
    }

    /// How often an overlay was put in force.
    #[must_use]
    pub fn applied(&self) -> u64 {
        self.state().applied
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn reached(&self) -> Result<(), GatewayError> {
        let (failing, lag) = {
            let state = self.state();
            (state.failing, state.lag)
        };
        tokio::time::sleep(lag).await;
        if failing {
            let told = std::io::Error::other("told to fail");
            return Err(GatewayError::Unreachable(told));
        }
        Ok(())
    }
}

impl Gateway for Memory {
    async fn observe(&self) -> Result<Observed, GatewayError> {
        self.reached().await?;
        let state = self.state();
        Ok(Observed {
            boot: format!("memory-{}", state.boot),
            seq: state.overlay.as_ref().map(|overlay| overlay.seq),
            paused: state
                .overlay
                .as_ref()
                .map(|overlay| overlay.paused.clone())
                .unwrap_or_default(),
            held: state
                .overlay
                .as_ref()
                .map(|overlay| overlay.held.clone())
                .unwrap_or_default(),
            open: u32::try_from(state.open.len()).unwrap_or(u32::MAX),
            ..Observed::default()
        })
    }

    async fn apply(&self, overlay: &Overlay) -> Result<Severed, GatewayError> {
        self.reached().await?;
        let mut state = self.state();
        if let Some(force) = &state.overlay
            && overlay.seq < force.seq
        {
            let said = format!(
                "overlay {} is older than {} in force",
                overlay.seq, force.seq
            );
            return Err(GatewayError::Refused(said));
        }
        let before = state.open.len();
        let closed = |way: &ProbePoint| overlay.overrules(&way.subject()).is_some();
        let goes_on = state.goes_on && state.open.iter().any(closed);
        if !goes_on {
            state.open.retain(|way| !closed(way));
        }
        let severed = u32::try_from(before - state.open.len()).unwrap_or(u32::MAX);
        state.overlay = Some(overlay.clone());
        state.applied += 1;
        Ok(Severed {
            severed,
            lingering: 0,
            goes_on: goes_on.then(|| "told to go on".to_owned()),
        })
    }
}
