//! What one worker goes by: the stored objects, put together for matching.
//!
//! The longest path wins; priority only orders routes of the same path.

use super::{request::Asked, vars};
use crate::apisix::etcd::Objects;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, sync::Arc};

pub(super) type Plugins = Map<String, Value>;

#[derive(Debug)]
pub(super) struct Route {
    pub(super) id: String,
    pub(super) value: Value,
    /// The route's own, over those of its plugin config, over its service's.
    pub(super) plugins: Plugins,
    pub(super) upstream: Option<Upstream>,
}

#[derive(Clone, Debug)]
pub(super) struct Upstream {
    /// Where its turns are counted.
    pub(super) id: String,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) struct Consumer {
    pub(super) name: String,
    pub(super) plugins: Plugins,
}

#[derive(Debug, Default)]
pub(super) struct View {
    pub(super) globals: Vec<Plugins>,
    /// By pattern, in the order in which they are tried.
    routes: Vec<(String, Arc<Route>)>,
    pub(super) keys: BTreeMap<String, Consumer>,
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn plugins(value: &Value) -> Plugins {
    let own = value.get("plugins").and_then(Value::as_object);
    own.cloned().unwrap_or_default()
}

fn under<'a>(all: &'a Objects, folder: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    all.iter().filter_map(move |(key, object)| {
        let id = key.strip_prefix(folder)?;
        Some((id, &object.value))
    })
}

impl View {
    pub(super) fn of(all: &Objects) -> Self {
        let mut view = Self::default();
        for (_, rule) in under(all, "/global_rules/") {
            view.globals.push(plugins(rule));
        }
        for (id, value) in under(all, "/consumers/") {
            view.consumer(all, id, value);
        }
        for (id, value) in under(all, "/routes/") {
            if value.get("status").and_then(Value::as_u64) == Some(0) {
                continue;
            }
            let route = Arc::new(route(all, id, value));
            let several = value.get("uris").and_then(Value::as_array);
            let one = value.get("uri").into_iter();
            for uri in one.chain(several.into_iter().flatten()) {
                let uri = uri.as_str().unwrap_or_default().to_owned();
                view.routes.push((uri, Arc::clone(&route)));
            }
        }
        let rank = |uri: &str, route: &Route| {
            let priority = route.value.get("priority").and_then(Value::as_i64);
            // An exact path before a prefix, a long prefix before a short one.
            (
                uri.ends_with('*'),
                std::cmp::Reverse(uri.len()),
                std::cmp::Reverse(priority.unwrap_or(0)),
            )
        };
        view.routes.sort_by_key(|(uri, route)| rank(uri, route));
        view
    }

    fn consumer(&mut self, all: &Objects, id: &str, value: &Value) {
        let (name, own) = match id.split_once("/credentials/") {
            Some((name, _)) => (name, false),
            None => (id, true),
        };
        let Some(key) = value
            .pointer("/plugins/key-auth/key")
            .and_then(Value::as_str)
        else {
            return;
        };
        let holder = all.get(&format!("/consumers/{name}"));
        let mut held = holder.map_or_else(Plugins::new, |holder| plugins(&holder.value));
        let group = holder.map_or("", |holder| text(&holder.value, "group_id"));
        if let Some(group) = all.get(&format!("/consumer_groups/{group}")) {
            let mut merged = plugins(&group.value);
            merged.append(&mut held);
            held = merged;
        }
        held.remove("key-auth");
        if holder.is_some() || own {
            let consumer = Consumer {
                name: name.to_owned(),
                plugins: held,
            };
            self.keys.insert(key.to_owned(), consumer);
        }
    }

    /// The route for this request and the pattern that matched.
    pub(super) fn route(&self, asked: &Asked) -> Option<(&str, &Arc<Route>)> {
        let mut all = self.routes.iter();
        all.find(|(uri, route)| covers(uri, &asked.path) && route.takes(asked))
            .map(|(uri, route)| (uri.as_str(), route))
    }
}

fn covers(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => pattern == path,
    }
}

impl Route {
    fn takes(&self, asked: &Asked) -> bool {
        let listed = |key: &str, fits: &dyn Fn(&str) -> bool| {
            let all = self.value.get(key).and_then(Value::as_array);
            all.is_none_or(|all| all.iter().filter_map(Value::as_str).any(fits))
        };
        let host = |wanted: &str| match wanted.strip_prefix('*') {
            Some(end) => asked.host().ends_with(end),
            None => asked.host() == wanted,
        };
        let one = text(&self.value, "host");
        listed("methods", &|method| asked.method.as_str() == method)
            && listed("hosts", &host)
            && (one.is_empty() || host(one))
            && self
                .value
                .get("vars")
                .is_none_or(|rule| vars::holds(asked, rule))
    }
}

fn route(all: &Objects, id: &str, value: &Value) -> Route {
    let service = all.get(&format!("/services/{}", text(value, "service_id")));
    let config = all.get(&format!(
        "/plugin_configs/{}",
        text(value, "plugin_config_id")
    ));
    let mut merged = Plugins::new();
    for layer in [
        service.map(|o| &o.value),
        config.map(|o| &o.value),
        Some(value),
    ] {
        merged.extend(layer.map(plugins).unwrap_or_default());
    }
    let upstream = upstream(all, "route", id, value)
        .or_else(|| upstream(all, "service", text(value, "service_id"), &service?.value));
    Route {
        id: id.to_owned(),
        value: value.clone(),
        plugins: merged,
        upstream,
    }
}

fn upstream(all: &Objects, kind: &str, id: &str, value: &Value) -> Option<Upstream> {
    if let Some(own) = value.get("upstream") {
        return Some(Upstream {
            id: format!("{kind}/{id}"),
            value: own.clone(),
        });
    }
    let id = text(value, "upstream_id");
    let object = all.get(&format!("/upstreams/{id}"))?;
    Some(Upstream {
        id: format!("upstream/{id}"),
        value: object.value.clone(),
    })
}
