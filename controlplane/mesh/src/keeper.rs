//! Keeps the view of the mesh new, and carries cuts on to it.
//!
//! It follows what the kill switch has latched; nothing waits for it. It never takes anything back.

use crate::control::Control;
use crate::cut::{CutSettings, about_hosts, affected, carry_out};
use crate::kept::KeptPolicy;
use crate::local::{Bus, LocalApi};
use crate::look::{look, told};
use crate::matching::{KnownHost, whose};
use crate::whois::Whois;
use kill_wire::{Incident, LatchSet, Timestamp};
use net_model::{KeyEnd, MeshCut, MeshNode, MeshStep, MeshView, Snapshot};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How often latches are compared with what was carried on.
const BEAT: Duration = Duration::from_secs(1);
/// How often the mesh is looked at when nothing says that it changed.
const LOOK: Duration = Duration::from_secs(15);
/// How often a cut is gone through again while it holds: for what failed, and for nodes that came back.
const AGAIN: Duration = Duration::from_secs(30);

/// Most steps that are told of one cut.
const MOST_STEPS: usize = 64;

/// What the keeper works with.
#[derive(Clone, Debug)]
pub struct MeshSettings {
    /// The service of this machine.
    pub local: Option<LocalApi>,
    /// The coordination server.
    pub control: Option<Control>,
    /// What a cut does there.
    pub cut: CutSettings,
    /// Where the policy of before is kept.
    pub kept: KeptPolicy,
    /// Told when the mesh changes: what it knows of visitors is old then.
    pub whois: Option<Whois>,
    /// Reads the clock.
    pub clock: fn() -> Timestamp,
}

/// Looks at the mesh and follows the kill switch.
#[derive(Debug)]
pub struct Keeper {
    settings: MeshSettings,
    house: watch::Receiver<Arc<Snapshot>>,
    hosts: watch::Receiver<Arc<Vec<KnownHost>>>,
    view: watch::Sender<Arc<MeshView>>,
    bus: Option<Bus>,
    looked: Option<Instant>,
    cut: Option<MeshCut>,
    tried: Option<Tried>,
    /// This machine's addresses on the mesh, as its service last told them.
    own: Vec<IpAddr>,
}

/// What was last carried on, when, and for which hosts: one that becomes known meanwhile waits for no next round.
#[derive(Debug)]
struct Tried {
    incident: Incident,
    at: Instant,
    hosts: Arc<Vec<KnownHost>>,
}

impl Keeper {
    /// Nothing is asked before [`Keeper::run`].
    #[must_use]
    pub fn new(
        settings: MeshSettings,
        house: watch::Receiver<Arc<Snapshot>>,
        hosts: watch::Receiver<Arc<Vec<KnownHost>>>,
    ) -> (Self, watch::Receiver<Arc<MeshView>>) {
        let (view, views) = watch::channel(Arc::default());
        let keeper = Self {
            settings,
            house,
            hosts,
            view,
            bus: None,
            looked: None,
            cut: None,
            tried: None,
            own: Vec::new(),
        };
        (keeper, views)
    }

