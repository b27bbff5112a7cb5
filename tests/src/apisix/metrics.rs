//! The Prometheus page, and what the control API says of a worker.

use super::{
    World,
    counters::Line,
    etcd::{EtcdState, Objects},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Write as _, sync::atomic::Ordering, time::Duration};
use tokio::{net::TcpStream, time::timeout};

fn labels(line: &Line) -> String {
    let each = line
        .iter()
        .map(|(name, value)| format!("{name}=\"{}\"", value.replace('"', "\\\"")));
    each.collect::<Vec<String>>().join(",")
}

fn family(page: &mut String, name: &str, kind: &str, lines: &BTreeMap<Line, u64>) {
    head(page, name, kind);
    for (line, value) in lines {
        let _fits = writeln!(page, "{name}{{{}}} {value}", labels(line));
    }
}

fn head(page: &mut String, name: &str, kind: &str) {
    let _fits = writeln!(
        page,
        "# HELP {name} as the twin counts it\n# TYPE {name} {kind}"
    );
}

fn histogram(page: &mut String, name: &str, lines: &BTreeMap<Line, (u64, u64)>) {
    head(page, name, "histogram");
    for (line, (count, sum)) in lines {
        let labels = labels(line);
        let _fits = writeln!(page, "{name}_bucket{{{labels},le=\"+Inf\"}} {count}");
        let _fits = writeln!(page, "{name}_count{{{labels}}} {count}");
        let _fits = writeln!(page, "{name}_sum{{{labels}}} {sum}");
    }
}

pub(super) fn page(world: &World) -> String {
    let mut page = String::new();
    let tallies = world.counters.tallies();
    family(
        &mut page,
        "apisix_http_status",
        "counter",
        &tallies.statuses,
    );
    histogram(&mut page, "apisix_http_latency", &tallies.latency);
    family(&mut page, "apisix_bandwidth", "counter", &tallies.bandwidth);
    family(
        &mut page,
        "apisix_llm_prompt_tokens",
        "counter",
        &tallies.prompt,
    );
    family(
        &mut page,
        "apisix_llm_completion_tokens",
        "counter",
        &tallies.completion,
    );
    histogram(&mut page, "apisix_llm_latency", &tallies.llm_latency);
    head(&mut page, "apisix_upstream_status", "gauge");
    for (node, up) in &tallies.nodes {
        let (ip, port) = node.rsplit_once(':').unwrap_or((node, ""));
        let up = u8::from(*up);
        let _fits = writeln!(
            page,
            "apisix_upstream_status{{name=\"{node}\",ip=\"{ip}\",port=\"{port}\"}} {up}"
        );
    }
    drop(tallies);
    let requests = world.counters.requests.load(Ordering::Relaxed);
    let open = world.counters.open.load(Ordering::SeqCst);
    let reachable = world.etcd(|etcd| etcd.state != EtcdState::Hung);
    let revision = world.etcd(|etcd| etcd.revision);
    head(&mut page, "apisix_http_requests_total", "gauge");
    let _fits = writeln!(page, "apisix_http_requests_total {requests}");
    head(&mut page, "apisix_nginx_http_current_connections", "gauge");
    let _fits = writeln!(
        page,
        "apisix_nginx_http_current_connections{{state=\"active\"}} {open}"
    );
    if !world.options.standalone {
        head(&mut page, "apisix_etcd_reachable", "gauge");
        let _fits = writeln!(page, "apisix_etcd_reachable {}", u8::from(reachable));
        head(&mut page, "apisix_etcd_modify_indexes", "gauge");
        let _fits = writeln!(
            page,
            "apisix_etcd_modify_indexes{{key=\"max_modify_index\"}} {revision}"
        );
    }
    head(&mut page, "apisix_node_info", "gauge");
    let _fits = writeln!(
        page,
        "apisix_node_info{{hostname=\"apisix-twin\",version=\"3.18.0\"}} 1"
    );
    page
}

/// The control API: what the first worker goes by. `None`: no such path.
pub(super) async fn control(world: &World, path: &str) -> Option<(u16, Value)> {
    let path = path.strip_prefix("/v1/")?;
    let (_, objects) = world.etcd(|etcd| etcd.seen(0));
    let (kind, id) = path.split_once('/').unwrap_or((path, ""));
    let folder = match kind {
        "healthcheck" => return Some((200, health(world, &objects).await)),
        "route" | "routes" => "/routes/",
        "service" | "services" => "/services/",
        "upstream" | "upstreams" => "/upstreams/",
        "global_rule" | "global_rules" => "/global_rules/",
        _ => return None,
    };
    let found = objects.iter().filter_map(|(key, object)| {
        let own = key.strip_prefix(folder)?;
        let shown = json!({
            "key": format!("/apisix{key}"),
            "value": object.value,
            "createdIndex": object.created,
            "modifiedIndex": object.modified,
        });
        (id.is_empty() || own == id).then_some(shown)
    });
    let mut found: Vec<Value> = found.collect();
    if id.is_empty() {
        return Some((200, Value::Array(found)));
    }
    match found.pop() {
        Some(one) => Some((200, one)),
        None => Some((404, json!({ "error_msg": "not found" }))),
    }
}

/// How the nodes of upstreams with checks fare; `{}` where no checker runs, and one runs only after a first request.
async fn health(world: &World, objects: &Objects) -> Value {
    let mut all = Vec::new();
    for (key, object) in objects {
        let Some(id) = key.strip_prefix("/upstreams/") else {
            continue;
        };
        let checked = object.value.pointer("/checks/active").is_some();
        if !checked || !world.counters.was_asked(&format!("upstream/{id}")) {
            continue;
        }
        let nodes = object.value.get("nodes").and_then(Value::as_object);
        let mut told = Vec::new();
        for (node, _) in nodes.into_iter().flatten() {
            let connect = timeout(Duration::from_secs(1), TcpStream::connect(node));
            let up = matches!(connect.await, Ok(Ok(_)));
            let (ip, port) = node.rsplit_once(':').unwrap_or((node, "80"));
            told.push(json!({
                "ip": ip, "port": port.parse::<u16>().unwrap_or(80), "hostname": ip,
                "status": if up { "healthy" } else { "unhealthy" },
                "counter": { "success": 0, "http_failure": 0, "tcp_failure": 0, "timeout_failure": 0 },
            }));
        }
        let kind = object.value.pointer("/checks/active/type").cloned();
        all.push(json!({ "name": format!("/apisix{key}"), "type": kind, "nodes": told }));
    }
    if all.is_empty() {
        return json!({});
    }
    Value::Array(all)
}
