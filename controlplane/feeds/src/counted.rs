//! What the counters of an APISIX grew by between two looks, as lines of the ledger. A counter knows no single call: one line
//! stands for all calls of one consumer, on one route, to one model, that ended with one status since the last look.

use crate::Reading;
use crate::apisix::{bare, ended};
use crate::call;
use kill_wire::{Class, Name};
use net_model::{Api, ModelPattern, Tokens, UsageRecord, name_for};
use std::collections::BTreeMap;

/// What one counter counts, and what it grew by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grew {
    /// Tokens of prompts.
    Prompt(u64),
    /// Tokens of answers.
    Completion(u64),
    /// Answers of this status.
    Answers(u16, u64),
}

/// Whose calls a counter counts, in APISIX's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Whose<'a> {
    /// Id of the route.
    pub route: &'a str,
    /// The consumer; empty where none was known.
    pub consumer: &'a str,
    /// The instance or address that was asked; empty where that is not told.
    pub node: &'a str,
    /// `ai_chat` or `ai_stream`.
    pub kind: &'a str,
    /// The model that was asked for.
    pub asked: &'a str,
    /// The model that was asked.
    pub model: &'a str,
}

/// What is known of an APISIX and its counters do not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Instances and models of the house, whose calls cost nothing.
    pub local: Vec<ModelPattern>,
    /// Of routes that our driver keeps, by their names, the target that each leads to first.
    pub first: BTreeMap<Name, Name>,
}

/// A line that stands for so many calls. Its id is one among those of its look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedLine {
    /// How many calls.
    pub calls: u64,
    /// What they used, all together.
    pub record: UsageRecord,
}

/// What came together since the last look.
#[derive(Default)]
struct Sum {
    prompt: u64,
    completion: u64,
    answers: BTreeMap<u16, u64>,
}

/// The lines of one look.
///
/// Tokens stand with the answers of the lowest status: a call that was refused used none. Before APISIX counted answers by
/// model, tokens came without a number of calls; they stand as one.
#[must_use]
pub fn counted<'a>(
    grew: impl IntoIterator<Item = (Whose<'a>, Grew)>,
    known: &Known,
    with: &Reading<'_>,
) -> Vec<CountedLine> {
    let mut sums: BTreeMap<Whose<'a>, Sum> = BTreeMap::new();
    for (whose, grew) in grew {
        let (Grew::Prompt(by) | Grew::Completion(by) | Grew::Answers(_, by)) = grew;
        if by == 0 {
            continue;
        }
        let sum = sums.entry(whose).or_default();
        let figure = match grew {
            Grew::Prompt(_) => &mut sum.prompt,
            Grew::Completion(_) => &mut sum.completion,
            Grew::Answers(status, _) => sum.answers.entry(status).or_default(),
        };
        *figure = figure.saturating_add(by);
    }
    let mut lines = Vec::new();
    for (whose, mut sum) in sums {
        if sum.answers.is_empty() {
            sum.answers.insert(200, 1);
        }
        let mut tokens = Tokens {
            prompt: sum.prompt,
            completion: sum.completion,
            ..Tokens::default()
        };
        for (status, calls) in sum.answers {
            let id = lines.len().to_string();
            let record = record(
                id,
                &whose,
                status,
                &std::mem::take(&mut tokens),
                known,
                with,
            );
            lines.push(CountedLine { calls, record });
        }
    }
    lines
}

fn record(
    id: String,
    whose: &Whose<'_>,
    status: u16,
    tokens: &Tokens,
    known: &Known,
    with: &Reading<'_>,
) -> UsageRecord {
    let said = if whose.model.is_empty() {
        whose.asked
    } else {
        whose.model
    };
    let mut patterns = known.local.iter();
    let class = match patterns.any(|it| it.matches(bare(whose.node)) || it.matches(said)) {
        true => Class::Local,
        false => Class::Cloud,
    };
    let source = || with.source.clone();
    UsageRecord {
        id,
        at: with.now,
        consumer: name_for(bare(whose.consumer)).unwrap_or_else(source),
        route: name_for(bare(whose.route)).unwrap_or_else(source),
        target: name_for(bare(whose.node)).unwrap_or_else(source),
        class,
        model: call::model(if whose.asked.is_empty() {
            said
        } else {
            whose.asked
        }),
        stream: whose.kind == "ai_stream",
        status,
        prompt_tokens: tokens.prompt,
        completion_tokens: tokens.completion,
        estimated: false,
        took_ms: 0,
        ended: ended(status, false),
        incident: None,
        api: Api::Chat,
        cached_tokens: 0,
        reasoning_tokens: 0,
        cost: call::cost(with.prices, said, class, tokens),
        fell_back_from: fell_back_from(whose, status, known),
        first_byte_ms: None,
    }
}

/// The first choice of a route of ours, where another instance was asked. An address tells of no instance, and what was
/// refused before anybody was asked, of nobody.
fn fell_back_from(whose: &Whose<'_>, status: u16, known: &Known) -> Option<Name> {
    let route = bare(whose.route);
    if route == whose.route || matches!(status, 401 | 403 | 429) {
        return None;
    }
    let asked: Name = whose.node.parse().ok()?;
    let first = known.first.get(&route.parse::<Name>().ok()?)?;
    (asked != *first).then(|| first.clone())
}
