//! Why a request was refused, slow, expensive, sent elsewhere or cut: one timeline out of what the gateway told of it and
//! what stands in the ledger. Pure.

use crate::{
    api::Api,
    budget::grouped,
    exchange::Ended,
    money::MicroDollars,
    story::{Alias, Stage, Step, Story, Verdict},
    usage::UsageRecord,
};
use kill_wire::{Class, Name, Timestamp};
use serde::{Deserialize, Serialize};

/// An exchange that waited so many milliseconds for its first byte was slow.
pub const SLOW_START_MS: u64 = 2_000;
/// And one that took so many.
pub const SLOW_MS: u64 = 30_000;
/// One of so many tokens was dear.
pub const MANY_TOKENS: u64 = 4_000;
/// And one that cost so much.
pub const MUCH: MicroDollars = MicroDollars(10_000);

/// One request, explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The gateway's id.
    pub id: String,
    /// When the request came.
    pub at: Timestamp,
    /// What the client calls it.
    pub asked_as: Option<Alias>,
    /// Its trace.
    pub trace: Option<Alias>,
    /// What the target calls it.
    pub told_as: Option<Alias>,
    /// Who asked, where that is known.
    pub consumer: Option<Name>,
    /// For which model.
    pub model: Option<String>,
    /// In which API.
    pub api: Option<Api>,
    /// HTTP status given to the client.
    pub status: u16,
    /// From request to end, milliseconds.
    pub took_ms: u64,
    /// What decided, in one sentence.
    pub summary: String,
    /// The timeline.
    pub steps: Vec<Step>,
    /// What stands in the ledger; nothing does for a request that reached no target.
    pub usage: Option<UsageRecord>,
    /// Other requests with the same id of a neighbour, newest first.
    #[serde(default)]
    pub others: Vec<String>,
}

impl Explanation {
    /// Of what is known; `None` when nothing is.
    #[must_use]
    pub fn of(story: Option<Story>, usage: Option<UsageRecord>) -> Option<Self> {
        let story = match (story, &usage) {
            (Some(story), _) => story,
            (None, Some(usage)) => bare(usage),
            (None, None) => return None,
        };
        let mut steps = story.steps;
        if let Some(usage) = &usage {
            served(&mut steps, usage);
        }
        say_once(&mut steps);
        let decided = decided(&steps);
        fill(
            &mut steps,
            decided.as_ref(),
            (usage.as_ref(), story.consumer.as_ref()),
        );
        in_order(&mut steps);
        let summary = decided.map_or_else(|| plainly(usage.as_ref()), |step| step.text);
        Some(Self {
            id: story.id,
            at: story.at,
            asked_as: story.asked_as,
            trace: story.trace,
            told_as: story.told_as,
            consumer: story.consumer,
            model: story.model,
            api: story.api,
            status: story.status,
            took_ms: story.took_ms,
            summary,
            steps,
            usage,
            others: Vec::new(),
        })
    }
}

/// Of a request of which the gateway told no more than what it used.
fn bare(usage: &UsageRecord) -> Story {
    Story {
        id: usage.id.clone(),
        at: Timestamp::from_millis(usage.at.millis().saturating_sub(usage.took_ms)),
        asked_as: None,
        trace: None,
        told_as: None,
        consumer: Some(usage.consumer.clone()),
        api: Some(usage.api),
        model: Some(usage.model.clone()),
        status: usage.status,
        code: None,
        took_ms: usage.took_ms,
        steps: Vec::new(),
    }
}

/// The step that decided: what cut it off or refused it, else the first that sent it elsewhere.
fn decided(steps: &[Step]) -> Option<Step> {
    let first = |verdict| {
        let mut with = steps.iter().filter(move |step| step.verdict == verdict);
        with.next()
    };
    let last_word = first(Verdict::CutOff).or_else(|| first(Verdict::Refused));
    last_word.or_else(|| first(Verdict::PassedOver)).cloned()
}

/// A target that was passed over for what then refused the request would say the same again; what is said of another names it.
fn say_once(steps: &mut Vec<Step>) {
    let last = |step: &&Step| matches!(step.verdict, Verdict::Refused | Verdict::CutOff);
    if let Some(last) = steps.iter().find(last).cloned() {
        let same = |step: &Step| step.stage == last.stage && step.text == last.text;
        steps.retain(|step| step.verdict != Verdict::PassedOver || !same(step));
    }
    for step in steps {
        if let (Verdict::PassedOver, Some(target)) = (step.verdict, &step.target)
            && !step.text.contains(&format!("`{target}`"))
        {
            step.text = format!("Not `{target}`: {}", step.text);
        }
    }
}

