//! Speaks to a LiteLLM proxy over its own interface: what it has, and blocks as a second layer of a cut.
//!
//! It is a second layer, never the first: LiteLLM keeps a key it has seen for up to 60 seconds in each worker and instance,
//! refuses nobody who has its master key, and ends no stream that runs. What refuses at once stands before it: the embedded
//! gateway, APISIX, or the host's fence. What was open is ended in the kernel ([`Sever`]).
//!
//! Without a database it can refuse nobody at all. Said so (`cut_by = "none"`), the driver ends streams, and a notice says
//! who cuts; not said so, each cut fails here, and its answer is PARTIAL.
//!
//! A key that somebody else has blocked stays blocked after a restore: only what this driver blocked in its lifetime is
//! unblocked.

mod api;
mod held;

use crate::seen;
use crate::{Closing, Finding, Gateway, GatewayError, Sever, Severed};
use api::{Api, What};
use held::Held;
use kill_wire::{ProbePoint, ProbePoints};
use net_model::{Observed, Overlay, Secret};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
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
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The overlay it was last told, and what of it this LiteLLM has to do with.
    told: Option<(Overlay, Closing)>,
    /// What this driver blocked.
    ours: BTreeSet<String>,
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
            settings,
            api,
            state: Mutex::default(),
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

    /// Blocks what is closed and unblocks what we blocked and is not any more.
    async fn block(&self, held: &Held, closing: &Closing) -> Result<(), GatewayError> {
        let by = self.settings.cut_by;
        if by == CutBy::None {
            return Ok(());
        }
        if !held.database {
            return if closing.is_empty() {
                Ok(())
            } else {
                Err(cannot())
            };
        }
        let (api, what) = (self.api()?, self.what());
        let (wanted, now) = (held.blocks(closing, by), held.blocked(by));
        let close: Vec<&String> = wanted.ids.difference(&now).collect();
        if !close.is_empty() {
            {
                // Before it is asked: what may have been carried out is ours as well.
                let mut state = self.state();
                state.ours.extend(close.iter().map(|&id| id.clone()));
                state.blocked = Some(Instant::now());
                state.looked = None;
            }
            let done = api.set(what, &close, true, LIMIT).await;
            self.state().looked = None;
            done?;
        }
        let ours = self.state().ours.clone();
        let open: Vec<&String> = ours.difference(&wanted.ids).collect();
        if !open.is_empty() {
            let there: Vec<&String> = open
                .iter()
                .copied()
                .filter(|id| now.contains(*id))
                .collect();
            let done = api.set(what, &there, false, LIMIT).await;
            self.state().looked = None;
            done?;
            let mut state = self.state();
            state.ours.retain(|id| !open.contains(&id));
        }
        if wanted.cannot.is_empty() {
            return Ok(());
        }
        let names = wanted.cannot.join(", ");
        Err(GatewayError::Refused(format!(
            "these models stand in its own file and cannot be blocked: {names}"
        )))
    }

    /// Ends what is open, where this overlay closes something that was not closed.
    async fn sever(&self, closing: &Closing, before: &Closing) -> Result<Severed, GatewayError> {
        if !self.settings.sever || !closing.closes_more_than(before) {
            return Ok(Severed::default());
        }
        Sever::at(&[self.settings.at]).now().await
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
        if !self.settings.sever {
            notices.push(
                "streams that are open when a cut comes go on until they end: `sever` is off"
                    .to_owned(),
            );
        }
        let since = state.blocked.map(|at| at.elapsed());
        if let Some(since) = since.filter(|it| *it < CACHED)
            && in_force
        {
            let left = (CACHED - since).as_secs();
            notices.push(format!(
                "LiteLLM keeps what it knows of a key for 60 s in each worker and instance: what was just blocked may pass there for {left} s more"
            ));
        }
        let theirs: Vec<String> = held
            .blocked(by)
            .difference(&state.ours)
            .map(|id| held.called(id))
            .collect();
        if !theirs.is_empty() {
            notices.push(format!(
                "blocked by somebody else, or before this agent started, and left so by a restore: {}",
                theirs.join(", ")
            ));
        }
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
        let in_force = told.filter(|(overlay, _)| self.stands(&held, overlay));
        let table = held.table();
        let notices = self.notices(&held, in_force.is_some());
        let overlay = in_force.as_ref().map(|(overlay, _)| overlay);
        let seen = seen::observed("litellm", overlay, &table);
        let names = seen.routes.iter().chain(&seen.consumers);
        Ok(Observed {
            points: ProbePoints {
                names: names.cloned().collect(),
                points: ways(&table),
            },
            notices,
            ..seen
        })
    }

    async fn apply(&self, overlay: &Overlay) -> Result<Severed, GatewayError> {
        if self.settings.cut_by == CutBy::None {
            return self.end_streams(overlay).await;
        }
        // Never by an old look: a key may have been made since.
        let held = self.api()?.held(LIMIT).await?;
        let closing = held.closing(overlay);
        let before = self.before();
        let blocked = self.block(&held, &closing).await;
        // Streams end also where a block failed: they are closed to whoever they belong to.
        let ended = self.sever(&closing, &before).await;
        blocked?;
        self.state().told = Some((overlay.clone(), closing));
        ended
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
    fn before(&self) -> Closing {
        let told = self.state().told.clone();
        told.map(|(_, closing)| closing).unwrap_or_default()
    }

    /// Where nothing can be blocked: what is closed elsewhere ends here. Whether anything is closed is decided as wide as
    /// need be, since without a look nothing is known of what is here.
    async fn end_streams(&self, overlay: &Overlay) -> Result<Severed, GatewayError> {
        let looked = self.state().looked.clone();
        let held = looked.map(|(_, held)| held).unwrap_or_default();
        let closing = held.closing(overlay);
        let before = self.before();
        self.state().told = Some((overlay.clone(), closing.clone()));
        self.sever(&closing, &before).await
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
        let ours = self.state().ours.clone();
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
