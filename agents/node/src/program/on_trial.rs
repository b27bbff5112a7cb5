//! A new agent has to show that it works: that an order of the kill switch reaches it. One that does not in time ends, so that
//! the unit starts it anew; after a few starts the one of before is put back.

use anyhow::bail;
use node_agent::NodeAgent;
use std::path::Path;
use std::time::Duration;
use uplink::trial::Place;

/// Orders come every ten seconds, and at once to an agent that is back.
const WITHIN: Duration = Duration::from_secs(120);
const EVERY: Duration = Duration::from_secs(1);

/// Where the agent of this state says that it works.
pub(super) fn place(program: &Path, state: &Path) -> Place {
    Place {
        program: program.to_owned(),
        proven: state.join("proven"),
    }
}

/// This very program, while it is on trial.
pub(super) fn own(state: &Path) -> Option<(Place, String)> {
    let place = place(&std::env::current_exe().ok()?, state);
    let hash = place.on_trial().ok().flatten()?;
    Some((place, hash))
}

/// Goes on until it is dropped, or until an agent on trial was not seen to work in time. Where nobody orders, an agent
/// that has run for as long as that works.
pub(super) async fn watch(
    trial: Option<(Place, String)>,
    agent: &NodeAgent,
    ordered: bool,
) -> anyhow::Result<()> {
    let Some((place, hash)) = trial else {
        return std::future::pending().await;
    };
    tracing::info!(limit = ?WITHIN, "This agent is new, and has to show that it works.");
    let rounds = WITHIN.as_secs() / EVERY.as_secs();
    for _ in 0..rounds {
        tokio::time::sleep(EVERY).await;
        if agent.hears() {
            return proven(&place, &hash).await;
        }
    }
    if ordered {
        bail!("no order of a kill switch reached this new agent within {WITHIN:?}; it makes way");
    }
    proven(&place, &hash).await
}

async fn proven(place: &Place, hash: &str) -> anyhow::Result<()> {
    match place.prove(hash) {
        Ok(()) => tracing::info!("This agent works; it stays."),
        // It is then started anew and shows it again.
        Err(error) => tracing::error!(%error, "That this agent works cannot be written down."),
    }
    std::future::pending().await
}
