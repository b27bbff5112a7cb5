//! What a consumer could ask for: the lists of the targets that are open to it, merged in the shape of the client's API.

use crate::{
    admission::{Caller, Table, subject},
    app::App,
    beside::beside,
    clock,
    deny::Denied,
    headers,
    line::Line,
    offers::Offer,
    overlay::admits,
    registry::{Sort, Standing},
    reply::{self, Reply},
    upstream::Ask,
};
use bytes::Bytes;
use gateway_core::dialect::{Listing, Shape, at_target, list, list_of, unescaped};
use http::{HeaderMap, Method, Response};
use net_model::{Consumer, Route, Target};
use serde_json::value::RawValue;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};
use tokio::task::JoinSet;

/// A target that takes longer is left out.
const LIMIT: Duration = Duration::from_secs(2);

/// What targets said, by their names.
type Offered = BTreeMap<String, Offer>;

/// In whose shape a client of this path wants its list.
pub(crate) fn shape(of: Listing<'_>, headers: &HeaderMap) -> Shape {
    match of {
        Listing::Models | Listing::Model(_) if headers::is_anthropic(headers) => Shape::Anthropic,
        Listing::Models | Listing::Model(_) => Shape::OpenAi,
        Listing::Tags | Listing::Running | Listing::Version => Shape::Ollama,
    }
}

/// Answers a consumer's question for what there is.
pub(crate) async fn answer(
    app: &Arc<App>,
    line: &Arc<Line>,
    of: Listing<'_>,
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
    let shape = shape(of, headers);
    let asking = ask_all(app, &table, consumer, (shape, of));
    let asked = line.cord().cut().run_until_cancelled(asking).await;
    // A scope may have been cut while the targets were asked.
    standing.may_go_on(app.in_force.load().as_deref())?;
    let offered = asked.ok_or_else(|| line.cord().refusal())??;
    let ways = open_ways(app, &table, consumer);
    answer_with(&ways, shape, of, &offered).map(reply::json)
}

fn answer_with(
    ways: &[(&Route, &Target)],
    shape: Shape,
    of: Listing<'_>,
    offered: &Offered,
) -> Result<Vec<u8>, Denied> {
    match of {
        Listing::Version => {
            let mut said = ways
                .iter()
                .filter_map(|(_, target)| offered.get(target.name.as_str()));
            let first = said.next().ok_or(Denied::UpstreamFailed)?;
            Ok(first.text.to_vec())
        }
        Listing::Model(name) => {
            let name = unescaped(name).ok_or(Denied::UnknownPath)?;
            let (names, entries) = merge(ways, shape, offered);
            names
                .iter()
                .zip(entries)
                .find(|(known, _)| **known == name)
                .map(|(_, entry)| entry.get().as_bytes().to_vec())
                .ok_or_else(|| Denied::UnknownModel(crate::admission::shown(&name)))
        }
        Listing::Models | Listing::Tags | Listing::Running => {
            let (names, entries) = merge(ways, shape, offered);
            Ok(list(shape, &names, &entries))
        }
    }
}

fn open_ways<'a>(
    app: &App,
    table: &'a Table,
    consumer: &'a Consumer,
) -> Vec<(&'a Route, &'a Target)> {
    let in_force = app.in_force.load();
    table
        .ways(consumer)
        .filter(|(route, target)| {
            admits(in_force.as_deref(), &subject(consumer, route, target)).is_ok()
        })
        .collect()
}

