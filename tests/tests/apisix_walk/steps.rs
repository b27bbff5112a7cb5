//! What can happen in one step: orders, silence, changed routes, vandals, and every fault of the twin.

use crate::world::World;
use gateways::{Gateway as _, Mode};
use kill_wire::{Latch, Scope, Timestamp};
use site_tests::apisix::{EtcdState, Fault, Lags, Trouble};
use std::time::Duration;

/// What was done.
#[derive(Debug)]
pub(crate) struct Told {
    #[expect(dead_code, reason = "shown in a failure")]
    what: String,
    /// Whether the driver said that the overlay is in force.
    pub(crate) claims: bool,
}

const SCOPES: [&str; 7] = ["ALL", "LLM", "CLOUD", "TOOLS", "AGENTS", "claw", "draw"];

impl World {
    pub(crate) async fn step(&mut self) -> Told {
        let quiet = |what: String| Told {
            what,
            claims: false,
        };
        // A silent etcd makes each step take its whole limit: it is back soon.
        if self.hung && self.chance.percent(35) {
            self.twin.etcd(EtcdState::Up);
            self.hung = false;
        }
        match self.chance.below(100) {
            0..25 => self.cut().await,
            25..45 => self.restore().await,
            45..50 => self.silence().await,
            50..60 => {
                let result = self.apply().await;
                Told {
                    what: "tell again".to_owned(),
                    claims: result,
                }
            }
            60..70 => quiet(self.turn_routes().await),
            70..85 => quiet(self.trouble()),
            85..89 => quiet(self.etcd()),
            89..93 => quiet(self.lags()),
            93..96 => quiet(self.vandal()),
            96..98 => {
                self.twin.restart();
                quiet("restart".to_owned())
            }
            _ => {
                self.twin.calm();
                self.twin.etcd(EtcdState::Up);
                quiet("calm".to_owned())
            }
        }
    }

    /// Tells the newest overlay. A receipt counts where nothing written earlier may still come about.
    async fn apply(&mut self) -> bool {
        let clear = self.twin.unfinished() == 0;
        self.driver.apply(&self.overlay).await.is_ok() && clear
    }

    async fn cut(&mut self) -> Told {
        let scope: Scope = self.chance.one(&SCOPES).parse().unwrap();
        self.overlay.seq += 1;
        if self.overlay.latches.of(&scope).is_none() {
            self.incidents += 1;
            let latch = Latch {
                incident: self.incidents.try_into().unwrap(),
                scope: scope.clone(),
                since: Timestamp::from_millis(1),
            };
            self.overlay.latches.push(latch).unwrap();
        }
        let claims = self.apply().await;
        Told {
            what: format!("cut {scope}"),
            claims,
        }
    }

    async fn restore(&mut self) -> Told {
        let held: Vec<_> = self
            .overlay
            .latches
            .as_slice()
            .iter()
            .map(|one| one.incident)
            .collect();
        self.overlay.seq += 1;
        // Half of the time everything: else hardly ever nothing would be closed.
        let all = self.chance.percent(50);
        let gone = if all {
            held
        } else {
            held.into_iter().take(1).collect()
        };
        for incident in &gone {
            self.overlay.latches.release(*incident);
        }
        let claims = self.apply().await;
        Told {
            what: format!("restore {gone:?}"),
            claims,
        }
    }

    async fn silence(&mut self) -> Told {
        self.overlay.paused = if self.overlay.paused.is_empty() {
            vec![Scope::All]
        } else {
            Vec::new()
        };
        let claims = self.apply().await;
        Told {
            what: format!("paused {:?}", self.overlay.paused),
            claims,
        }
    }

    async fn turn_routes(&mut self) -> String {
        for lead in &mut self.wanted.leads {
            *lead = *self.chance.one(&[Some(0), Some(1), None]);
        }
        let kept = self.driver.reconcile(&self.wanted, Mode::Repair).await;
        format!("routes {:?}: {kept:?}", self.wanted.leads)
    }

    fn trouble(&mut self) -> String {
        let some = Duration::from_millis(self.chance.below(120));
        let trouble = match self.chance.below(20) {
            0..3 => Trouble::Status(*self.chance.one(&[401, 409, 500, 503])),
            3..6 => Trouble::DoneThenStatus(*self.chance.one(&[500, 502, 503])),
            6..9 => Trouble::Reset,
            9..13 => Trouble::DoneThenReset,
            13..15 => Trouble::Slow(some),
            15 => Trouble::Hang,
            16 => Trouble::DoneThenHang,
            _ => Trouble::DoneLate(some * 4),
        };
        let mut fault = Fault::new(trouble);
        if self.chance.percent(70) {
            fault = fault.method("write");
        }
        if self.chance.percent(50) {
            fault = fault.path("/apisix/admin/global_rules");
        }
        fault = fault.after(u32::try_from(self.chance.below(3)).unwrap());
        fault = if self.chance.percent(85) {
            fault.times(1 + u32::try_from(self.chance.below(3)).unwrap())
        } else {
            fault.lasting(Duration::from_millis(150))
        };
        let what = format!("{fault:?}");
        self.twin.fault(fault);
        what
    }

    fn etcd(&mut self) -> String {
        let state = *self.chance.one(&[
            EtcdState::Hung,
            EtcdState::Stale,
            EtcdState::Up,
            EtcdState::Up,
        ]);
        self.twin.etcd(state);
        self.hung = state == EtcdState::Hung;
        format!("etcd {state:?}")
    }

    fn lags(&mut self) -> String {
        let mut some = |most: u64| Duration::from_millis(self.chance.below(most));
        let lags = Lags {
            set: some(60),
            delete: some(200),
            spread: some(700),
        };
        let lags = if self.chance.percent(50) {
            Lags::none()
        } else {
            lags
        };
        self.twin.lags(lags);
        format!("{lags:?}")
    }

    /// Somebody else changes what is ours.
    fn vandal(&mut self) -> String {
        let path = *self.chance.one(&[
            "global_rules/portcullis-cut",
            "routes/portcullis-chat",
            "consumers/portcullis_paw",
        ]);
        format!("somebody takes {path} away: {}", self.twin.remove(path))
    }
}