/// By time; within a millisecond what is said of one target stands together, in the order in which they were tried, and what is
/// said of all of them behind. An answer comes last of all.
fn in_order(steps: &mut [Step]) {
    let mut tried: Vec<Name> = Vec::new();
    for step in steps.iter() {
        if let (Verdict::PassedOver, Some(target)) = (step.verdict, &step.target)
            && !tried.contains(target)
        {
            tried.push(target.clone());
        }
    }
    let turn = |step: &Step| match (&step.target, step.verdict) {
        (Some(target), _) => {
            let at = tried.iter().position(|it| it == target);
            at.unwrap_or(tried.len())
        }
        (None, Verdict::Refused | Verdict::CutOff) => tried.len(),
        (None, Verdict::Passed | Verdict::PassedOver | Verdict::NotReached) => 0,
    };
    steps.sort_by_key(|step| {
        let last = step.stage == Stage::Answer;
        (last, step.after_ms, turn(step), step.stage)
    });
}

/// Nothing stood in its way: whether it was slow or dear all the same, and what took the time.
fn plainly(usage: Option<&UsageRecord>) -> String {
    let mut text = "It was answered as asked".to_owned();
    if let Some(usage) = usage {
        let first = usage.first_byte_ms;
        if let Some(first) = first.filter(|first| *first >= SLOW_START_MS) {
            let (target, first) = (&usage.target, grouped(first));
            text.push_str(&format!(
                ", but slowly: `{target}` gave its first byte after {first} ms"
            ));
        } else if usage.took_ms >= SLOW_MS {
            let (target, took) = (&usage.target, grouped(usage.took_ms));
            text.push_str(&format!(", but slowly: `{target}` took {took} ms for it"));
        }
        let tokens = usage.prompt_tokens.saturating_add(usage.completion_tokens);
        if tokens >= MANY_TOKENS || usage.cost.is_some_and(|cost| cost >= MUCH) {
            let cost = usage.cost.map_or_else(
                || "without a known price".to_owned(),
                |cost| format!("for {cost} USD"),
            );
            let tokens = grouped(tokens);
            text.push_str(&format!("; it was dear: {tokens} tokens, {cost}"));
        }
    }
    text.push('.');
    text
}

fn step(after_ms: u64, stage: Stage, verdict: Verdict, text: String) -> Step {
    Step {
        after_ms,
        stage,
        verdict,
        rule: None,
        target: None,
        incident: None,
        text,
    }
}

/// What the ledger says of target and answer.
fn served(steps: &mut Vec<Step>, usage: &UsageRecord) {
    let of_target =
        |step: &Step| step.stage == Stage::Target && step.target.as_ref() == Some(&usage.target);
    if !steps.iter().any(of_target) {
        let whose = match &usage.fell_back_from {
            Some(from) => format!(", in the place of `{from}`"),
            None => String::new(),
        };
        let began = usage.first_byte_ms.map_or_else(
            || "gave no first byte".to_owned(),
            |after| format!("gave its first byte after {} ms", grouped(after)),
        );
        let text = format!(
            "`{}` ({}){whose} {began}.",
            usage.target,
            class(usage.class)
        );
        let mut asked = step(0, Stage::Target, Verdict::Passed, text);
        asked.after_ms = usage.first_byte_ms.unwrap_or(0);
        asked.target = Some(usage.target.clone());
        asked.rule = Some(usage.route.to_string());
        steps.push(asked);
    }
    let verdict = match usage.ended {
        Ended::Complete | Ended::ClientGone => Verdict::Passed,
        Ended::Cut | Ended::Budget | Ended::Tripped | Ended::Stopped | Ended::UpstreamFailed => {
            Verdict::CutOff
        }
    };
    let mut answer = step(usage.took_ms, Stage::Answer, verdict, answered(usage));
    answer.incident = usage.incident;
    steps.push(answer);
}

