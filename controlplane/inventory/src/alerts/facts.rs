//! What the rules find in one report. Pure: what a host says, and where it stands, in; what is wrong out.

use super::{AlertRules, Rule};
use crate::gauges::part;
use kill_wire::Timestamp;
use net_model::report::{Facts, Protocol, Report};
use net_model::{Tier, Zone};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Something that is wrong with a host now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) rule: Rule,
    pub(crate) subject: String,
    pub(crate) text: String,
}

/// Rules that look at each report.
pub(crate) const OF_REPORTS: [Rule; 10] = [
    Rule::Disk,
    Rule::Temperature,
    Rule::Posture,
    Rule::Listener,
    Rule::ModelWhileCut,
    Rule::NewModel,
    Rule::Canary,
    Rule::Unreachable,
    Rule::Clock,
    Rule::Place,
];

/// A new model is worth a look for a day.
const NEW_MS: u64 = 24 * 3_600_000;
/// Models of one host that are remembered; whoever names more makes them up.
const MODELS: usize = 256;

/// The models a host was seen with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Models {
    /// By digest: its name, since when, and whether the host was known before it came.
    known: BTreeMap<String, (String, Timestamp, bool)>,
    /// In memory when model calls were last not cut.
    loaded: BTreeSet<String>,
    /// Whether the host has told its models before.
    told: bool,
}

impl Models {
    /// As it stood when the program last ran. What is new then is as old as the store says.
    pub(crate) fn remember(&mut self, digest: String, name: String, since: Timestamp) {
        self.told = true;
        self.known.insert(digest, (name, since, false));
    }

    /// Takes a report in; gives the models that were never seen on this host.
    pub(crate) fn learn(
        &mut self,
        facts: &Facts,
        cut: bool,
        now: Timestamp,
    ) -> Vec<(String, String)> {
        let Some(ollama) = &facts.ollama else {
            return Vec::new();
        };
        if !cut {
            self.loaded = ollama
                .loaded
                .iter()
                .map(|it| it.digest.to_string())
                .collect();
        }
        let mut fresh = Vec::new();
        for model in &ollama.models {
            let digest = model.digest.to_string();
            if self.known.contains_key(&digest) || self.known.len() >= MODELS {
                continue;
            }
            let name = model.name.to_string();
            self.known
                .insert(digest.clone(), (name.clone(), now, self.told));
            fresh.push((digest, name));
        }
        self.told |= !ollama.models.is_empty();
        fresh
    }
}

/// What a report is judged by.
pub(crate) struct About<'a> {
    pub(crate) rules: &'a AlertRules,
    /// The zone of its certificate, where the house knows it.
    pub(crate) zone: Option<&'a Zone>,
    /// The other end of its connection.
    pub(crate) address: IpAddr,
    /// When it came.
    pub(crate) now: Timestamp,
    /// Whether model calls are cut.
    pub(crate) cut: bool,
    pub(crate) models: &'a Models,
}

/// Everything that [`OF_REPORTS`] find.
pub(crate) fn of_report(report: &Report, about: &About<'_>) -> Vec<Condition> {
    let facts = &report.facts;
    let mut found = Vec::new();
    disks(facts, about, &mut found);
    temperatures(facts, about, &mut found);
    containers(facts, &mut found);
    listeners(facts, about, &mut found);
    models(facts, about, &mut found);
    canaries(facts, &mut found);
    clock(report, about, &mut found);
    place(about, &mut found);
    found.retain(|condition| about.rules.of(condition.rule).on);
    found
}

fn note(found: &mut Vec<Condition>, rule: Rule, subject: impl Into<String>, text: String) {
    let subject = subject.into();
    found.push(Condition {
        rule,
        subject,
        text,
    });
}

fn disks(facts: &Facts, about: &About<'_>, found: &mut Vec<Condition>) {
    let above = about.rules.of(Rule::Disk).above;
    for disk in facts.disks.iter().filter(|disk| !disk.read_only) {
        let used = disk.size.and_then(|size| {
            let used = size.total_bytes.checked_sub(size.free_bytes)?;
            part(used, size.total_bytes)
        });
        if let Some(percent) = used.map(|ppm| ppm / 10_000).filter(|it| *it >= above) {
            let mount = &disk.mount;
            note(
                found,
                Rule::Disk,
                mount.as_str(),
                format!("{mount} is {percent} % full"),
            );
        }
    }
}

