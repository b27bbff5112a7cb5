//! Speaks to a LiteLLM proxy over its own interface: what it has, and blocks as a second layer of a cut.
//!
//! It is a second layer, never the first: LiteLLM keeps a key it has seen for up to 60 seconds in each worker and instance,
//! refuses nobody who has its master key, and ends no stream that runs. What refuses at once stands before it: the embedded
//! gateway, APISIX, or the host's fence. What was open is ended in the kernel ([`Streams`]).
//!
//! Without a database it can refuse nobody at all. Said so (`cut_by = "none"`), the driver ends streams, and a notice says
//! who cuts; not said so, each cut fails here, and its answer is PARTIAL.
//!
//! A key that somebody else has blocked stays blocked after a restore: only what this driver blocked, and knows by its
//! record ([`Ours`]), is unblocked.

mod api;
mod block;
mod held;
mod ours;

use crate::seen;
use crate::sever::Streams;
use crate::{Finding, Gateway, GatewayError, Severed};
use api::{Api, What};
use held::Held;
use kill_wire::{ProbePoint, ProbePoints};
use net_model::{Observed, Overlay, Secret};
use ours::Ours;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Longest wait for one answer. A cut makes several calls within [`crate::LIMIT`].
const LIMIT: Duration = Duration::from_millis(700);
/// For how long a look counts: LiteLLM takes some 20 ms of a processor to answer one.
const FRESH: Duration = Duration::from_secs(2);
/// For how long a worker of LiteLLM lets a key pass that it has seen (`user_api_key_cache_ttl`).
const CACHED: Duration = Duration::from_secs(60);
/// Most ways that are listed.
const MAX_WAYS: usize = 64;

/// How LiteLLM itself is made to refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutBy {
    /// Its virtual keys are blocked; they stand in its database.
    Keys,
    /// Its models are blocked, those that stand in its database.
    Models,
    /// It is not: it has no database, or somebody else's.
    None,
}

/// How a LiteLLM is spoken to.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it serves; its administration is at the same address.
    pub at: SocketAddr,
    /// Its master key.
    pub master_key: Secret,
    /// How it is made to refuse.
    pub cut_by: CutBy,
    /// Whether a cut ends its open streams in the kernel of this host.
    pub sever: bool,
}

/// A LiteLLM of this host.
#[derive(Debug)]
pub struct Litellm {
    settings: Settings,
    api: Result<Api, String>,
    streams: Streams,
    /// What this driver blocked.
    ours: Arc<Ours>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The overlay it was last told.
    told: Option<Overlay>,
    /// Number of the newest overlay it has heard of, whatever became of it.
    heard: u64,
    /// What it was told to block or unblock without an answer, and when: it may still come to that.
    unsure: BTreeMap<String, Instant>,
    /// When it last blocked something.
    blocked: Option<Instant>,
    /// The last look.
    looked: Option<(Instant, Held)>,
}

