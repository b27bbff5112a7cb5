//! An APISIX's objects in our words: as its admin API lists them, or as they stand in the file of a standalone one. Pure.

mod upstream;

use super::found::{Found, FoundConsumer, at, printable};
use kill_wire::Name;
use serde_json::Value;
use upstream::{instance, nodes};

/// Kinds of objects; in a file each is a list under its name.
pub(super) const KINDS: [&str; 9] = [
    "routes",
    "upstreams",
    "services",
    "consumers",
    "plugin_configs",
    "global_rules",
    "ssls",
    "stream_routes",
    "consumer_groups",
];
/// What we make in an APISIX begins so, in ids; in names of consumers with the other.
const OURS: [&str; 2] = ["portcullis-", "portcullis_"];
/// Paths of the APIs that models are asked by.
const MODEL_PATHS: [&str; 8] = [
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/responses",
    "/v1/messages",
    "/v1/models",
    "/api/chat",
    "/api/generate",
];
const MOST: usize = 256;

/// Reads all of it; each kind is a list of objects under its name.
pub(super) fn read(all: &Value, found: &mut Found) {
    let list = |kind: &str| all[kind].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut keyed: Vec<(Name, Vec<String>)> = Vec::new();
    for route in list("routes").iter().take(MOST) {
        let called = called(route);
        if ours(route) {
            found.leave(format!("route {called}"), "it is ours already");
            continue;
        }
        if route["status"] == 0 {
            found.leave(format!("route {called}"), "it is switched off");
            continue;
        }
        let plugins = plugins(route, all);
        let before = found.routes.len();
        one(route, &called, &plugins, all, found);
        let Some(made) = found.routes.get(before).map(|made| made.name.clone()) else {
            continue;
        };
        let has = |name: &str| plugins.iter().any(|(plugin, _)| plugin == name);
        if has("key-auth") {
            let allowed = plugins
                .iter()
                .find(|(plugin, _)| plugin == "consumer-restriction");
            let names = allowed.and_then(|(_, of)| of["whitelist"].as_array());
            let names = names.into_iter().flatten().filter_map(Value::as_str);
            keyed.push((made, names.map(str::to_owned).collect()));
        } else {
            found.leave(
                format!("no key is asked for on route {called}"),
                "here every consumer has one",
            );
        }
    }
    for consumer in list("consumers").iter().take(MOST) {
        take_consumer(consumer, &keyed, found);
    }
    rest(all, found);
}

fn called(object: &Value) -> String {
    let names = ["name", "username", "id"];
    let mut named = names.iter().filter_map(|field| object[*field].as_str());
    printable(named.next().unwrap_or("without a name"))
}

fn ours(object: &Value) -> bool {
    let id = object["id"]
        .as_str()
        .or_else(|| object["username"].as_str());
    id.is_some_and(|id| OURS.iter().any(|prefix| id.starts_with(prefix)))
}

/// The object that another refers to.
fn referred<'a>(all: &'a Value, kind: &str, id: &Value) -> Option<&'a Value> {
    let text = |it: &Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
    let listed = all[kind].as_array()?;
    listed
        .iter()
        .find(|it| !id.is_null() && text(&it["id"]) == text(id))
}

/// A route's plugins, with those of its service and its plugin config.
fn plugins(route: &Value, all: &Value) -> Vec<(String, Value)> {
    let mut found: Vec<(String, Value)> = Vec::new();
    let config = referred(all, "plugin_configs", &route["plugin_config_id"]);
    let service = referred(all, "services", &route["service_id"]);
    for holder in [Some(route), config, service].into_iter().flatten() {
        for (name, of) in holder["plugins"].as_object().into_iter().flatten() {
            let off = *at(of, "/_meta/disable") == true;
            if !off && found.iter().all(|(known, _)| known != name) {
                found.push((name.clone(), of.clone()));
            }
        }
    }
    found
}

