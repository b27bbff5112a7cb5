//! Consumers: what the files say of them, and a change of those that the control plane keeps.

use super::{Desk, failed, kept, refused};
use crate::clock;
use crate::config::{self, Config, Fallback, kept as kept_file, mistakes};
use crate::paths::Home;
use crate::private;
use crate::random::random;
use anyhow::Context as _;
use dash::{ConsumerBook, ConsumerChange, ConsumerView, Trouble, TroubleKind};
use data_encoding::HEXLOWER;
use gateway_config::KEPT;
use kill_config::Lines;
use kill_wire::Class;
use net_model::{
    Allowance, AtEnd, Budget, Consumer, KeyHash, Limit, Rules, Selector, Target, When,
};
use rustix::fs::{FlockOperation, flock};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use toml::Table;
use zeroize::Zeroizing;

/// Stands in where the file names no target and no consumer: only names and keys count here.
pub(super) fn fallback(home: &Home) -> Fallback {
    let key = private::secret(&home.agent_key());
    Fallback {
        target: stand_in(),
        key: key.map_or_else(|_| KeyHash::of(b""), |key| key.hash()),
    }
}

#[expect(
    clippy::expect_used,
    reason = "two constants, parsed in every test of this module"
)]
fn stand_in() -> Target {
    let name = "ollama".parse().expect("a name");
    let url = "http://127.0.0.1:11434/v1".parse().expect("an address");
    Target::new(name, Class::Local, url)
}

/// Everybody, with where each stands.
pub(super) fn book(desk: &Desk) -> Result<ConsumerBook, Trouble> {
    let config = desk.read()?;
    let kept = kept_table(desk)?;
    let places = Places::read(desk, &config, &kept);
    let table = config.gateway.table(&desk.fallback()).map_err(|problems| {
        desk.mistaken(&kill_config::BadConfig {
            file: desk.file.clone(),
            problems,
        })
    })?;
    let routes: Vec<String> = table
        .routes()
        .iter()
        .map(|it| it.name.to_string())
        .collect();
    let rules = config.gateway.rules();
    let consumers = table.consumers().iter();
    let consumers = consumers.map(|it| view(it, &config, &kept, &places, &routes));
    Ok(ConsumerBook {
        consumers: consumers.collect(),
        roles: roles(table.consumers(), rules),
        kept_in: desk.home.consumers().display().to_string(),
        routes,
    })
}

/// Roles that somebody has, or a rule is about.
fn roles(consumers: &[Consumer], rules: &Rules) -> Vec<String> {
    let held = consumers.iter().filter_map(|it| it.role.as_ref());
    let limits = rules.limits.iter().filter_map(|it| it.of.role.as_ref());
    let budgets = rules.budgets.iter().filter_map(|it| it.of.role.as_ref());
    let all = held.chain(limits).chain(budgets).map(ToString::to_string);
    all.collect::<BTreeSet<String>>().into_iter().collect()
}

fn view(
    it: &Consumer,
    config: &Config,
    kept: &Table,
    places: &Places,
    routes: &[String],
) -> ConsumerView {
    let rules = config.gateway.rules();
    let named = it.routes.iter().filter_map(|at| routes.get(*at).cloned());
    let (source, is_kept, built_in) = places.of(it.name.as_str());
    let budgets = rules.budgets.iter().filter(|rule| about(&rule.of, it));
    let limits = rules.limits.iter().filter(|rule| about(&rule.of, it));
    let old = it.old_key.map(|old| old.until);
    ConsumerView {
        name: it.name.to_string(),
        role: it.role.as_ref().map(ToString::to_string),
        routes: named.collect(),
        key: it.key.to_hex().chars().take(8).collect(),
        old_key_until: old.filter(|until| *until > clock::now()),
        local: when(&it.policy.local),
        cloud: when(&it.policy.cloud),
        rules: budgets.map(budget).chain(limits.map(limit)).collect(),
        source,
        kept: is_kept,
        built_in,
        own: kept::own(kept, it.name.as_str()),
    }
}

