//! What a host says of itself, in lines.

use super::driven::lines as targets;
use super::hosts::percent;
use net_model::CanaryVerdict;
use net_model::report::{Container, Facts, GatewayFact, Liveness, Ollama};

/// Each section that is there, under its title.
pub(super) fn said(facts: &Facts) -> Vec<(&'static str, Vec<String>)> {
    let ollama = facts.ollama.as_ref();
    let gpus = facts.gpus.iter();
    let gpus = gpus.map(|gpu| format!("{}: {}", gpu.name, percent(gpu.busy_ppm.map(i64::from))));
    let listeners = facts.listeners.iter();
    let listeners = listeners.map(|it| format!("{} port {}", it.address, it.port));
    let unknown = facts.unknown.iter();
    let unknown = unknown.map(|it| format!("{}: {}", it.what, it.why));
    [
        ("Disks", disks(facts)),
        ("Graphics", gpus.collect()),
        (
            "Containers",
            facts.containers.iter().map(container).collect(),
        ),
        ("Models", ollama.map(models).unwrap_or_default()),
        ("Models in memory", ollama.map(loaded).unwrap_or_default()),
        ("Gateways", facts.gateways.iter().map(gateway).collect()),
        ("Gateways it drives", driven(facts)),
        ("Listens on", listeners.collect()),
        ("Probes", probes(facts)),
        ("Not known", unknown.collect()),
    ]
    .into_iter()
    .filter(|(_, lines): &(_, Vec<String>)| !lines.is_empty())
    .collect()
}

fn gib(bytes: u64) -> String {
    format!("{}.{} GiB", bytes >> 30, (bytes >> 20) % 1024 * 10 / 1024)
}

fn disks(facts: &Facts) -> Vec<String> {
    let disks = facts.disks.iter().map(|disk| {
        let size = disk.size.map_or_else(
            || "did not answer".to_owned(),
            |size| format!("{} free of {}", gib(size.free_bytes), gib(size.total_bytes)),
        );
        format!("{} ({}): {size}", disk.mount, disk.filesystem)
    });
    disks.collect()
}

fn container(it: &Container) -> String {
    let posture = &it.posture;
    let failing: Vec<&str> = posture.failing.iter().map(|check| check.as_str()).collect();
    format!(
        "{} ({}): {} pass, {} warn, {} fail, {} unknown {}",
        it.name,
        it.image,
        posture.pass,
        posture.warn,
        posture.fail,
        posture.unknown,
        failing.join(" ")
    )
}

fn models(ollama: &Ollama) -> Vec<String> {
    let models = ollama.models.iter();
    let models = models.map(|it| format!("{} {} ({})", it.name, it.digest, gib(it.size_bytes)));
    models.collect()
}

fn loaded(ollama: &Ollama) -> Vec<String> {
    let loaded = ollama.loaded.iter().map(|it| match it.spilled_bytes {
        0 => format!("{}: {}", it.name, gib(it.size_bytes)),
        spilled => format!(
            "{}: {}, {} of it not in graphics memory",
            it.name,
            gib(it.size_bytes),
            gib(spilled)
        ),
    });
    loaded.collect()
}

fn gateway(it: &GatewayFact) -> String {
    let said = match (it.live, it.ready) {
        (Liveness::Up, Liveness::Up) => "runs and is ready",
        (Liveness::Up, Liveness::Down) => "runs and is not ready",
        (Liveness::Up, Liveness::Unknown) => "runs; whether it is ready is not known",
        (Liveness::Down, _) => "is not well",
        (Liveness::Unknown, _) => "does not answer",
    };
    let took = it
        .took_ms
        .map_or_else(String::new, |ms| format!(" ({ms} ms)"));
    format!("{}: {said}{took}", it.name)
}

fn driven(facts: &Facts) -> Vec<String> {
    let mut lines = Vec::new();
    for it in &facts.driven {
        let follows = if it.follows {
            "holds what is in force"
        } else {
            "does not follow"
        };
        let drifted = match it.drifted {
            0 => String::new(),
            times => format!(", was not as wanted {times} times"),
        };
        lines.push(format!("{} ({}): {follows}{drifted}", it.name, it.kind));
        lines.extend(it.notes.iter().map(|note| format!("{}: {note}", it.name)));
        lines.extend(targets(it));
    }
    lines
}

fn probes(facts: &Facts) -> Vec<String> {
    let probes = facts.canary.iter().map(|it| {
        let must = if it.must {
            "must be reached"
        } else {
            "must not be reached"
        };
        let found = match it.verdict() {
            CanaryVerdict::Holds => "and so it is",
            CanaryVerdict::Unknown => "and nobody knows",
            CanaryVerdict::Missing => "and is not",
            CanaryVerdict::Breach => "and is",
        };
        format!("{} {must}, {found}", it.target)
    });
    probes.collect()
}
