//! What is told of a request: the steps that decided, for whoever asks why later. A request that was plainly answered has
//! none, and costs nothing here.

use crate::{admission::Near, deny::Denied, named::Aliases, search::Why, targets::Watched};
use gateway_core::choice::{Failure, Passed};
use gateway_core::limits::Standing;
use kill_wire::Timestamp;
use net_model::{
    Alias, BreakerState, Consumer, MAX_STEPS, SLOW_MS, SLOW_START_MS, Stage, Step, Story, Target,
    UsageRecord, Verdict,
};
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Stories of refusals a second that are kept of consumers, and of callers nobody knows; more are counted only.
const OF_CONSUMERS: u64 = 100;
const OF_STRANGERS: u64 = 10;

/// What is known of an exchange on its way.
#[derive(Debug, Default)]
pub(crate) struct Telling {
    aliases: Aliases,
    told_as: Option<Alias>,
    steps: Vec<Step>,
}

impl Telling {
    pub(crate) fn of(aliases: &Aliases) -> Self {
        Self {
            aliases: aliases.clone(),
            ..Self::default()
        }
    }

    /// What its client calls it.
    pub(crate) fn asked_as(&self) -> Option<&Alias> {
        self.aliases.asked_as.as_ref()
    }

    /// What its target calls it.
    pub(crate) fn told_as(&mut self, told_as: Option<Alias>) {
        self.told_as = told_as;
    }

    /// Whether there is anything to tell.
    pub(crate) fn has_something(&self) -> bool {
        !self.steps.is_empty() || self.told_as.is_some() || self.is_called()
    }

    /// Whether a neighbour may ask for it by another id.
    fn is_called(&self) -> bool {
        self.aliases.asked_as.is_some() || self.aliases.trace.is_some()
    }

    fn push(&mut self, step: Step) {
        // One place is left for what ended it.
        if self.steps.len() < MAX_STEPS - 2 {
            self.steps.push(step);
        }
    }

    /// No route of this consumer takes the model: which routes it has, and which of the others would.
    pub(crate) fn no_route(&mut self, after: Duration, who: &Consumer, near: &Near<'_>) {
        let who = &who.name;
        let own = match near.own.as_slice() {
            [] => format!("`{who}` has no route"),
            own => format!("No route of `{who}` ({}) takes this model", own.join(", ")),
        };
        let other = near.other.map_or_else(String::new, |other| {
            format!("; `{other}` does, and `{who}` may not use it")
        });
        let text = format!("{own}{other}.");
        let mut step = step(after, Stage::Policy, Verdict::PassedOver, text);
        step.rule = Some("routes".to_owned());
        self.push(step);
    }

    /// A target is not asked.
    pub(crate) fn passed_over(
        &mut self,
        after: Duration,
        (target, watched): (&Target, &Watched),
        consumer: &Consumer,
        why: &Why,
    ) {
        let (stage, rule, text) = match why {
            Why::OtherApi => return,
            Why::Passed(passed) => not_allowed(target, consumer, *passed),
            Why::NoSeat(none) if none.why == Passed::Full => {
                let most = target.max_open.unwrap_or_default();
                let text = format!(
                    "`{}` is full: it takes {most} at the same time.",
                    target.name
                );
                (Stage::Breaker, "max_open", text)
            }
            Why::NoSeat(none) => (
                Stage::Breaker,
                "breaker",
                resting(target, watched, none.after),
            ),
            Why::Denied(denied) => {
                let mut step = denied_step(after, denied, Verdict::PassedOver);
                step.target = Some(target.name.clone());
                self.push(step);
                return;
            }
        };
        let mut step = step(after, stage, Verdict::PassedOver, text);
        step.rule = Some(rule.to_owned());
        step.target = Some(target.name.clone());
        self.push(step);
    }

