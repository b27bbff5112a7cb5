//! Why a request was refused, slow, expensive, sent elsewhere or cut: one timeline out of what the gateway told of it and
//! what stands in the ledger. Pure.

use crate::{
    api::Api,
    budget::grouped,
    exchange::Ended,
    story::{Alias, Stage, Step, Story, Verdict},
    usage::UsageRecord,
};
use kill_wire::{Class, Name, Timestamp};
use serde::{Deserialize, Serialize};

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
        let decided = decided(&steps);
        fill(&mut steps, decided.as_ref(), usage.as_ref());
        // Those that were filled in come first of their moment; an answer comes last of all.
        steps.sort_by_key(|step| (step.stage == Stage::Answer, step.after_ms, step.stage));
        let summary =
            decided.map_or_else(|| "It was answered as asked.".to_owned(), |step| step.text);
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
fn fill(steps: &mut Vec<Step>, decided: Option<&Step>, usage: Option<&UsageRecord>) {
    let stopped_at = match (decided, usage) {
        (Some(step), None) => step.stage.turn(),
        _ => u8::MAX,
    };
    for stage in Stage::ALL {
        if steps.iter().any(|step| step.stage == stage) {
            continue;
        }
        let (verdict, text) = if stage.turn() < stopped_at {
            (Verdict::Passed, passed(stage, usage))
        } else {
            (Verdict::NotReached, "It did not come so far.".to_owned())
        };
        steps.push(step(0, stage, verdict, text));
    }
}

fn passed(stage: Stage, usage: Option<&UsageRecord>) -> String {
    match (stage, usage) {
        (Stage::Request, _) => "What was asked could be read.".to_owned(),
        (Stage::Identity, Some(usage)) => format!("The key is that of `{}`.", usage.consumer),
        (Stage::Identity, None) => "The key is that of a consumer.".to_owned(),
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
mod tests {
    use super::*;

    const USAGE: &str = r#"{"id":"a-1","at":5000,"consumer":"claw","route":"chat","target":"home","class":"local","model":"m","stream":false,"status":200,"prompt_tokens":1200,"completion_tokens":2,"estimated":false,"took_ms":3000,"ended":"complete","incident":null,"cost":15,"first_byte_ms":100}"#;

    fn usage() -> UsageRecord {
        serde_json::from_str(USAGE).unwrap()
    }

    fn refused(stage: Stage, text: &str) -> Story {
        let refused = step(2, stage, Verdict::Refused, text.to_owned());
        Story {
            steps: vec![refused],
            status: 503,
            consumer: None,
            ..bare(&usage())
        }
    }

    fn verdict(explanation: &Explanation, stage: Stage) -> Verdict {
        let of = |step: &&Step| step.stage == stage;
        explanation.steps.iter().find(of).unwrap().verdict
    }

    #[test]
    fn what_nobody_knows_is_not_explained() {
        assert_eq!(Explanation::of(None, None), None);
    }

    #[test]
    fn a_plain_answer_has_every_stage_and_its_figures() {
        let explained = Explanation::of(None, Some(usage())).unwrap();
        let stages: Vec<Stage> = explained.steps.iter().map(|step| step.stage).collect();
        assert_eq!(stages, Stage::ALL);
        assert_eq!(explained.at.millis(), 2000);
        assert_eq!(
            explained.steps.last().unwrap().text,
            "The answer was delivered whole after 3,000 ms, with status 200: 1,200 tokens asked, 2 answered; 0.000015 USD."
        );
        assert_eq!(explained.summary, "It was answered as asked.");
    }

    #[test]
    fn a_refusal_says_how_far_the_request_came() {
        let explained = Explanation::of(Some(refused(Stage::Latch, "Cut.")), None).unwrap();
        assert_eq!(explained.summary, "Cut.");
        assert_eq!(verdict(&explained, Stage::Identity), Verdict::Passed);
        assert_eq!(verdict(&explained, Stage::Policy), Verdict::NotReached);
        assert_eq!(verdict(&explained, Stage::Target), Verdict::NotReached);
        let explained = Explanation::of(Some(refused(Stage::Identity, "No such key.")), None);
        assert_eq!(
            verdict(&explained.unwrap(), Stage::Latch),
            Verdict::NotReached
        );
        let explained = Explanation::of(Some(refused(Stage::Budget, "Gone.")), None).unwrap();
        assert_eq!(verdict(&explained, Stage::Latch), Verdict::Passed);
        assert_eq!(verdict(&explained, Stage::Policy), Verdict::Passed);
    }

    #[test]
    fn what_cut_an_answer_off_is_what_decided() {
        let mut cut = usage();
        cut.ended = Ended::Cut;
        cut.incident = Some("7".parse().unwrap());
        let explained = Explanation::of(None, Some(cut)).unwrap();
        assert!(explained.summary.contains("#7"), "{}", explained.summary);
        assert_eq!(verdict(&explained, Stage::Answer), Verdict::CutOff);
    }
}
