//! `[[gateway.targets]]`.

use crate::NAME;
use crate::secret_file;
use crate::word::one_of_or;
use kill_config::{Reading, Section};
use kill_wire::{Class, Name};
use net_model::{BaseUrl, BreakerRule, Renamed, Target, TargetKind, Timeouts};
use std::time::Duration;

const DAY_S: u64 = 24 * 3600;

/// Reads one target; `None` when a problem was noted that leaves it unusable.
pub(crate) fn target(mut section: Section<'_>, reading: &mut Reading<'_>) -> Option<Target> {
    let name = section.need_parsed::<Name>("name", NAME);
    let class = section.need("class", "`local` or `cloud`");
    let class = class.and_then(|text| class_of(&section, "class", &text));
    let base_url =
        section.need_parsed::<BaseUrl>("base_url", "a base URL, such as http://127.0.0.1:11434/v1");
    let usual = TargetKind::default();
    let kind = one_of_or(&mut section, "kind", &TargetKind::ALL, usual);
    let key = section.key("secret_file");
    let secret = section.text("secret_file", "the path of a file with the provider's key");
    let secret = secret.map(|path| {
        let read = secret_file::read(&key, &reading.folder.join(path), reading.warnings);
        reading.problems.take(&key, read)
    });
    let models = renamed(&mut section);
    let timeouts = timeouts(&mut section);
    let max_open = section.number("max_open", 1..=100_000);
    let breaker = breaker(section.section("breaker"));
    let health_every = section
        .span("health_every", 1..=DAY_S)
        .map(Duration::from_secs);
    section.finish();
    Some(Target {
        key: match secret {
            None => None,
            Some(read) => Some(read?),
        },
        kind: kind?,
        models: models?,
        timeouts,
        max_open: max_open.and_then(|most| u32::try_from(most).ok()),
        breaker,
        health_every,
        ..Target::new(name?, class?, base_url?)
    })
}

/// `local` or `cloud`; anything else is noted.
#[must_use]
pub fn class_of(section: &Section<'_>, key: &str, text: &str) -> Option<Class> {
    match text {
        "local" => Some(Class::Local),
        "cloud" => Some(Class::Cloud),
        other => {
            let short: String = other.chars().take(40).collect();
            section.note(key, &format!("`{short}` is not `local` or `cloud`"));
            None
        }
    }
}

fn renamed(section: &mut Section<'_>) -> Option<Vec<Renamed>> {
    let expected =
        "a list such as [\"gpt-4o=qwen2.5:14b\"]: what is asked for = what the target is asked for";
    let wishes = section.texts("models", expected).unwrap_or_default();
    let read = wishes.iter().map(|wish| {
        let pair = wish.split_once('=').map(|(asked, sent)| Renamed {
            asked: asked.trim().to_owned(),
            sent: sent.trim().to_owned(),
        });
        let pair = pair.filter(|pair| {
            [&pair.asked, &pair.sent]
                .iter()
                .all(|name| (1..=128).contains(&name.len()) && !name.chars().any(char::is_control))
        });
        if pair.is_none() {
            section.note("models", &format!("expected {expected}"));
        }
        pair
    });
    read.collect()
}

fn timeouts(section: &mut Section<'_>) -> Timeouts {
    let usual = Timeouts::default();
    let mut span = |key, usual: Duration| {
        section
            .span(key, 1..=DAY_S)
            .map_or(usual, Duration::from_secs)
    };
    Timeouts {
        connect: span("connect_timeout", usual.connect),
        first_byte: span("first_byte_timeout", usual.first_byte),
        idle: span("idle_timeout", usual.idle),
    }
}

fn breaker(section: Option<Section<'_>>) -> BreakerRule {
    let usual = BreakerRule::default();
    let Some(mut section) = section else {
        return usual;
    };
    let failures = section.number("failures", 1..=1000);
    let within = section.span("within", 1..=3600);
    let pause = section.span("pause", 1..=3600);
    let slow = section.span("slow_first_token", 1..=3600);
    section.finish();
    BreakerRule {
        failures: failures.map_or(usual.failures, |count| u32::try_from(count).unwrap_or(1)),
        within: within.map_or(usual.within, Duration::from_secs),
        pause: pause.map_or(usual.pause, Duration::from_secs),
        slow_first_token: slow.map(Duration::from_secs),
    }
}
