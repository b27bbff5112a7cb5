//! Passes a request on to a node of the upstream, by weight; a node that cannot be reached gives way to the next.

use super::{
    answer::{Flight, Reply, of_stop, of_upstream},
    plugins::Stop,
    request::Asked,
    view::{Plugins, Route, Upstream},
};
use crate::apisix::{World, ai, clock, counters::Passed};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{body::Incoming, client::conn::http1, upgrade::OnUpgrade};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpStream, time::timeout};

/// What belongs to one connection and is not passed on.
const HOP: [HeaderName; 5] = [
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
];

pub(super) async fn pass(
    world: &Arc<World>,
    route: &Route,
    plugins: &Plugins,
    mut asked: Asked,
    upgrade: Option<OnUpgrade>,
    flight: Flight,
    mut passed: Passed,
) -> Reply {
    if let Err(stop) = may_ask(world, route, plugins, &asked, &mut passed) {
        return of_stop(flight, stop, passed);
    }
    let mut instance = None;
    let (nodes, limits) = match ai::choice(plugins, &mut asked.body) {
        Some(chosen) => {
            instance = chosen.instance;
            passed.ai = chosen.labels;
            asked.path = chosen.path;
            asked.headers.extend(chosen.headers);
            asked.headers.remove(header::CONTENT_LENGTH);
            (chosen.nodes, Limits::default())
        }
        None => match &route.upstream {
            Some(upstream) => (order(world, upstream), Limits::of(route, upstream)),
            None => (Vec::new(), Limits::default()),
        },
    };
    if nodes.is_empty() {
        let none = Stop::json(503, &json!({ "error_msg": "no valid upstream node" }));
        return of_stop(flight, none, passed);
    }
    let answers = std::mem::take(&mut asked.answer);
    for node in nodes
        .iter()
        .take(1 + limits.retries.unwrap_or(nodes.len() - 1))
    {
        let Ok(Ok(stream)) = timeout(limits.connect, TcpStream::connect(node)).await else {
            world.counters.node(node, false);
            continue;
        };
        world.counters.node(node, true);
        let address = || node.split(':').next().unwrap_or_default().to_owned();
        passed.node = instance.clone().unwrap_or_else(address);
        if limits.node_host
            && let Ok(host) = HeaderValue::try_from(node)
        {
            asked.headers.insert(header::HOST, host);
        }
        let sent = timeout(limits.read, send(world, stream, &asked, upgrade.is_some()));
        let mut reply = match sent.await {
            Err(_) => return of_stop(flight, failed(504), passed),
            Ok(Err(_)) => return of_stop(flight, failed(502), passed),
            Ok(Ok(from)) => {
                if from.status() == StatusCode::SWITCHING_PROTOCOLS
                    && let Some(client) = upgrade
                {
                    return switched(world, client, from, flight, passed);
                }
                of_upstream(flight, from, passed)
            }
        };
        reply.headers_mut().extend(answers);
        return reply;
    }
    of_stop(flight, failed(502), passed)
}

/// What keeps a call from its model before anybody is asked: a body that is no JSON, tokens that are used up.
fn may_ask(
    world: &World,
    route: &Route,
    plugins: &Plugins,
    asked: &Asked,
    passed: &mut Passed,
) -> Result<(), Stop> {
    if !ai::is_on(plugins) {
        return Ok(());
    }
    if !ai::reads(&asked.body) {
        let none = json!({ "message": "could not get body or parse it" });
        return Err(Stop::json(400, &none));
    }
    tokens_left(world, route, plugins, passed)
}

/// `ai-rate-limiting`: looks before a call whether its window is used up; the call's tokens are added when it has ended.
fn tokens_left(
    world: &World,
    route: &Route,
    plugins: &Plugins,
    passed: &mut Passed,
) -> Result<(), Stop> {
    let Some(conf) = plugins.get("ai-rate-limiting") else {
        return Ok(());
    };
    let number = |key: &str| conf.get(key).and_then(Value::as_u64);
    let (Some(limit), Some(window)) = (number("limit"), number("time_window")) else {
        return Ok(());
    };
    // Each object's own configuration counts by itself.
    let place = match route.plugins.get("ai-rate-limiting") == Some(conf) {
        true => &route.id,
        false => &passed.consumer,
    };
    let (key, window) = (format!("tokens:{place}"), Duration::from_secs(window));
    let (used, rest) = world.counters.used(&key, window, clock::now());
    passed.limited = Some((key, window));
    if used < limit {
        return Ok(());
    }
    passed.limited = None;
    let code = number("rejected_code").and_then(|code| u16::try_from(code).ok());
    let reset = HeaderValue::from(rest.as_secs());
    let name = HeaderName::from_static("x-ai-ratelimit-reset");
    Err(Stop {
        status: code.unwrap_or(503),
        headers: vec![(name, reset)],
        body: String::new(),
    })
}