fn temperatures(facts: &Facts, about: &About<'_>, found: &mut Vec<Condition>) {
    let above = about.rules.of(Rule::Temperature).above;
    let temps = facts.temps.iter().map(|it| (&it.name, Some(it.temp_mc)));
    let gpus = facts.gpus.iter().map(|it| (&it.name, it.temp_mc));
    for (name, temp) in temps.chain(gpus) {
        if let Some(temp) = temp
            .map(|mc| i64::from(mc) / 1000)
            .filter(|it| *it >= above)
        {
            note(
                found,
                Rule::Temperature,
                name.as_str(),
                format!("{name} is at {temp} C"),
            );
        }
    }
}

fn containers(facts: &Facts, found: &mut Vec<Condition>) {
    for container in facts.containers.iter().filter(|it| it.posture.fail > 0) {
        let failing = container.posture.failing.iter().take(3);
        let failing: Vec<&str> = failing.map(|check| check.as_str()).collect();
        let (name, fail) = (&container.name, container.posture.fail);
        let text = format!(
            "container {name} fails {fail} checks: {}",
            failing.join(", ")
        );
        note(found, Rule::Posture, name.as_str(), text);
    }
}

fn listeners(facts: &Facts, about: &About<'_>, found: &mut Vec<Condition>) {
    if about.zone.is_none_or(|zone| zone.tier != Tier::Contained) {
        return;
    }
    for listener in &facts.listeners {
        if listener.address.is_loopback() || about.rules.ports.contains(&listener.port) {
            continue;
        }
        let protocol = match listener.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        let subject = format!("{protocol}/{}", listener.port);
        let text = format!(
            "listens on {} {subject}, which nobody allowed",
            listener.address
        );
        note(found, Rule::Listener, subject, text);
    }
}

fn models(facts: &Facts, about: &About<'_>, found: &mut Vec<Condition>) {
    let Some(ollama) = &facts.ollama else {
        return;
    };
    let models = about.models;
    for loaded in ollama.loaded.iter().filter(|_| about.cut) {
        if !models.loaded.contains(loaded.digest.as_str()) {
            let text = format!("model {} was loaded while model calls are cut", loaded.name);
            note(found, Rule::ModelWhileCut, loaded.digest.as_str(), text);
        }
    }
    for model in &ollama.models {
        match models.known.get(model.digest.as_str()) {
            Some((_, since, true)) if about.now.since(*since) < NEW_MS => {
                let text = format!("model {} ({}) is new here", model.name, model.digest);
                note(found, Rule::NewModel, model.digest.as_str(), text);
            }
            Some(_) => {}
            None => {
                let text = format!("names more than {MODELS} models in all");
                note(found, Rule::NewModel, "", text);
                break;
            }
        }
    }
}

fn canaries(facts: &Facts, found: &mut Vec<Condition>) {
    for canary in &facts.canary {
        let target = canary.target.to_string();
        if canary.is_breach() {
            let text = format!("reaches {target}, which it must not");
            note(found, Rule::Canary, target, text);
        } else if canary.is_missing() {
            let text = format!("does not reach {target}, which it must");
            note(found, Rule::Unreachable, target, text);
        }
    }
}

fn clock(report: &Report, about: &About<'_>, found: &mut Vec<Condition>) {
    // A report out of the buffer is old by itself.
    let waiting = report.facts.agent.as_ref().map_or(0, |agent| agent.waiting);
    let off = about.now.millis().abs_diff(report.at_ms) / 1000;
    let above = about.rules.of(Rule::Clock).above.unsigned_abs();
    if waiting <= 1 && off > above {
        let ahead = report.at_ms > about.now.millis();
        let side = if ahead { "ahead" } else { "behind" };
        note(
            found,
            Rule::Clock,
            "",
            format!("its clock is {off} s {side}"),
        );
    }
}

fn place(about: &About<'_>, found: &mut Vec<Condition>) {
    let Some(zone) = about.zone.filter(|zone| !zone.nets.is_empty()) else {
        return;
    };
    if !zone.holds(about.address) && !about.address.is_loopback() {
        let text = format!("speaks from {}, outside zone {}", about.address, zone.name);
        note(found, Rule::Place, "", text);
    }
}

#[cfg(test)]
mod tests;
