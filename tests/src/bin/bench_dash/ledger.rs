//! A year of exchanges: half of them evenly over it, half in its last week, so that today and the last hour are busy, too.

use kill_wire::{Class, Name, Timestamp};
use net_model::{
    Api, DashRole, Ended, KeyHash, MicroDollars, Remark, RemarkKind, SignedInBy, Stage, Step,
    Story, UsageRecord, Verdict,
};
use store::{Cursor, NewChange, Store, TokenRecord};

/// Agents that ask.
pub(crate) const CONSUMERS: u64 = 50;
/// Ways to models.
pub(crate) const ROUTES: u64 = 6;
/// Who answers; the later half stands outside the house.
pub(crate) const TARGETS: u64 = 8;
/// What is asked for.
const MODELS: u64 = 20;

/// Rows of one transaction.
const AT_ONCE: u64 = 10_000;
/// One of so many requests has a story to tell.
const TOLD: u64 = 20;
const DAY_MS: u64 = 86_400_000;

/// One of the house's names, such as `agent7`.
pub(crate) fn name(kind: &str, number: u64) -> anyhow::Result<Name> {
    Ok(format!("{kind}{number}").parse()?)
}

/// Numbers that look like chance and are the same each time (SplitMix64).
pub(crate) const fn mixed(number: u64) -> u64 {
    let n = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// The id of an exchange, as the gateway makes them.
pub(crate) fn id(number: u64) -> String {
    format!("5eed0001-{number}")
}

/// When the n-th of so many ended: in the order of time.
fn at(number: u64, of: u64, now: Timestamp) -> Timestamp {
    let (year, week) = (365 * DAY_MS, 7 * DAY_MS);
    let half = (of / 2).max(1);
    let ago = if number < half {
        year - (year - week) * number / half
    } else {
        week - week * (number - half) / (of - half).max(1)
    };
    Timestamp::from_millis(now.millis().saturating_sub(ago))
}

fn record(number: u64, at: Timestamp) -> anyhow::Result<UsageRecord> {
    let chance = mixed(number);
    let consumer = chance % CONSUMERS;
    let target = (consumer + chance / 64 % 3) % TARGETS;
    let local = target < TARGETS / 2;
    let known = !chance.is_multiple_of(500);
    let prompt = chance / 128 % 4000;
    Ok(UsageRecord {
        id: id(number),
        at,
        consumer: name("agent", consumer)?,
        route: name("route", consumer % ROUTES)?,
        target: name("target", target)?,
        class: if local { Class::Local } else { Class::Cloud },
        model: format!("model-{}", (consumer + chance / 256 % 3) % MODELS),
        stream: chance.is_multiple_of(2),
        status: 200,
        prompt_tokens: prompt,
        completion_tokens: chance / 512 % 900,
        estimated: chance.is_multiple_of(50),
        took_ms: 200 + chance / 1024 % 9000,
        ended: Ended::Complete,
        incident: None,
        api: Api::Chat,
        cached_tokens: prompt / 2,
        reasoning_tokens: 0,
        cost: known.then_some(MicroDollars(if local { 0 } else { prompt * 3 })),
        fell_back_from: chance
            .is_multiple_of(200)
            .then(|| name("target", (target + 1) % TARGETS))
            .transpose()?,
        first_byte_ms: Some(50 + chance / 2048 % 900),
    })
}

fn story(it: &UsageRecord) -> Story {
    let step = |after_ms, stage, verdict, text: &str| Step {
        after_ms,
        stage,
        verdict,
        rule: Some("pace".to_owned()),
        target: Some(it.target.clone()),
        incident: None,
        text: text.to_owned(),
    };
    Story {
        id: it.id.clone(),
        at: it.at,
        asked_as: None,
        trace: None,
        told_as: None,
        consumer: Some(it.consumer.clone()),
        api: Some(it.api),
        model: Some(it.model.clone()),
        status: it.status,
        code: None,
        took_ms: it.took_ms,
        steps: vec![
            step(0, Stage::Identity, Verdict::Passed, "known by its key"),
            step(1, Stage::Latch, Verdict::Passed, "nothing it needs is cut"),
            step(2, Stage::Budget, Verdict::Passed, "room in every budget"),
            step(3, Stage::Target, Verdict::PassedOver, "its breaker is open"),
            step(it.took_ms, Stage::Answer, Verdict::Passed, "answered whole"),
        ],
    }
}

/// Writes all of it, as the control plane takes a spool in.
pub(crate) async fn fill(store: &Store, of: u64, now: Timestamp) -> anyhow::Result<()> {
    let fortnight = Timestamp::from_millis(now.millis().saturating_sub(14 * DAY_MS));
    for first in (0..of).step_by(usize::try_from(AT_ONCE)?) {
        let mut records = Vec::new();
        for number in first..of.min(first + AT_ONCE) {
            records.push(record(number, at(number, of, now))?);
        }
        let told = records.iter().filter(|it| it.at > fortnight);
        let told = told.step_by(usize::try_from(TOLD)?);
        let stories: Vec<Story> = told.map(story).collect();
        let cursor = Cursor::default();
        store.ingest_told(&records, &stories, &cursor).await?;
    }
    Ok(())
}

/// What else such a house has: remarks, changes that people made, tokens of programs.
pub(crate) async fn fill_besides(store: &Store, now: Timestamp) -> anyhow::Result<()> {
    for number in 0..400 {
        let ago = number * 3_600_000 / 2;
        let remark = Remark {
            at: Timestamp::from_millis(now.millis().saturating_sub(ago)),
            consumer: Some(name("agent", number % CONSUMERS)?),
            kind: RemarkKind::Alert,
            text: format!("asks the same again and again: {number} times in a minute"),
        };
        store
            .keep_remark(&format!("remark-{number}"), &remark)
            .await?;
        let change = NewChange {
            at: remark.at,
            by: "ada".to_owned(),
            how: SignedInBy::Oidc,
            from: None,
            what: "consumer.change".to_owned(),
            subject: format!("agent{}", number % CONSUMERS),
            detail: "route1, route2".to_owned(),
        };
        store.keep_change(&change).await?;
    }
    for number in 0..100 {
        let record = TokenRecord {
            name: name("program", number)?,
            role: DashRole::Viewer,
            created: now,
            created_by: "ada".to_owned(),
            expires: now.plus_millis(90 * DAY_MS),
            revoked: None,
            last_used: None,
        };
        let hash = KeyHash::of(record.name.as_str().as_bytes());
        store.create_token(hash, &record).await?;
    }
    Ok(())
}