fn one(route: &Value, called: &str, plugins: &[(String, Value)], all: &Value, found: &mut Found) {
    let mut targets = Vec::new();
    let mut models = vec!["*".to_owned()];
    let plugin = |name: &str| {
        plugins
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, of)| of)
    };
    if let Some(proxy) = plugin("ai-proxy") {
        targets.extend(instance(proxy, "", called, found));
        models = asked(route).unwrap_or(models);
    } else if let Some(multi) = plugin("ai-proxy-multi") {
        let instances = multi["instances"].as_array().into_iter().flatten();
        let mut instances: Vec<&Value> = instances.collect();
        instances.sort_by_key(|it| std::cmp::Reverse(it["priority"].as_i64().unwrap_or_default()));
        for it in instances {
            let name = it["name"].as_str().unwrap_or_default();
            targets.extend(instance(it, name, called, found));
        }
        models = asked(route).unwrap_or(models);
    } else if is_model_api(route) {
        let service = referred(all, "services", &route["service_id"]);
        targets.extend(nodes(route, service, all, called, found));
    } else {
        found.leave(
            format!("route {called}"),
            "its paths are no API that models are asked by",
        );
        return;
    }
    for (name, _) in plugins {
        if ![
            "key-auth",
            "consumer-restriction",
            "ai-proxy",
            "ai-proxy-multi",
        ]
        .contains(&name.as_str())
        {
            found.leave(
                format!("plugin {} of route {called}", printable(name)),
                counterpart(name),
            );
        }
    }
    if targets.is_empty() {
        found.leave(
            format!("route {called}"),
            "no server that it leads to can be spoken to by this gateway",
        );
    }
    found.route(called, models, targets);
}

/// The model a route is for, where its conditions say so.
fn asked(route: &Value) -> Option<Vec<String>> {
    let vars = route["vars"].as_array()?;
    let named = vars.iter().filter_map(|var| {
        let about = var[0].as_str()?;
        let model = about == "post_arg.model" || about == "post_arg_model";
        (model && var[1] == "==").then(|| var[2].as_str().map(str::to_owned))?
    });
    let named: Vec<String> = named.collect();
    (!named.is_empty()).then_some(named)
}

fn is_model_api(route: &Value) -> bool {
    let more = route["uris"].as_array().into_iter().flatten();
    let paths = more.chain([&route["uri"]]).filter_map(Value::as_str);
    let mut paths = paths.map(|path| {
        path.split_once('*')
            .map_or((path, false), |(start, _)| (start, true))
    });
    paths.any(|(path, open)| {
        MODEL_PATHS.iter().any(|known| {
            if open {
                path.len() > 1 && known.starts_with(path)
            } else {
                *known == path
            }
        })
    })
}

/// A consumer with a key may take each route that lets it in.
fn take_consumer(consumer: &Value, keyed: &[(Name, Vec<String>)], found: &mut Found) {
    let called = called(consumer);
    if ours(consumer) {
        found.leave(format!("consumer {called}"), "it is ours already");
        return;
    }
    let username = consumer["username"].as_str().unwrap_or_default();
    let credentials = consumer["credentials"].as_array().into_iter().flatten();
    let has_key = credentials
        .chain([consumer])
        .any(|it| !at(it, "/plugins/key-auth").is_null());
    if !has_key {
        found.leave(format!("consumer {called}"), "it has no key of key-auth");
        return;
    }
    let routes = keyed
        .iter()
        .filter(|(_, only)| only.is_empty() || only.iter().any(|it| it == username));
    let routes: Vec<Name> = routes.map(|(route, _)| route.clone()).collect();
    let Some(name) = found.free(&called).filter(|_| !routes.is_empty()) else {
        found.leave(
            format!("consumer {called}"),
            "no route that is carried over lets it in",
        );
        return;
    };
    let from = format!("APISIX: key of key-auth of consumer {called}, without `Bearer `");
    let key_file = Some(found.secret(&from, &name));
    found.consumers.push(FoundConsumer {
        name,
        key_file,
        key_sha256: None,
        routes,
    });
}

fn rest(all: &Value, found: &mut Found) {
    for (kind, objects) in all.as_object().into_iter().flatten() {
        let carried = [
            "routes",
            "upstreams",
            "services",
            "consumers",
            "plugin_configs",
        ];
        if carried.contains(&kind.as_str()) {
            continue;
        }
        for object in objects.as_array().into_iter().flatten() {
            let why = match kind.as_str() {
                "global_rules" if ours(object) => "it is ours already",
                "ssls" => "write [gateway.tls]",
                _ => "it has no counterpart here",
            };
            found.leave(format!("{} {}", printable(kind), called(object)), why);
        }
    }
}

fn counterpart(plugin: &str) -> &'static str {
    match plugin {
        "limit-count" | "limit-req" | "limit-conn" | "ai-rate-limiting" => {
            "write [[gateway.limits]]"
        }
        "prometheus" => "the gateway has figures of its own at /metrics",
        "http-logger" | "kafka-logger" | "file-logger" => {
            "the ledger and [gateway.access_log] do that"
        }
        "proxy-rewrite" => "paths pass as they are",
        "proxy-buffering" => "nothing is held back here",
        "request-id" => "every answer has one",
        "fault-injection" => "a cut is an order of the kill switch",
        _ => "it has no counterpart here",
    }
}
