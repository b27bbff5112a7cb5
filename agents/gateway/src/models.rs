//! `GET /v1/models`: what the targets open to a consumer offer, merged.

use crate::{
    admission::{Caller, Table, subject},
    app::App,
    clock,
    deny::Denied,
    line::Line,
    offers::{Models, read},
    overlay::admits,
    registry::{Sort, Standing},
    reply::{self, Reply},
};
use http::{HeaderMap, Response};
use net_model::{Consumer, Target};
use serde::Serialize;
use serde_json::value::RawValue;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::task::JoinSet;

/// A target that takes longer is left out.
const LIMIT: Duration = Duration::from_secs(2);
#[derive(Serialize)]
struct Merged<'a> {
    object: &'static str,
    data: Vec<&'a RawValue>,
}

/// Answers `GET /v1/models` of a consumer.
pub(crate) async fn list(
    app: &Arc<App>,
    line: &Arc<Line>,
    headers: &HeaderMap,
) -> Result<Response<Reply>, Denied> {
    let table = app.table.load_full();
    let Caller::Consumer(at) = table.caller(headers, app.probe_key)? else {
        return Err(Denied::NoSuchWay("the probe header is missing"));
    };
    let consumer = table.consumer(at)?;
    let standing = Standing::Undecided(Arc::clone(&table), at);
    let _open = app
        .registry
        .begin(line.cord(), Sort::Uncounted, standing.clone(), clock::now());
    standing.may_go_on(app.in_force.load().as_deref())?;
    let asked = line
        .cord()
        .cut()
        .run_until_cancelled(ask_all(app, &table, consumer))
        .await;
    // A scope may have been cut while the targets were asked.
    standing.may_go_on(app.in_force.load().as_deref())?;
    let answers = asked.ok_or_else(|| line.cord().refusal())?;
    if answers.is_empty() {
        return Err(Denied::UpstreamFailed);
    }
    let merged = Merged {
        object: "list",
        data: merge(app, &table, consumer, &answers),
    };
    Ok(reply::json(serde_json::to_vec(&merged).unwrap_or_default()))
}

fn open_targets<'a>(app: &App, table: &'a Table, consumer: &'a Consumer) -> Vec<&'a Target> {
    let in_force = app.in_force.load();
    let mut seen = BTreeSet::new();
    table
        .ways(consumer)
        .filter(|(route, target)| {
            let way = subject(consumer, route, target);
            admits(in_force.as_deref(), &way).is_ok()
        })
        .map(|(_, target)| target)
        .filter(|target| seen.insert(&target.name))
        .collect()
}

async fn ask_all(app: &Arc<App>, table: &Table, consumer: &Consumer) -> BTreeMap<String, Models> {
    let mut asking = JoinSet::new();
    let mut answers = BTreeMap::new();
    for target in open_targets(app, table, consumer) {
        if let Some(models) = app.offers.get(&target.base_url.to_string()) {
            answers.insert(target.name.to_string(), models);
            continue;
        }
        let (app, target) = (Arc::clone(app), target.clone());
        asking.spawn(async move {
            let (status, body) = app.upstreams.models(&target, LIMIT).await.ok()?;
            let models = status.is_success().then(|| read(&body)).flatten()?;
            app.offers
                .put(target.base_url.to_string(), Arc::clone(&models));
            Some((target.name.to_string(), models))
        });
    }
    while let Some(asked) = asking.join_next().await {
        if let Ok(Some((name, models))) = asked {
            answers.insert(name, models);
        }
    }
    answers
}

/// Each model once, in the order in which this consumer's ways would reach it, without what no route takes.
fn merge<'a>(
    app: &App,
    table: &Table,
    consumer: &Consumer,
    answers: &'a BTreeMap<String, Models>,
) -> Vec<&'a RawValue> {
    let in_force = app.in_force.load();
    let mut seen = BTreeSet::new();
    let mut data = Vec::new();
    for (route, target) in table.ways(consumer) {
        let way = subject(consumer, route, target);
        if admits(in_force.as_deref(), &way).is_err() {
            continue;
        }
        let Some(models) = answers.get(target.name.as_str()) else {
            continue;
        };
        for (id, entry) in models.iter() {
            if route.models.iter().any(|pattern| pattern.matches(id)) && seen.insert(id.as_str()) {
                data.push(&**entry);
            }
        }
    }
    data
}