    /// Runs until it is told to stop.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = changed(&mut self.bus) => {
                    self.looked = None;
                    if let Some(whois) = &self.settings.whois {
                        whois.forget();
                    }
                    continue;
                }
                _ = beat.tick() => {}
            }
            // A look and a cut ask others, who may be slow: neither keeps the program from ending.
            if stop.run_until_cancelled(self.beat()).await.is_none() {
                return;
            }
        }
    }

    async fn beat(&mut self) {
        self.follow().await;
        let due = self.looked.is_none_or(|at| at.elapsed() >= LOOK);
        if !due {
            return;
        }
        if self.bus.is_none()
            && let Some(local) = &self.settings.local
        {
            self.bus = local.watch().await.ok();
        }
        let hosts = Arc::clone(&self.hosts.borrow());
        let (local, control) = (self.settings.local.as_ref(), self.settings.control.as_ref());
        let mut view = look(local, control, &hosts, (self.settings.clock)()).await;
        view.cut = self.cut.clone();
        self.itself(view.nodes.iter().map(|seen| &seen.node));
        self.looked = Some(Instant::now());
        self.view.send_replace(Arc::new(view));
    }

    fn latches(&self) -> LatchSet {
        let house = self.house.borrow();
        let report = house.killswitch.as_ref();
        report.map(|it| it.latches.clone()).unwrap_or_default()
    }

    /// Carries what is latched on to the mesh, as far as that was not done.
    async fn follow(&mut self) {
        let Some(control) = self.settings.control.clone() else {
            return;
        };
        let latches = self.latches();
        let hosts = Arc::clone(&self.hosts.borrow());
        let Some(incident) = about_hosts(&latches, &hosts) else {
            self.tried = None;
            return;
        };
        let lately = |tried: &Tried| {
            tried.incident == incident && tried.at.elapsed() < AGAIN && tried.hosts == hosts
        };
        if self.tried.as_ref().is_some_and(lately) {
            return;
        }
        self.tried = Some(Tried {
            incident,
            at: Instant::now(),
            hosts: Arc::clone(&hosts),
        });
        self.find_itself().await;
        let steps = match control.nodes().await {
            Ok((nodes, _)) => {
                let nodes = marked(nodes, &self.own);
                let open = affected(&latches, &nodes, &hosts, &self.settings.cut);
                self.close(&control, &nodes, open, &hosts).await
            }
            Err(why) => vec![MeshStep {
                what: "list the nodes of the mesh".to_owned(),
                problem: Some(told(&why)),
            }],
        };
        self.record(incident, steps).await;
    }

    /// Before anything is ended it is known which node is this machine, also when the house starts while something is cut.
    async fn find_itself(&mut self) {
        if self.own.is_empty()
            && let Some(local) = &self.settings.local
            && let Ok(status) = local.status().await
        {
            self.itself(&status.nodes);
        }
    }

    /// Who is not told to be on the mesh just now stays who it was.
    fn itself<'a>(&mut self, nodes: impl IntoIterator<Item = &'a MeshNode>) {
        if let Some(own) = nodes.into_iter().find(|node| node.own) {
            self.own.clone_from(&own.addresses);
        }
    }

    async fn close(
        &self,
        control: &Control,
        all: &[MeshNode],
        affected: Vec<&MeshNode>,
        hosts: &[KnownHost],
    ) -> Vec<MeshStep> {
        let now = (self.settings.clock)();
        let open = affected.into_iter().filter(|node| !has_ended(node, now));
        let nodes: Vec<_> = open
            .map(|node| {
                let host = whose(node, all, hosts).host();
                (node, host.map(|host| host.name.clone()))
            })
            .collect();
        carry_out(control, &self.settings.kept, &self.settings.cut, &nodes).await
    }

    /// What was done once stays on the list when a later round had nothing left to do.
    async fn record(&mut self, incident: Incident, steps: Vec<MeshStep>) {
        for step in steps.iter().filter(|step| step.problem.is_some()) {
            tracing::warn!(%incident, step = step.what, problem = step.problem, "A cut was not carried on to the mesh.");
        }
        let before = self.cut.take().filter(|cut| cut.incident == incident);
        let mut all = before.map(|cut| cut.steps).unwrap_or_default();
        for step in steps {
            if let Some(known) = all.iter_mut().find(|it| it.what == step.what) {
                *known = step;
            } else if all.len() < MOST_STEPS {
                all.push(step);
            }
        }
        let cut = MeshCut {
            incident,
            at: (self.settings.clock)(),
            steps: all,
            policy_kept: self.settings.kept.is_there().await,
        };
        self.cut = Some(cut.clone());
        self.view
            .send_modify(|view| Arc::make_mut(view).cut = Some(cut));
        self.looked = None;
    }
}

/// Waits for the service to say that something changed; for ever where nothing is followed. A stream that ends is a change too.
async fn changed(bus: &mut Option<Bus>) {
    match bus {
        None => std::future::pending().await,
        Some(following) => {
            if !matches!(following.changed().await, Ok(Some(_))) {
                *bus = None;
            }
        }
    }
}

fn has_ended(node: &MeshNode, now: Timestamp) -> bool {
    match node.key {
        KeyEnd::Ended => true,
        KeyEnd::At(at) => at <= now,
        KeyEnd::Never | KeyEnd::Unknown => false,
    }
}

/// The server's list does not say which node is this machine.
fn marked(mut nodes: Vec<MeshNode>, own: &[IpAddr]) -> Vec<MeshNode> {
    for node in &mut nodes {
        node.own = node.addresses.iter().any(|it| own.contains(it));
    }
    nodes
}
