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
    upstream::{Ask, UpstreamError},
};
use bytes::Bytes;
use gateway_core::dialect::at_target;
use http::{HeaderMap, Method, StatusCode};
use kill_wire::Name;
use net_model::{Target, TargetTest, TestFound};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

/// How often it is looked whose turn it is.
const TICK: Duration = Duration::from_millis(250);
/// A target that takes longer is not well.
const LIMIT: Duration = Duration::from_secs(3);
/// Longest reason that is told, in characters.
const LONGEST_WHY: usize = 200;

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
    let Some(answered) = once(app, table, target, LIMIT.min(every)).await else {
        return;
    };
    let well = answered.is_ok_and(|status| !status.is_server_error());
    watched.probed(target, well, clock::now());
}

/// Asks the target of this name now, because somebody wants to know; `None` where there is none. What is found counts as
/// a probe does, where the target is probed at all.
pub(crate) async fn test(app: &App, name: &Name) -> Option<TargetTest> {
    let table = app.table.load_full();
    let (target, watched) = table.targets().find(|(it, _)| it.name == *name)?;
    let (at, begun) = (clock::now(), Instant::now());
    let answered = once(app, &table, target, LIMIT).await;
    let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    if let (Some(_), Some(answered)) = (target.health_every, &answered) {
        let well = answered
            .as_ref()
            .is_ok_and(|status| !status.is_server_error());
        watched.probed(target, well, clock::now());
    }
    let found = match answered {
        None => TestFound::Closed,
        Some(Ok(status)) => TestFound::Answered {
            status: status.as_u16(),
        },
        Some(Err(why)) => TestFound::Silent {
            why: in_words(&why),
        },
    };
    Some(TargetTest {
        target: name.clone(),
        at,
        took_ms,
        found,
    })
}

/// The error with what lies behind it, in one bounded line.
fn in_words(why: &UpstreamError) -> String {
    let mut text = why.to_string();
    let mut behind = std::error::Error::source(why);
    while let Some(error) = behind {
        text = format!("{text}: {error}");
        behind = error.source();
    }
    let clean = text.chars().filter(|c| !c.is_control());
    clean.take(LONGEST_WHY).collect()
}

/// Asks once. `None` where every way to the target is closed, or was closed meanwhile: that tells nothing of the target.
async fn once(
    app: &App,
    table: &Table,
    target: &Target,
    limit: Duration,
) -> Option<Result<StatusCode, UpstreamError>> {
    let in_force = app.in_force.load();
    let point = table.open_way(target, in_force.as_deref())?;
    let cord = Arc::new(Cord::default());
    let standing = Standing::Chosen(point.clone());
    let _open = app
        .registry
        .begin(&cord, Sort::Uncounted, standing, clock::now());
    if app.in_force.admits(&point.subject()).is_err() {
        return None;
    }
    let asked = cord
        .cut()
        .run_until_cancelled(timeout(limit, ask(app, target)))
        .await?;
    Some(asked.unwrap_or(Err(UpstreamError::Late(limit))))
}

async fn ask(app: &App, target: &Target) -> Result<StatusCode, UpstreamError> {
    let ask = Ask {
        target,
        method: Method::GET,
        path: &at_target(target.base_url.prefix(), target.kind.health_path()),
        headers: headers::for_target(&HeaderMap::new(), target),
        body: Bytes::new(),
    };
    // Dropping the answer closes its connection: a list of models may be long, and nobody wants it.
    let (head, _flow) = app.upstreams.ask(&ask).await?;
    Ok(head.status)
}
