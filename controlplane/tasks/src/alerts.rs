//! Looks what is wrong with hosts, and has people told, by the kill switch's own channels.
//!
//! The kill switch bounds how many texts it passes on in a day; nothing it does for a cut waits for one.

use crate::settings::Settings;
use crate::status::{Board, TaskStatus, chain};
use crate::wake::Wake;
use inventory::{Expected, Inventory};
use kill_wire::{LeverReply, LeverRequest, Scope, Timestamp};
use killctl::Lever;
use net_model::{AlertView, Snapshot};
use std::sync::Arc;
use std::time::Duration;
use store::{HostState, Store};
use tokio::sync::watch as channel;
use tokio_util::sync::CancellationToken;

pub(crate) const NAME: &str = "look for alerts";

const EVERY: Duration = Duration::from_secs(5);
/// How long the kill switch may take to take a text.
const LIMIT: Duration = Duration::from_secs(5);
/// Looks between two attempts to tell, after one failed.
const WAIT: u32 = 60;
/// Alerts that one text names.
const NAMED: usize = 3;
/// Who says it.
const BY: &str = "the control plane";

pub(crate) struct Alerts {
    inventory: Inventory,
    store: Store,
    lever: Lever,
    snapshots: channel::Receiver<Arc<Snapshot>>,
    clock: fn() -> Timestamp,
    board: Board,
    texts: u64,
    /// Looks until telling is tried again.
    wait: u32,
    not_told: Option<String>,
}

impl Alerts {
    pub(crate) fn new<F>(
        settings: &Settings<F>,
        snapshots: channel::Receiver<Arc<Snapshot>>,
        board: Board,
    ) -> Self {
        Self {
            inventory: settings.inventory.clone(),
            store: settings.store.clone(),
            lever: settings.lever.clone(),
            snapshots,
            clock: settings.clock,
            board,
            texts: 0,
            wait: 0,
            not_told: None,
        }
    }

    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut wake = Wake::every(EVERY, &stop);
        while wake.comes().await {
            let (firing, problem) = self.look().await;
            self.board.put(TaskStatus {
                name: NAME,
                schedule: "each 5 seconds",
                at: (self.clock)(),
                done: format!("{firing} fire, {} texts sent", self.texts),
                problem: problem.or_else(|| self.not_told.clone()),
            });
        }
    }

    async fn look(&mut self) -> (usize, Option<String>) {
        let now = (self.clock)();
        let expected = match self.store.hosts().await {
            Ok(hosts) => hosts
                .into_iter()
                .filter(|host| host.state == HostState::Joined),
            Err(error) => return (0, Some(chain(&error))),
        };
        let expected: Vec<Expected> = expected
            .map(|host| Expected {
                joined: host.joined.unwrap_or(now),
                certificate_ends: host.certificate.map(|certificate| certificate.not_after),
                host: host.name,
            })
            .collect();
        let due = self.inventory.look(&expected, self.models_are_cut(), now);
        self.wait = self.wait.saturating_sub(1);
        if !due.is_empty() && self.wait == 0 {
            self.tell(&due, now).await;
        }
        match self.inventory.keep_alerts().await {
            Ok(firing) => (firing, None),
            Err(error) => (0, Some(chain(&error))),
        }
    }

    fn models_are_cut(&self) -> bool {
        let snapshot = self.snapshots.borrow();
        snapshot.killswitch.as_ref().is_ok_and(|state| {
            let latches = state.latches.as_slice().iter();
            latches
                .map(|latch| &latch.scope)
                .any(|scope| matches!(scope, Scope::All | Scope::Llm))
        })
    }

    /// A text that nobody could get is not counted as told: the alert stays due.
    async fn tell(&mut self, due: &[AlertView], now: Timestamp) {
        let (lever, text) = (self.lever.clone(), text(due));
        let by = BY.to_owned();
        let asked =
            tokio::task::spawn_blocking(move || lever.ask(&LeverRequest::Tell { by, text }, LIMIT));
        self.not_told = match asked.await {
            Ok(Ok(LeverReply::Told { people: 0 })) => Some(
                "nobody has written by a channel that answers, so nobody can be told".to_owned(),
            ),
            Ok(Ok(LeverReply::Told { .. })) => {
                let ids: Vec<u64> = due.iter().map(|alert| alert.id).collect();
                self.inventory.told(&ids, now);
                self.texts += 1;
                None
            }
            Ok(Ok(_)) => {
                Some("the kill switch answered something that was not asked for".to_owned())
            }
            Ok(Err(error)) => Some(format!("alerts cannot be told: {error}")),
            Err(error) => Some(chain(&error)),
        };
        if self.not_told.is_some() {
            self.wait = WAIT;
        }
    }
}

/// All of it in one text: the first few by name.
fn text(due: &[AlertView]) -> String {
    let one = |alert: &AlertView| match &alert.host {
        Some(host) => format!("host {host}: {}", alert.text),
        None => alert.text.clone(),
    };
    let mut text = due
        .iter()
        .take(NAMED)
        .map(one)
        .collect::<Vec<_>>()
        .join("; ");
    if due.len() > NAMED {
        // Where it stands even when the rest is cut short.
        text.insert_str(0, &format!("{} alerts. ", due.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_alerts_are_one_text_that_says_how_many() {
        let alert = |id| AlertView {
            id,
            rule: "disk".to_owned(),
            host: Some("nas".parse().unwrap()),
            subject: String::new(),
            text: "/ is 95 % full".to_owned(),
            since: Timestamp::default(),
            ended: None,
            quiet: false,
            told: None,
        };
        assert_eq!(text(&[alert(1)]), "host nas: / is 95 % full");
        let many: Vec<_> = (0..9).map(alert).collect();
        assert!(text(&many).starts_with("9 alerts. host nas:"));
    }
}