    /// A target was asked in vain.
    pub(crate) fn failed(
        &mut self,
        (asked, after): (Duration, Duration),
        target: &Target,
        failure: Failure,
        status: Option<u16>,
    ) {
        let said = status.map_or_else(String::new, |status| format!(", status {status}"));
        let limit = match failure {
            Failure::Timeout => format!(
                " (its first byte may take {} ms)",
                target.timeouts.first_byte.as_millis()
            ),
            Failure::TooMany(Some(rest)) => format!(" (it asks for {} s)", rest.as_secs()),
            Failure::TooMany(None)
            | Failure::Connect
            | Failure::Status
            | Failure::BrokenOff
            | Failure::SlowFirstToken
            | Failure::Unwell => String::new(),
        };
        let text = format!(
            "`{}` did not serve after {} ms: {}{said}{limit}.",
            target.name,
            after.saturating_sub(asked).as_millis(),
            failure.as_str()
        );
        let mut step = step(after, Stage::Target, Verdict::PassedOver, text);
        step.rule = Some(failure.as_str().to_owned());
        step.target = Some(target.name.clone());
        self.push(step);
    }

    /// The budgets it was counted against, as they stand after it.
    pub(crate) fn counted(&mut self, standings: &[Standing]) {
        for it in standings {
            let text = format!(
                "Counted against the budget `{}`: now {} of {} this {}, {} held for answers under way; it turns at {}.",
                it.budget,
                it.unit.bare(it.spent),
                it.unit.say(it.limit),
                it.window.as_str(),
                it.unit.bare(it.held),
                it.until
            );
            let mut step = step(Duration::ZERO, Stage::Budget, Verdict::Passed, text);
            step.rule = Some(it.budget.as_str().to_owned());
            self.push(step);
        }
    }

    /// The story of an exchange that reached a target, where there is more to say than the usage does. `why`: what cut
    /// it off.
    pub(crate) fn served(mut self, record: &UsageRecord, why: Option<&Denied>) -> Option<Story> {
        let slow =
            record.took_ms >= SLOW_MS || record.first_byte_ms.is_some_and(|ms| ms >= SLOW_START_MS);
        if !slow && why.is_none() && !self.has_something() {
            return None;
        }
        if let Some(why) = why {
            let after = Duration::from_millis(record.took_ms);
            self.steps.push(denied_step(after, why, Verdict::CutOff));
        }
        let began = record.at.millis().saturating_sub(record.took_ms);
        Some(Story {
            id: record.id.clone(),
            at: Timestamp::from_millis(began),
            asked_as: self.aliases.asked_as,
            trace: self.aliases.trace,
            told_as: self.told_as,
            consumer: Some(record.consumer.clone()),
            api: Some(record.api),
            model: Some(record.model.clone()),
            status: record.status,
            code: why.map(|why| why.code().to_owned()),
            took_ms: record.took_ms,
            steps: self.steps,
        })
    }

    /// The story of a request that reached no target, without what the account knows of it.
    pub(crate) fn refused(
        mut self,
        id: String,
        now: Timestamp,
        after: Duration,
        why: &Denied,
    ) -> Story {
        let deciding = denied_step(after, why, Verdict::Refused);
        // Where each target was passed over, the sum of it is the last word.
        self.steps.push(deciding);
        let text = format!(
            "Refused with status {} `{}`.",
            why.status().as_u16(),
            why.code()
        );
        let mut answer = step(after, Stage::Answer, Verdict::Refused, text);
        answer.incident = why.incident();
        self.steps.push(answer);
        let took_ms = crate::clock::millis(after);
        Story {
            id,
            at: Timestamp::from_millis(now.millis().saturating_sub(took_ms)),
            asked_as: self.aliases.asked_as,
            trace: self.aliases.trace,
            told_as: None,
            consumer: None,
            api: None,
            model: None,
            status: why.status().as_u16(),
            code: Some(why.code().to_owned()),
            took_ms,
            steps: self.steps,
        }
    }
}

fn step(after: Duration, stage: Stage, verdict: Verdict, text: String) -> Step {
    Step {
        after_ms: crate::clock::millis(after),
        stage,
        verdict,
        rule: None,
        target: None,
        incident: None,
        text,
    }
}

fn denied_step(after: Duration, why: &Denied, verdict: Verdict) -> Step {
    Step {
        rule: Some(why.rule()),
        incident: why.incident(),
        ..step(after, why.stage(), verdict, why.message())
    }
}