impl Litellm {
    /// The LiteLLM of these settings; it need not be there yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let api = Api::new(settings.at, &settings.master_key).map_err(|why| why.to_string());
        Self {
            streams: Streams::of(&[settings.at], settings.sever),
            settings,
            api,
            ours: Arc::default(),
            state: Mutex::default(),
        }
    }

    /// Knows what an earlier process blocked by its record in `file`, and keeps it there.
    #[must_use]
    pub fn remembering(self, file: PathBuf) -> Self {
        Self {
            ours: Arc::new(Ours::of(file)),
            ..self
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn api(&self) -> Result<&Api, GatewayError> {
        self.api
            .as_ref()
            .map_err(|why| GatewayError::Refused(why.clone()))
    }

    /// What it has, as it was at most [`FRESH`] ago.
    async fn look(&self) -> Result<Held, GatewayError> {
        let kept = self.state().looked.clone();
        if let Some((at, held)) = kept
            && at.elapsed() < FRESH
        {
            return Ok(held);
        }
        let held = self.api()?.held(LIMIT).await?;
        self.state().looked = Some((Instant::now(), held.clone()));
        Ok(held)
    }

    const fn what(&self) -> What {
        match self.settings.cut_by {
            CutBy::Models => What::Model,
            CutBy::Keys | CutBy::None => What::Key,
        }
    }

    fn notices(&self, held: &Held, in_force: bool) -> Vec<String> {
        let mut notices = Vec::new();
        let by = self.settings.cut_by;
        let state = self.state();
        if by == CutBy::None {
            notices.push(ALONE.to_owned());
        } else if !held.database {
            notices.push(format!("{}; {ALONE}", cannot()));
        }
        notices.extend(self.streams.notice());
        let since = state.blocked.map(|at| at.elapsed());
        if let Some(since) = since.filter(|it| *it < CACHED)
            && in_force
        {
            let left = (CACHED - since).as_secs();
            notices.push(format!(
                "LiteLLM keeps what it knows of a key for 60 s in each worker and instance: what was just blocked may pass there for {left} s more"
            ));
        }
        let (blocked, ours) = (held.blocked(by), self.ours.get(self.what()));
        let theirs: Vec<String> = blocked
            .difference(&ours)
            .map(|id| held.called(id))
            .collect();
        if !theirs.is_empty() {
            notices.push(format!(
                "blocked by somebody else, or not known to be ours, and left so by a restore: {}",
                theirs.join(", ")
            ));
        }
        let (keys, models) = (self.ours.get(What::Key), self.ours.get(What::Model));
        if by == CutBy::None && !(keys.is_empty() && models.is_empty()) {
            let left = keys.iter().chain(&models).map(|id| held.called(id));
            let left: Vec<String> = left.collect();
            notices.push(format!(
                "blocked by this agent before `cut_by` was \"none\", and left so: {}",
                left.join(", ")
            ));
        }
        let trouble = self.ours.trouble();
        notices.extend(trouble.map(|why| {
            format!("what this agent blocked is not on the disk, and stays blocked if it starts anew: {why}")
        }));
        notices
    }
}

/// What is said wherever LiteLLM cannot refuse.
const ALONE: &str = "LiteLLM itself refuses nobody here: what cuts is the gateway before it, or the host's fence; a way past them stays open";

fn cannot() -> GatewayError {
    GatewayError::Refused("LiteLLM has no database, so nothing can be blocked in it".to_owned())
}

impl Gateway for Litellm {
    async fn observe(&self) -> Result<Observed, GatewayError> {
        let held = self.look().await?;
        let told = self.state().told.clone();
        // As it is there now, not as it was asked for.
        let in_force = told.filter(|overlay| self.stands(&held, overlay));
        let table = held.table();
        let notices = self.notices(&held, in_force.is_some());
        let seen = seen::observed("litellm", in_force.as_ref(), &table);
        let names = seen.routes.iter().chain(&seen.consumers);
        Ok(Observed {
            points: ProbePoints {
                names: names.cloned().collect(),
                points: ways(&table),
            },
            notices,
            targets: held.views(),
            ..seen
        })
    }

    async fn apply(&self, overlay: &Overlay) -> Result<Severed, GatewayError> {
        self.hear(overlay)?;
        if self.settings.cut_by == CutBy::None {
            return self.end_streams(overlay).await;
        }
        let _written_down = self.ours.afterwards();
        // Never by an old look: a key may have been made since.
        let held = self.api()?.held(LIMIT).await?;
        let closing = held.closing(overlay);
        let blocked = self.block(&held, &closing).await;
        // Streams end also where a block failed: they are closed to whoever they belong to.
        let ended = self.streams.end(&closing).await;
        let held = match blocked? {
            // What was taken is not yet what is there.
            true => self.api()?.held(LIMIT).await?,
            false => held,
        };
        if !self.stands(&held, overlay) {
            let why =
                "it took the order, and what it says of its keys and models is something else";
            return Err(GatewayError::Garbled(why.to_owned()));
        }
        self.settle(&held, &closing);
        self.state().told = Some(overlay.clone());
        Ok(ended)
    }

    async fn check(&self) -> Result<Vec<Finding>, GatewayError> {
        self.api()?.alive(LIMIT).await?;
        let held = self.api()?.held(crate::SLOW).await?;
        let mut findings = Vec::new();
        let mut find = |grave, text: String| findings.push(Finding { grave, text });
        match self.settings.cut_by {
            CutBy::None => find(false, ALONE.to_owned()),
            _ if !held.database => find(
                true,
                "LiteLLM has no database: nothing can be blocked in it. Write cut_by = \"none\" and have the gateway or the fence cut".to_owned(),
            ),
            CutBy::Models => {
                let of_file = held.models.iter().filter(|it| !it.model_info.db_model);
                for model in of_file {
                    find(true, format!("model `{}` stands in LiteLLM's own file and cannot be blocked", model.model_name));
                }
            }
            CutBy::Keys => {}
        }
        if held.database && held.table().routes().is_empty() {
            find(false, "models or keys of LiteLLM cannot be told apart by name, or there are more than 256: any cut closes all of them".to_owned());
        }
        Ok(findings)
    }
}

impl Litellm {
    fn hear(&self, overlay: &Overlay) -> Result<(), GatewayError> {
        let mut state = self.state();
        if overlay.seq < state.heard {
            let said = format!("overlay {} is older than {}", overlay.seq, state.heard);
            return Err(GatewayError::Refused(said));
        }
        state.heard = overlay.seq;
        Ok(())
    }

    /// Where nothing can be blocked: what is closed elsewhere ends here. Whether anything is closed is decided as wide as
    /// need be, since without a look nothing is known of what is here.
    async fn end_streams(&self, overlay: &Overlay) -> Result<Severed, GatewayError> {
        let looked = self.state().looked.clone();
        let held = looked.map(|(_, held)| held).unwrap_or_default();
        self.state().told = Some(overlay.clone());
        Ok(self.streams.end(&held.closing(overlay)).await)
    }

    /// Whether what is there is what this overlay comes to.
    fn stands(&self, held: &Held, overlay: &Overlay) -> bool {
        let by = self.settings.cut_by;
        if by == CutBy::None {
            return true;
        }
        let closing = held.closing(overlay);
        if !held.database {
            return closing.is_empty();
        }
        let wanted = held.blocks(&closing, by);
        let now = held.blocked(by);
        let ours = self.ours.get(self.what());
        let too_many = now.intersection(&ours).any(|id| !wanted.ids.contains(id));
        wanted.cannot.is_empty() && wanted.ids.is_subset(&now) && !too_many
    }
}

/// Every way there is, as far as there is room.
fn ways(table: &net_model::RouteTable) -> Vec<ProbePoint> {
    let mut ways = Vec::new();
    for consumer in table.consumers() {
        for route in table.routes() {
            for target in route
                .targets
                .iter()
                .filter_map(|at| table.targets().get(*at))
            {
                ways.push(ProbePoint {
                    kind: route.kind,
                    consumer: consumer.name.clone(),
                    route: route.name.clone(),
                    target: target.name.clone(),
                    class: target.class,
                });
            }
        }
    }
    ways.truncate(MAX_WAYS);
    ways
}
