//! One look at the host after another, each a report.
//!
//! **Invariant:** a look takes at most [`WAIT_MS`] beside what the kernel tells without waiting. Who has not answered by
//! then stands among what is unknown.

mod machine;
mod network;
mod services;

use crate::clock::{own_cpu_ns, passing_ms};
use crate::settings::Settings;
use crate::texts::text;
use host_core::fit::fitted;
use host_core::kernel;
use machine::Machine;
use net_model::CanaryFact;
use net_model::report::{
    AgentFacts, BootId, DrivenFact, Facts, FenceFacts, Few, MeshFacts, Printable, Report, Unknown,
    Version,
};
use services::Services;

/// How long all that may hang is waited for together, in milliseconds.
const WAIT_MS: u64 = 2000;
/// What changes seldom is looked at with each of so many reports.
const SELDOM: u64 = 6;

/// What other parts of the agent know.
#[derive(Clone, Debug, Default)]
pub struct Besides {
    /// What the host's hand holds closed.
    pub fence: Option<FenceFacts>,
    /// Gateways that are not ours and that the host's hand drives.
    pub driven: Few<DrivenFact>,
    /// What was tried to reach.
    pub canary: Few<CanaryFact>,
    /// Where the host stands on the mesh.
    pub mesh: Option<MeshFacts>,
    /// Reports that wait to be taken.
    pub waiting: u64,
}

/// Looks at the host. Its calls block; they belong on a thread of their own.
#[derive(Debug)]
pub struct Watcher {
    boot: BootId,
    version: Printable,
    looks: u64,
    machine: Machine,
    services: Services,
    seldom: Facts,
    own: (u64, u64),
}

impl Watcher {
    /// A watcher of this host; `version` is the agent's.
    #[must_use]
    pub fn new(settings: Settings, version: &str) -> Self {
        let boot = text("/proc/sys/kernel/random/boot_id");
        Self {
            boot: boot
                .and_then(|text| kernel::boot_id(&text))
                .unwrap_or(BootId::new(0)),
            version: Printable::clipped(version),
            looks: 0,
            machine: Machine::new(settings.nvidia_smi.clone()),
            services: Services::new(settings),
            seldom: Facts::default(),
            own: (passing_ms(), own_cpu_ns()),
        }
    }

    /// Looks once. `at_ms` is the wall clock, in milliseconds since 1970-01-01T00:00:00Z.
    pub fn look(&mut self, seq: u64, at_ms: u64, besides: Besides) -> Report {
        let seldom = self.looks.is_multiple_of(SELDOM);
        self.looks = self.looks.wrapping_add(1);
        self.machine.ask(seldom);
        self.services.ask(seldom);
        let until = passing_ms().saturating_add(WAIT_MS);
        let mut unknown = Vec::new();
        if seldom {
            self.seldom = Facts::default();
            network::seldom(&mut self.seldom, &mut unknown);
            machine::kernel(&mut self.seldom);
        }
        let mut facts = Facts {
            kernel: self.seldom.kernel.clone(),
            listeners: self.seldom.listeners.clone(),
            routes: self.seldom.routes.clone(),
            nets: network::nets(),
            fence: besides.fence,
            driven: besides.driven,
            canary: besides.canary,
            mesh: besides.mesh,
            ..Facts::default()
        };
        self.machine.answers(&mut facts, &mut unknown, until);
        self.services.answers(&mut facts, &mut unknown, until);
        facts.agent = Some(self.own(besides.waiting));
        facts.unknown = Few::first_of(unknown).0;
        let up = text("/proc/uptime").and_then(|text| kernel::uptime_ms(&text));
        fitted(Report {
            v: Version::default(),
            seq,
            boot: self.boot,
            up_ms: up.unwrap_or(0),
            at_ms,
            gap: 0,
            facts,
        })
    }

    fn own(&mut self, waiting: u64) -> AgentFacts {
        let now = (passing_ms(), own_cpu_ns());
        // Right after the start there is hardly any time to take a part of.
        let wall_ms = now.0.saturating_sub(self.own.0).max(1000);
        let wall_ns = wall_ms.saturating_mul(1_000_000);
        let used_ns = now.1.saturating_sub(self.own.1);
        self.own = now;
        let ppm = u128::from(used_ns) * 1_000_000 / u128::from(wall_ns);
        let rss = text("/proc/self/status").and_then(|text| kernel::resident_bytes(&text));
        AgentFacts {
            version: self.version.clone(),
            rss_bytes: rss.unwrap_or(0),
            cpu_ppm: u32::try_from(ppm).unwrap_or(u32::MAX),
            waiting,
        }
    }
}

/// What did not answer.
fn silent(what: &str) -> Unknown {
    Unknown {
        what: Printable::clipped(what),
        why: Printable::clipped("did not answer in time"),
    }
}

/// What could not be read.
fn unread(what: &str) -> Unknown {
    Unknown {
        what: Printable::clipped(what),
        why: Printable::clipped("could not be read"),
    }
}

/// The first of a list; what finds no place stands among what is unknown.
fn few<T>(what: &str, all: Vec<T>, unknown: &mut Vec<Unknown>) -> Few<T> {
    let (kept, besides) = Few::first_of(all);
    if besides > 0 {
        unknown.push(Unknown {
            what: Printable::clipped(what),
            why: Printable::clipped(&format!("no room in the report for {besides} of them")),
        });
    }
    kept
}
