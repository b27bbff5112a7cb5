//! The data plane: workers that each go by what they last saw, and connections that stay with their worker.

mod answer;
mod plugins;
mod proxy;
mod request;
mod vars;
mod view;

pub(super) use answer::Reply;
pub(super) use vars::valid as vars_are_valid;

use super::{World, counters::Passed};
use answer::{Flight, of_stop};
use http::{Request, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::{body::Incoming, upgrade::OnUpgrade};
use plugins::Stop;
use request::Asked;
use serde_json::json;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};
use view::View;

/// Longest request body.
const MAX_BODY: usize = 8 << 20;

/// What a worker put together last, and of which revision.
#[derive(Debug, Default)]
pub(super) struct Worker(Mutex<(u64, Arc<View>)>);

fn view(world: &World, worker: usize) -> Arc<View> {
    let (revision, objects) = world.etcd(|etcd| etcd.seen(worker));
    let Some(kept) = world.workers.get(worker) else {
        return Arc::default();
    };
    let mut kept = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.0 != revision {
        *kept = (revision, Arc::new(View::of(&objects)));
    }
    Arc::clone(&kept.1)
}

/// Answers one request on a connection of this worker.
pub(super) async fn answer(
    world: Arc<World>,
    worker: usize,
    ends: (SocketAddr, SocketAddr),
    mut request: Request<Incoming>,
) -> Reply {
    let upgrade = hyper::upgrade::on(&mut request);
    let flight = Flight::begin(&world);
    let mut asked = match taken(request, ends).await {
        Ok(asked) => asked,
        Err(stop) => return of_stop(flight, stop, Passed::default()),
    };
    let view = view(&world, worker);
    let Some((matched, route)) = view.route(&asked) else {
        let none = Stop::json(404, &json!({ "error_msg": "404 Route Not Found" }));
        return of_stop(flight, none, Passed::default());
    };
    let field = |name: &str| {
        let value = route.value.get(name).and_then(serde_json::Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    asked.matched = matched.to_owned();
    asked.route.clone_from(&route.id);
    asked.route_name = field("name");
    asked.service = field("service_id");
    let decided = plugins::run(&world, &view, route, &mut asked).await;
    let mut passed = Passed::of(
        &asked.route,
        &asked.service,
        &asked.matched,
        &asked.consumer,
    );
    let on = |conf: &serde_json::Value| {
        let filter = conf.pointer("/_meta/filter");
        filter.is_none_or(|filter| vars::holds(&asked, filter))
    };
    let effective = match decided {
        Ok(effective) => effective,
        Err(stop) => {
            passed.note(&route.plugins, &view.globals, &asked.path, on);
            return of_stop(flight, stop, passed);
        }
    };
    passed.note(&effective, &view.globals, &asked.path, on);
    passed.held = std::mem::take(&mut asked.held);
    passed.method = asked.method.to_string();
    passed.asked_bytes = asked.body.len();
    let upgrade = wanted(&asked, route, upgrade);
    proxy::pass(&world, route, &effective, asked, upgrade, flight, passed).await
}

/// The client's side of an upgrade, where the route allows one.
fn wanted(asked: &Asked, route: &view::Route, upgrade: OnUpgrade) -> Option<OnUpgrade> {
    let allowed = route.value.get("enable_websocket") == Some(&json!(true));
    let asks = asked.headers.contains_key(header::UPGRADE);
    (allowed && asks).then_some(upgrade)
}

async fn taken(request: Request<Incoming>, ends: (SocketAddr, SocketAddr)) -> Result<Asked, Stop> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MAX_BODY)
        .collect()
        .await
        .map_err(|_| Stop::json(413, &json!({ "error_msg": "request body too large" })))?
        .to_bytes();
    Ok(Asked {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
        peer: ends.0,
        own: ends.1,
        route: String::new(),
        route_name: String::new(),
        service: String::new(),
        matched: String::new(),
        consumer: String::new(),
        held: Vec::new(),
        answer: Vec::new(),
    })
}