fn answered(usage: &UsageRecord) -> String {
    let how = match usage.ended {
        Ended::Complete => "The answer was delivered whole".to_owned(),
        Ended::Cut => match usage.incident {
            Some(incident) => format!("The kill switch ended it, incident {incident}"),
            None => "The kill switch's silence ended it".to_owned(),
        },
        Ended::Budget => "A budget's end cut it off".to_owned(),
        Ended::Tripped => "What the gateway had closed by itself ended it".to_owned(),
        Ended::Stopped => "The gateway stopped".to_owned(),
        Ended::ClientGone => "The client went away".to_owned(),
        Ended::UpstreamFailed => "The target failed or broke off".to_owned(),
    };
    let own = if usage.estimated {
        ", by our own count"
    } else {
        ""
    };
    let of = |tokens: u64, what: &str| match tokens {
        0 => String::new(),
        some => format!(" ({} {what})", grouped(some)),
    };
    let cost = usage.cost.map_or_else(
        || "what it cost is not known: the model has no price".to_owned(),
        |cost| format!("{cost} USD"),
    );
    format!(
        "{how} after {} ms, with status {}: {} tokens asked{}, {} answered{}{own}; {cost}.",
        grouped(usage.took_ms),
        usage.status,
        grouped(usage.prompt_tokens),
        of(usage.cached_tokens, "of them from the target's cache"),
        grouped(usage.completion_tokens),
        of(usage.reasoning_tokens, "of them reasoning"),
    )
}

/// Says of every stage that nothing is told of whether the request passed it.
fn fill(
    steps: &mut Vec<Step>,
    decided: Option<&Step>,
    (usage, consumer): (Option<&UsageRecord>, Option<&Name>),
) {
    let stopped_at = match (decided, usage) {
        (Some(step), None) => step.stage.turn(),
        _ => u8::MAX,
    };
    for stage in Stage::ALL {
        if steps.iter().any(|step| step.stage == stage) {
            continue;
        }
        if stage.turn() >= stopped_at {
            let text = match stage {
                Stage::Request => "What was asked was not read.",
                Stage::Identity
                | Stage::Policy
                | Stage::Latch
                | Stage::Budget
                | Stage::Breaker
                | Stage::Target
                | Stage::Answer => "It did not come so far.",
            };
            steps.push(step(0, stage, Verdict::NotReached, text.to_owned()));
            continue;
        }
        let text = passed(stage, usage, consumer);
        let mut passed = step(0, stage, Verdict::Passed, text);
        passed.rule = rule(stage, usage, consumer);
        steps.push(passed);
    }
}

/// What let it pass, where that has a name.
fn rule(stage: Stage, usage: Option<&UsageRecord>, consumer: Option<&Name>) -> Option<String> {
    match stage {
        Stage::Identity => consumer.map(ToString::to_string),
        Stage::Policy => usage.map(|usage| usage.route.to_string()),
        Stage::Breaker => usage.map(|_| "breaker".to_owned()),
        Stage::Request | Stage::Latch | Stage::Budget | Stage::Target | Stage::Answer => None,
    }
}

fn passed(stage: Stage, usage: Option<&UsageRecord>, consumer: Option<&Name>) -> String {
    match (stage, usage) {
        (Stage::Request, _) => "What was asked could be read.".to_owned(),
        (Stage::Identity, _) => consumer.map_or_else(
            || "The key is that of a consumer.".to_owned(),
            |consumer| format!("The key is that of `{consumer}`."),
        ),
        (Stage::Policy, Some(usage)) => format!(
            "Route `{}` takes the model, and `{}` may use {} targets.",
            usage.route,
            usage.consumer,
            class(usage.class)
        ),
        (Stage::Policy, None) => "This consumer may ask for it.".to_owned(),
        (Stage::Latch, _) => "Nothing held it closed when it came.".to_owned(),
        (Stage::Budget, _) => "No budget or limit was in its way.".to_owned(),
        (Stage::Breaker, Some(usage)) => {
            format!("The breaker of `{}` let it through.", usage.target)
        }
        (Stage::Breaker, None) => "A target's breaker let it through.".to_owned(),
        (Stage::Target, _) => "A target was asked.".to_owned(),
        (Stage::Answer, _) => "An answer was given.".to_owned(),
    }
}

const fn class(class: Class) -> &'static str {
    match class {
        Class::Local => "local",
        Class::Cloud => "cloud",
    }
}

#[cfg(test)]
mod tests;
