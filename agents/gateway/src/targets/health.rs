//! Asks targets whether they are well, with questions that cost nothing.
//!
//! A probe is silent while every way to its target is cut or paused, and one that is under way ends with a cut like any
//! other exchange. A target that answers is well, whatever it says short of an error of its own.

use super::Watched;
use crate::{
    admission::Table,
    app::App,
    clock,
    cord::Cord,
    headers,
    registry::{Sort, Standing},
    upstream::Ask,
};
use bytes::Bytes;
use gateway_core::dialect::at_target;
use http::{HeaderMap, Method, StatusCode};
use kill_wire::Name;
use net_model::Target;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

/// How often it is looked whose turn it is.
const TICK: Duration = Duration::from_millis(250);
/// A target that takes longer is not well.
const LIMIT: Duration = Duration::from_secs(3);

/// Probes every target that wants it, each at its own pace, until the gateway stops.
pub(crate) async fn watch(app: Arc<App>) {
    let mut due: HashMap<Name, Instant> = HashMap::new();
    let mut probes = JoinSet::new();
    while timeout(TICK, app.stop.draining.cancelled()).await.is_err() {
        while probes.try_join_next().is_some() {}
        let table = app.table.load_full();
        let now = Instant::now();
        due.retain(|name, _| table.targets().any(|(target, _)| target.name == *name));
        for (target, watched) in table.targets() {
            let Some(every) = target.health_every else {
                continue;
            };
            let next = due.entry(target.name.clone()).or_insert(now);
            if *next > now {
                continue;
            }
            *next = now + every;
            let (app, table) = (Arc::clone(&app), Arc::clone(&table));
            let (target, watched) = (target.clone(), Arc::clone(watched));
            probes.spawn(async move { probe(&app, &table, &target, &watched, every).await });
        }
    }
}

async fn probe(app: &App, table: &Table, target: &Target, watched: &Watched, every: Duration) {
    let in_force = app.in_force.load();
    let Some(point) = table.open_way(target, in_force.as_deref()) else {
        return;
    };
    let cord = Arc::new(Cord::default());
    let standing = Standing::Chosen(point.clone());
    let _open = app
        .registry
        .begin(&cord, Sort::Uncounted, standing, clock::now());
    if app.in_force.admits(&point.subject()).is_err() {
        return;
    }
    let asked = cord
        .cut()
        .run_until_cancelled(timeout(LIMIT.min(every), ask(app, target)))
        .await;
    // One that was cut tells nothing of the target.
    let Some(answered) = asked else { return };
    let status = answered.ok().flatten();
    let well = status.is_some_and(|status| !status.is_server_error());
    watched.probed(target, well, clock::now());
}

async fn ask(app: &App, target: &Target) -> Option<StatusCode> {
    let ask = Ask {
        target,
        method: Method::GET,
        path: &at_target(target.base_url.prefix(), target.kind.health_path()),
        headers: headers::for_target(&HeaderMap::new(), target),
        body: Bytes::new(),
    };
    // Dropping the answer closes its connection: a list of models may be long, and nobody wants it.
    let (head, _flow) = app.upstreams.ask(&ask).await.ok()?;
    Some(head.status)
}
