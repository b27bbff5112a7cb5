//! Writes down what hosts report, as soon as something waits: many hosts in one transaction.

use crate::status::{Board, TaskStatus, chain};
use inventory::Inventory;
use kill_wire::Timestamp;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub(crate) const NAME: &str = "keep reports of hosts";

/// Between two writings: what comes meanwhile goes into one transaction.
const GATHER: Duration = Duration::from_millis(40);
/// After a failure.
const AGAIN: Duration = Duration::from_secs(1);

pub(crate) struct Keep {
    inventory: Inventory,
    clock: fn() -> Timestamp,
    board: Board,
    kept: u64,
}

impl Keep {
    pub(crate) fn new(inventory: Inventory, clock: fn() -> Timestamp, board: Board) -> Self {
        Self {
            inventory,
            clock,
            board,
            kept: 0,
        }
    }

    pub(crate) async fn run(mut self, stop: CancellationToken) {
        self.put(None);
        while stop
            .run_until_cancelled(self.inventory.waits())
            .await
            .is_some()
        {
            let (problem, pause) = self.write().await;
            self.put(problem);
            if stop
                .run_until_cancelled(tokio::time::sleep(pause))
                .await
                .is_none()
            {
                break;
            }
        }
        // What was taken and not answered yet; its hosts would send it again.
        self.write().await;
    }

    async fn write(&mut self) -> (Option<String>, Duration) {
        loop {
            match self.inventory.write().await {
                Ok(written) => {
                    self.kept += written.reports as u64;
                    if !written.more {
                        return (None, GATHER);
                    }
                }
                Err(error) => {
                    // Nobody else will wake this task for what waits already.
                    self.inventory.wake();
                    return (Some(chain(&error)), AGAIN);
                }
            }
        }
    }

    fn put(&self, problem: Option<String>) {
        self.board.put(TaskStatus {
            name: NAME,
            schedule: "whenever one comes",
            at: (self.clock)(),
            done: format!("{} reports kept", self.kept),
            problem,
        });
    }
}