fn failed(status: u16) -> Stop {
    Stop {
        status,
        headers: vec![(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        )],
        body: format!("<html><head><title>{status}</title></head></html>\r\n"),
    }
}

struct Limits {
    connect: Duration,
    read: Duration,
    retries: Option<usize>,
    /// The node is asked by its own name.
    node_host: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(60),
            read: Duration::from_secs(60),
            retries: None,
            node_host: true,
        }
    }
}

impl Limits {
    fn of(route: &Route, upstream: &Upstream) -> Self {
        let part = |name: &str| {
            let own = route.value.pointer(&format!("/timeout/{name}"));
            let value = own.or_else(|| upstream.value.pointer(&format!("/timeout/{name}")));
            Duration::from_secs_f64(value.and_then(Value::as_f64).unwrap_or(60.0))
        };
        let retries = upstream.value.get("retries").and_then(Value::as_u64);
        Self {
            connect: part("connect"),
            read: part("read"),
            retries: retries.map(|count| usize::try_from(count).unwrap_or(usize::MAX)),
            node_host: upstream.value.get("pass_host") == Some(&json!("node")),
        }
    }
}

/// The nodes, the one whose turn it is first; those without weight are left out.
fn order(world: &World, upstream: &Upstream) -> Vec<String> {
    let mut nodes: Vec<(i64, String, u64)> = match upstream.value.get("nodes") {
        Some(Value::Object(map)) => map
            .iter()
            .map(|(at, weight)| (0, at.clone(), weight.as_u64().unwrap_or(0)))
            .collect(),
        Some(Value::Array(list)) => list.iter().filter_map(listed).collect(),
        _ => Vec::new(),
    };
    nodes.retain(|(_, _, weight)| *weight > 0);
    nodes.sort_by_key(|(priority, ..)| std::cmp::Reverse(*priority));
    let highest = nodes.first().map_or(0, |(priority, ..)| *priority);
    let first = nodes.iter().filter(|(priority, ..)| *priority == highest);
    let weights: Vec<u64> = first.map(|(_, _, weight)| *weight).collect();
    let total: u64 = weights.iter().sum();
    if total == 0 {
        return Vec::new();
    }
    let mut turn = world.counters.turn(&upstream.id) % total;
    let mut at = 0;
    for weight in &weights {
        if turn < *weight {
            break;
        }
        turn -= weight;
        at += 1;
    }
    nodes
        .get_mut(..weights.len())
        .unwrap_or_default()
        .rotate_left(at);
    nodes.into_iter().map(|(_, at, _)| at).collect()
}

fn listed(node: &Value) -> Option<(i64, String, u64)> {
    let host = node.get("host")?.as_str()?;
    let port = node.get("port").and_then(Value::as_u64).unwrap_or(80);
    let priority = node.get("priority").and_then(Value::as_i64).unwrap_or(0);
    Some((
        priority,
        format!("{host}:{port}"),
        node.get("weight")?.as_u64()?,
    ))
}

async fn send(
    world: &World,
    stream: TcpStream,
    asked: &Asked,
    upgrade: bool,
) -> Result<Response<Incoming>, hyper::Error> {
    let _best_effort = stream.set_nodelay(true);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    world.tasks.spawn(connection.with_upgrades());
    let mut headers = passed_on(&asked.headers);
    if upgrade {
        for name in [header::CONNECTION, header::UPGRADE] {
            if let Some(value) = asked.headers.get(&name) {
                headers.insert(name, value.clone());
            }
        }
    }
    let mut uri = asked.path.clone();
    if !asked.query.is_empty() {
        uri = format!("{uri}?{}", asked.query);
    }
    let mut request = Request::new(Full::new(asked.body.clone()));
    *request.method_mut() = asked.method.clone();
    *request.uri_mut() = uri.parse().unwrap_or_default();
    *request.headers_mut() = headers;
    sender.send_request(request).await
}

fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in &HOP {
        headers.remove(name);
    }
    headers
}

/// A WebSocket: from here on bytes are copied, whatever becomes of the route.
fn switched(
    world: &Arc<World>,
    client: OnUpgrade,
    mut from: Response<Incoming>,
    flight: Flight,
    mut passed: Passed,
) -> Reply {
    passed.status = 101;
    let upstream = hyper::upgrade::on(&mut from);
    let (held, life) = (Flight::begin(world), world.life());
    world.tasks.spawn(async move {
        let _held = held;
        if let (Ok(client), Ok(upstream)) = tokio::join!(client, upstream) {
            let (mut a, mut b) = (TokioIo::new(client), TokioIo::new(upstream));
            tokio::select! {
                _how = tokio::io::copy_bidirectional(&mut a, &mut b) => {}
                () = life.cancelled() => {}
            }
        }
    });
    of_upstream(flight, from, passed)
}