/// Asks every open target that has such a list; refused when there are some and none of them answers.
async fn ask_all(
    app: &Arc<App>,
    table: &Table,
    consumer: &Consumer,
    (shape, of): (Shape, Listing<'_>),
) -> Result<Offered, Denied> {
    let mut asking = JoinSet::new();
    let mut offered = Offered::new();
    let mut seen = BTreeSet::new();
    for (_, target) in open_ways(app, table, consumer) {
        let Some(path) = list_of(target.kind, shape, of) else {
            continue;
        };
        if !seen.insert(&target.name) {
            continue;
        }
        let place = format!("{} {path}", target.base_url);
        if let Some(offer) = app.offers.get(&place) {
            offered.insert(target.name.to_string(), offer);
            continue;
        }
        let (app, target) = (Arc::clone(app), target.clone());
        asking.spawn(async move {
            let offer = ask(&app, &target, path).await?;
            app.offers.put(place, offer.clone());
            Some((target.name.to_string(), offer))
        });
    }
    while let Some(asked) = asking.join_next().await {
        if let Ok(Some((name, offer))) = asked {
            offered.insert(name, offer);
        }
    }
    if offered.is_empty() && !seen.is_empty() {
        return Err(Denied::UpstreamFailed);
    }
    Ok(offered)
}

async fn ask(app: &App, target: &Target, path: &str) -> Option<Offer> {
    let ask = Ask {
        target,
        method: Method::GET,
        path: &at_target(target.base_url.prefix(), path),
        headers: headers::for_target(&HeaderMap::new(), target),
        body: Bytes::new(),
    };
    let (status, text) = app.upstreams.whole(&ask, LIMIT).await.ok()?;
    if !status.is_success() {
        return None;
    }
    beside(text.len(), move || Offer::read(text)).await.ok()?
}

/// Each model once, in the order in which these ways would reach it, under the names by which a client can ask for
/// it, without what no route takes.
fn merge(
    ways: &[(&Route, &Target)],
    shape: Shape,
    offered: &Offered,
) -> (Vec<String>, Vec<Box<RawValue>>) {
    let mut seen = BTreeSet::new();
    let (mut names, mut entries) = (Vec::new(), Vec::new());
    for (route, target) in ways {
        let Some(offer) = offered.get(target.name.as_str()) else {
            continue;
        };
        for entry in offer.models.iter() {
            for name in names_of(target, &entry.id) {
                let taken = route.models.iter().any(|pattern| pattern.matches(name));
                if taken && seen.insert(name.to_owned()) {
                    names.push(name.to_owned());
                    entries.push(entry.shown(shape, name));
                }
            }
        }
    }
    (names, entries)
}

/// The names that lead to this model of the target.
fn names_of<'a>(target: &'a Target, id: &'a str) -> impl Iterator<Item = &'a str> {
    let own = (target.model(id) == id).then_some(id);
    let given = target.models.iter().filter(move |model| model.sent == id);
    own.into_iter()
        .chain(given.map(|model| model.asked.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kill_wire::{Class, RouteKind};
    use net_model::{ModelPattern, Renamed};

    #[test]
    fn models_are_listed_by_the_names_that_lead_to_them() {
        let base = "http://127.0.0.1:1/v1".parse().unwrap();
        let mut target = Target::new("home".parse().unwrap(), Class::Local, base);
        target.models = vec![Renamed {
            asked: "big".to_owned(),
            sent: "llama3:70b".to_owned(),
        }];
        let route = Route {
            name: "chat".parse().unwrap(),
            kind: RouteKind::Llm,
            models: vec![ModelPattern::new("big").unwrap()],
            targets: vec![0],
        };
        let text = br#"{"data":[{"id":"llama3:70b"},{"id":"big"}]}"#;
        let offer = Offer::read(Bytes::from_static(text)).unwrap();
        let offered = Offered::from([("home".to_owned(), offer)]);
        let said = |of| answer_with(&[(&route, &target)], Shape::OpenAi, of, &offered);
        // The target's own `big` cannot be reached: that name leads to the other one.
        assert_eq!(
            said(Listing::Models).unwrap(),
            br#"{"object":"list","data":[{"id":"big"}]}"#
        );
        assert_eq!(said(Listing::Model("big")).unwrap(), br#"{"id":"big"}"#);
        assert_eq!(
            said(Listing::Model("llama3%3A70b")),
            Err(Denied::UnknownModel("llama3:70b".to_owned()))
        );
    }
}