/// Whether a rule is about this consumer, by name, by role or about everybody.
fn about(of: &Selector, it: &Consumer) -> bool {
    let named = of.consumer.as_ref().is_none_or(|name| *name == it.name);
    let role = of
        .role
        .as_ref()
        .is_none_or(|role| it.role.as_ref() == Some(role));
    named && role
}

fn budget(it: &Budget) -> String {
    let money = it.money.map(|money| format!("{money} USD"));
    let tokens = it
        .tokens
        .map(|tokens| format!("{} tokens", net_model::grouped(tokens)));
    let amounts: Vec<String> = money.into_iter().chain(tokens).collect();
    let end = match &it.at_end {
        AtEnd::Hard => String::new(),
        AtEnd::Soft => ", only said".to_owned(),
        AtEnd::Trip(scope) => format!(", then {scope} is cut"),
    };
    let (amounts, window) = (amounts.join(" and "), it.window.as_str());
    format!("{}: {amounts} a {window}{end}{}", it.name, narrowed(&it.of))
}

fn limit(it: &Limit) -> String {
    let requests = it
        .requests_per_minute
        .map(|n| format!("{n} requests a minute"));
    let tokens = it.tokens_per_minute;
    let tokens = tokens.map(|n| format!("{} tokens a minute", net_model::grouped(n)));
    let open = it.open.map(|n| format!("{n} open at once"));
    let all: Vec<String> = requests.into_iter().chain(tokens).chain(open).collect();
    format!("{}: {}{}", it.name, all.join(", "), narrowed(&it.of))
}

/// What else a rule is narrowed to.
fn narrowed(of: &Selector) -> String {
    let role = of.role.as_ref().map(|role| format!("all of role {role}"));
    let route = of.route.as_ref().map(|route| format!("by {route}"));
    let model = of
        .model
        .as_ref()
        .map(|model| format!("for {}", model.as_str()));
    let class = of.class.map(|class| match class {
        Class::Local => "local".to_owned(),
        Class::Cloud => "cloud".to_owned(),
    });
    let all: Vec<String> = role
        .into_iter()
        .chain(route)
        .chain(model)
        .chain(class)
        .collect();
    match (all.is_empty(), of.consumer.is_none() && of.role.is_none()) {
        (true, true) => " (everybody together)".to_owned(),
        (true, false) => String::new(),
        (false, _) => format!(" ({})", all.join(", ")),
    }
}

fn when(of: &Allowance) -> String {
    match &of.when {
        When::Always => "always".to_owned(),
        When::Never => "never".to_owned(),
        When::Hours(_) => "at its hours".to_owned(),
    }
}

/// Where consumers stand: by name, in which line.
struct Places {
    /// What the file is called, where there is one.
    own: Option<String>,
    file: BTreeMap<String, Option<usize>>,
    kept: BTreeMap<String, Option<usize>>,
}

impl Places {
    fn read(desk: &Desk, config: &Config, kept: &Table) -> Self {
        let shown =
            |path: &std::path::Path| path.file_name().map(|it| it.to_string_lossy().into_owned());
        let text = |path: &std::path::Path| kill_config::text(path).unwrap_or_default();
        let own = desk.file.as_deref();
        let section = config.raw.get("gateway").and_then(toml::Value::as_table);
        let in_file = section.map(kept::names).unwrap_or_default();
        Self {
            file: placed_in(&own.map(text).unwrap_or_default(), "gateway.", in_file),
            kept: placed_in(&text(&desk.home.consumers()), "", kept::names(kept)),
            own: own.and_then(shown),
        }
    }

    /// In words; whether the control plane keeps it; whether it is built in.
    fn of(&self, name: &str) -> (String, bool, bool) {
        if let Some(line) = self.kept.get(name) {
            return (placed(KEPT, *line), true, false);
        }
        match (self.file.get(name), &self.own) {
            (Some(line), Some(file)) => (placed(file, *line), false, false),
            (Some(_), None) | (None, _) => ("built in".to_owned(), false, true),
        }
    }
}

