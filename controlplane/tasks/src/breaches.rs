//! Has a zone cut whose hosts reached what they must never reach, where the zone's owner chose so.
//!
//! The kill switch is asked until it has cut. **A breach may cut, never restore**, and only the zone of the host that says so.

use crate::status::{Board, TaskStatus, chain};
use crate::wake::Wake;
use inventory::{Breach, Inventory};
use kill_wire::{LeverReply, LeverRequest, Scope, Timestamp};
use killctl::Lever;
use net_model::cause;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub(crate) const NAME: &str = "cut breached zones";

/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(200);
/// How long the kill switch may take for a cut and its proof.
const LIMIT: Duration = Duration::from_secs(15);
/// Who asks, as the journal shows it.
const BY: &str = "isolation canary";

pub(crate) struct Breaches {
    inventory: Inventory,
    lever: Lever,
    clock: fn() -> Timestamp,
    board: Board,
    cut: u64,
}

impl Breaches {
    pub(crate) fn new(
        inventory: Inventory,
        lever: Lever,
        clock: fn() -> Timestamp,
        board: Board,
    ) -> Self {
        Self {
            inventory,
            lever,
            clock,
            board,
            cut: 0,
        }
    }

    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut wake = Wake::every(EVERY, &stop);
        while wake.comes().await {
            let mut problem = None;
            for breach in self.inventory.breaches() {
                problem = self.cut(breach).await.err().or(problem);
            }
            self.board.put(TaskStatus {
                name: NAME,
                schedule: "twice a second",
                at: (self.clock)(),
                done: format!("{} cut", self.cut),
                problem,
            });
        }
    }

    async fn cut(&mut self, breach: Breach) -> Result<(), String> {
        let lever = self.lever.clone();
        let ask = LeverRequest::Cut {
            scope: Scope::Named(breach.zone.name().clone()),
            by: BY.to_owned(),
            why: cause(&breach.why),
        };
        let asked = tokio::task::spawn_blocking(move || lever.ask(&ask, LIMIT));
        let Breach { zone, why, .. } = breach;
        match asked.await.map_err(|error| chain(&error))? {
            Ok(LeverReply::Cut(report)) => {
                tracing::warn!(%zone, incident = %report.incident, why, "A zone was cut: its isolation does not hold.");
                self.inventory.breach_cut(&zone);
                self.cut += 1;
                Ok(())
            }
            Ok(_) => Err("the kill switch answered something that was not asked for".to_owned()),
            Err(error) => Err(format!("zone {zone} is not cut ({why}): {error}")),
        }
    }
}