fn not_allowed(target: &Target, consumer: &Consumer, why: Passed) -> (Stage, &'static str, String) {
    let (name, who) = (&target.name, &consumer.name);
    let class = match target.class {
        kill_wire::Class::Local => "local",
        kill_wire::Class::Cloud => "cloud",
    };
    let (rule, text) = match why {
        Passed::Forbidden => (
            class,
            format!("`{who}` may never use {class} targets, and `{name}` is one."),
        ),
        Passed::NotNow => (
            class,
            format!("`{who}` may not use {class} targets at this hour, and `{name}` is one."),
        ),
        Passed::UnknownPrice => (
            "unknown_price",
            format!(
                "Nobody knows what the model costs at `{name}`, and `{who}` may use only what has a price."
            ),
        ),
        Passed::OtherApi => ("api", format!("`{name}` does not speak this API.")),
        Passed::BreakerOpen | Passed::Full => {
            ("breaker", format!("`{name}` serves nobody more now."))
        }
    };
    (Stage::Policy, rule, text)
}

/// Which breaker, since when, by which rule, and how long until it tries again.
fn resting(target: &Target, watched: &Watched, after: Duration) -> String {
    let view = watched.view(target);
    let rule = &target.breaker;
    let why = view.why.unwrap_or_else(|| "it failed".to_owned());
    let until = match view.state {
        BreakerState::HalfOpen => "one request tries it now".to_owned(),
        BreakerState::Open | BreakerState::Closed => {
            format!(
                "it tries again in {} s",
                gateway_core::limits::ceil_secs(after)
            )
        }
    };
    format!(
        "The breaker of `{}` is open since {}: {why}; {} failures within {} s open it; {until}.",
        target.name,
        view.since,
        rule.failures,
        rule.within.as_secs()
    )
}

/// Bounds how many stories of refusals are kept: a client that asks again and again fills no disk.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    consumers: Second,
    strangers: Second,
}

impl Pace {
    /// Whether one more may be kept.
    pub(crate) fn admits(&self, known: bool, now: Timestamp) -> bool {
        let (second, most) = if known {
            (&self.consumers, OF_CONSUMERS)
        } else {
            (&self.strangers, OF_STRANGERS)
        };
        second.count(now.millis() / 1000) <= most
    }
}

/// Counts within one second.
#[derive(Debug, Default)]
struct Second {
    at: AtomicU64,
    count: AtomicU64,
    turning: Mutex<()>,
}

impl Second {
    fn count(&self, second: u64) -> u64 {
        if self.at.load(Ordering::Acquire) != second {
            let _turning = self.turning.lock().unwrap_or_else(PoisonError::into_inner);
            if self.at.swap(second, Ordering::AcqRel) != second {
                self.count.store(0, Ordering::Release);
            }
        }
        self.count.fetch_add(1, Ordering::AcqRel).saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_refusals_is_kept_in_part_and_strangers_take_no_room_of_consumers() {
        let pace = Pace::default();
        let at = |second: u64| Timestamp::from_millis(second * 1000);
        let kept = |known, second| (0..1000).filter(|_| pace.admits(known, at(second))).count();
        assert_eq!(kept(false, 7), 10);
        assert_eq!(kept(true, 7), 100);
        assert_eq!(kept(false, 8), 10);
    }

    #[test]
    fn a_refusal_names_its_rule_and_its_stage() {
        let denied = Denied::Cut(kill_wire::Scope::Llm, "7".parse().unwrap());
        let aliases = Aliases::default();
        let story = Telling::of(&aliases).refused(
            "b-1".to_owned(),
            Timestamp::from_millis(9000),
            Duration::from_millis(5),
            &denied,
        );
        assert_eq!((story.status, story.at.millis()), (503, 8995));
        let latch = &story.steps[0];
        assert_eq!(
            (latch.stage, latch.verdict),
            (Stage::Latch, Verdict::Refused)
        );
        assert_eq!(latch.rule.as_deref(), Some("LLM"));
        assert_eq!(latch.incident, denied.incident());
        assert_eq!(story.steps[1].stage, Stage::Answer);
    }
}
