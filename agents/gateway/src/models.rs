//! `GET /v1/models`: what the targets open to a consumer offer, merged.

use crate::{
    admission::{Caller, Table, subject},
    app::App,
    body::Reply,
    clock,
    deny::Denied,
    line::Line,
    probe::json,
    registry::{Sort, Standing},
};
use http::{HeaderMap, Response};
use net_model::{Consumer, Target};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{task::JoinSet, time::Instant};

/// A target that takes longer is left out.
const LIMIT: Duration = Duration::from_secs(2);
/// How long a target's list is used again.
const FRESH: Duration = Duration::from_secs(5);
/// Most models of one target.
const MAX_MODELS: usize = 2000;

#[derive(Debug, Deserialize)]
struct List {
    data: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    id: std::borrow::Cow<'a, str>,
}

#[derive(Serialize)]
struct Merged<'a> {
    object: &'static str,
    data: Vec<&'a RawValue>,
}

/// One target's models: id and entry as the target wrote it.
type Models = Arc<Vec<(String, Box<RawValue>)>>;

/// What targets said a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Cache(Mutex<BTreeMap<String, (Instant, Models)>>);

impl Cache {
    fn get(&self, base: &str) -> Option<Models> {
        let cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, models) = cache.get(base)?;
        (at.elapsed() < FRESH).then(|| Arc::clone(models))
    }

    fn put(&self, base: String, models: Models) {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cache.retain(|_, (at, _)| at.elapsed() < FRESH);
        cache.insert(base, (Instant::now(), models));
    }
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
        .begin(line, Sort::Uncounted, standing.clone(), clock::now());
    standing.may_go_on(app.in_force.load().as_deref())?;
    let asked = line
        .cut()
        .run_until_cancelled(ask_all(app, &table, consumer))
        .await;
    // A scope may have been cut while the targets were asked.
    standing.may_go_on(app.in_force.load().as_deref())?;
    let answers = asked.ok_or_else(|| line.why().cloned().unwrap_or(Denied::Draining))?;
    if answers.is_empty() {
        return Err(Denied::UpstreamFailed);
    }
    let merged = Merged {
        object: "list",
        data: merge(app, &table, consumer, &answers),
    };
    Ok(json(serde_json::to_vec(&merged).unwrap_or_default()))
}

fn open_targets<'a>(app: &App, table: &'a Table, consumer: &'a Consumer) -> Vec<&'a Target> {
    let in_force = app.in_force.load();
    let mut seen = BTreeSet::new();
    table
        .ways(consumer)
        .filter(|(route, target)| {
            let way = subject(consumer, route, target);
            crate::overlay::admits(in_force.as_deref(), &way).is_ok()
        })
        .map(|(_, target)| target)
        .filter(|target| seen.insert(&target.name))
        .collect()
}

async fn ask_all(app: &Arc<App>, table: &Table, consumer: &Consumer) -> BTreeMap<String, Models> {
    let mut asking = JoinSet::new();
    let mut answers = BTreeMap::new();
    for target in open_targets(app, table, consumer) {
        if let Some(models) = app.models.get(&target.base_url.to_string()) {
            answers.insert(target.name.to_string(), models);
            continue;
        }
        let (app, target) = (Arc::clone(app), target.clone());
        asking.spawn(async move {
            let (status, body) = app.upstreams.models(&target, LIMIT).await.ok()?;
            let models = Arc::new(status.is_success().then(|| read(&body)).flatten()?);
            app.models
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

fn read(body: &[u8]) -> Option<Vec<(String, Box<RawValue>)>> {
    let list: List = serde_json::from_slice(body).ok()?;
    let named = list.data.into_iter().take(MAX_MODELS).filter_map(|entry| {
        let id = serde_json::from_str::<Named<'_>>(entry.get())
            .ok()?
            .id
            .into_owned();
        Some((id, entry))
    });
    Some(named.collect())
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
        if crate::overlay::admits(in_force.as_deref(), &way).is_err() {
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