/// The line of each; the text is read once for all of them.
fn placed_in(text: &str, under: &str, names: Vec<String>) -> BTreeMap<String, Option<usize>> {
    let lines = Lines::of(text);
    let line = |at: usize| lines.line(&format!("{under}consumers[{at}].name"));
    let mut found = BTreeMap::new();
    for (at, name) in names.into_iter().enumerate() {
        found.entry(name).or_insert_with(|| line(at));
    }
    found
}

fn placed(file: &str, line: Option<usize>) -> String {
    line.map_or_else(|| file.to_owned(), |line| format!("{file} line {line}"))
}

fn kept_table(desk: &Desk) -> Result<Table, Trouble> {
    let path = desk.home.consumers();
    kept_file::table(&path).map_err(|problems| {
        desk.mistaken(&kill_config::BadConfig {
            file: desk.file.clone(),
            problems,
        })
    })
}

/// A change of one that is kept, written down and in force when this returns.
pub(super) fn change(desk: &Desk, change: &ConsumerChange) -> Result<Option<String>, Trouble> {
    let _one = desk
        .one
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let path = desk.home.consumers();
    let folder = path.parent().unwrap_or_else(|| desk.home.root());
    // Another process of the house may run a control plane on the same folder.
    let lock = File::open(folder).with_context(|| format!("cannot open {}", folder.display()));
    let lock = lock.map_err(|why| failed(&why))?;
    flock(&lock, FlockOperation::LockExclusive).map_err(|why| failed(&why.into()))?;
    let before = std::fs::read_to_string(&path).ok();
    let book = book(desk)?;
    let mut table = kept_table(desk)?;
    let fresh = match change {
        ConsumerChange::Create { .. } | ConsumerChange::Rotate { .. } => {
            Some(key().map_err(|why| failed(&why))?)
        }
        ConsumerChange::Change { .. } | ConsumerChange::Revoke { .. } => None,
    };
    let hash = fresh.as_ref().map(|key| KeyHash::of(key.as_bytes()));
    let built_in = fallback(&desk.home).key;
    kept::apply(&mut table, change, &book, hash, built_in, clock::now())?;
    let own = config::raw(desk.file.as_deref()).map_err(|bad| desk.mistaken(&bad))?;
    let text = kept::text(&table);
    desk.checked(own, table)
        .map_err(|problems| found(desk, &text, &problems))?;
    private::write(&path, &text).map_err(|why| failed(&why))?;
    let report = desk.reload();
    if let Ok(report) = &report
        && report.good
    {
        return Ok(fresh.map(|key| key.to_string()));
    }
    put_back(&path, before.as_deref()).map_err(|why| failed(&why))?;
    // What was in force stays; this only has the files read as they are again.
    drop(desk.reload());
    Err(match report {
        Ok(report) => Trouble {
            kind: TroubleKind::Refused,
            text: "It was not taken over; everything is as it was.".to_owned(),
            mistakes: report.mistakes,
        },
        Err(trouble) => trouble,
    })
}

fn key() -> anyhow::Result<Zeroizing<String>> {
    Ok(Zeroizing::new(format!(
        "pck_{}",
        HEXLOWER.encode(&*random::<32>()?)
    )))
}

fn put_back(path: &std::path::Path, before: Option<&str>) -> anyhow::Result<()> {
    match before {
        Some(text) => private::write(path, text),
        None => {
            std::fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))
        }
    }
}

/// What is wrong with what the file would be: in words, since nobody sees its lines.
fn found(desk: &Desk, text: &str, problems: &[kill_config::Problem]) -> Trouble {
    let strip = |it: &kill_config::Problem| {
        kill_config::Problem::new(
            it.key.trim_start_matches(KEPT).trim_start_matches('.'),
            it.text.clone(),
        )
    };
    let (mine, others): (Vec<_>, Vec<_>) = problems.iter().partition(|it| it.key.starts_with(KEPT));
    let mut all: Vec<_> = mine
        .into_iter()
        .map(|it| mistakes::mistake(&strip(it), text))
        .collect();
    let others: Vec<_> = others.into_iter().cloned().collect();
    all.extend(mistakes::listed(
        desk.file.as_deref(),
        &desk.home.consumers(),
        &others,
    ));
    Trouble {
        mistakes: all,
        ..refused("Nothing was changed.")
    }
}
