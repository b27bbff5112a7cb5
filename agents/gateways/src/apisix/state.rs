//! What the driver knows: what it was told, what is wanted, and what the gateway may still be at.

use super::compare::Images;
use super::health::Health;
use super::names::{ABORT, MARK, bearer};
use super::shut::{Shut, words};
use crate::{Closing, GatewayError, Wanted};
use net_model::Overlay;
use serde_json::Value;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// Most wishes that are remembered beside the present one. Beyond, whatever is cut is everything.
const MOST_BEFORE: usize = 8;

/// Which rule it is: the same words again, after others, are another rule.
struct Mark {
    /// Another in each process.
    run: u64,
    number: u64,
    /// The rule it stands for, without it.
    of: Option<Value>,
}

impl Default for Mark {
    fn default() -> Self {
        Self {
            run: RandomState::new().build_hasher().finish(),
            number: 0,
            of: None,
        }
    }
}

/// What the driver knows. It has keys, and its `Debug` none of them.
#[derive(Default)]
pub(super) struct State {
    /// The last overlay; none before the first.
    told: Option<Overlay>,
    mark: Mark,
    /// Whether a name may stand for two routes.
    twofold: bool,
    /// What routes shall be; nothing before the first reconcile.
    wanted: Wanted,
    /// What was wanted before, as long as the gateway may still have some of it.
    before: Vec<Wanted>,
    /// The rule that was last read back as ours, and what it closes.
    pub(super) laid: Option<(Value, Shut)>,
    /// The rule, or that there is none, that was last seen in force at the workers.
    pub(super) followed: Option<Option<Value>>,
    pub(super) images: Images,
    /// Of the last reconcile.
    pub(super) notices: Vec<String>,
    /// What the gateway's own checks found.
    pub(super) health: Health,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("told", &self.told)
            .finish_non_exhaustive()
    }
}

/// What must stand in the gateway now.
#[derive(Clone)]
pub(super) struct Expected {
    pub(super) shut: Shut,
    /// The rule; none where nothing is closed.
    pub(super) rule: Option<Value>,
    /// The same for everything, whatever the routes are.
    pub(super) all: Value,
    pub(super) closing: Closing,
}

impl Expected {
    /// What the rule's refusals bear; none where nothing is closed.
    pub(super) fn mark(&self) -> Option<&str> {
        let rule = self.rule.as_ref()?;
        let abort = rule.get("plugins")?.get(ABORT)?.get("abort")?;
        abort.get("headers")?.get(MARK)?.as_str()
    }
}

impl State {
    pub(super) fn new(twofold: bool) -> Self {
        Self {
            twofold,
            ..Self::default()
        }
    }

    pub(super) const fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// The last overlay; none before the first.
    pub(super) const fn told(&self) -> Option<&Overlay> {
        self.told.as_ref()
    }

    /// From here on this overlay must be in force.
    pub(super) fn tell(&mut self, overlay: &Overlay) {
        self.told = Some(overlay.clone());
        self.renew();
    }

    /// What must stand in the gateway now; none before the first overlay.
    pub(super) fn expected(&self) -> Option<Expected> {
        let overlay = self.told.as_ref()?;
        let shut = self.shut(overlay);
        let mut refusal = words(overlay, &self.wanted);
        let mark = format!("{:x}.{}", self.mark.run, self.mark.number);
        refusal.headers.push((MARK, mark));
        let all = Shut {
            all: true,
            ..Shut::default()
        };
        Some(Expected {
            all: all
                .rule(&refusal, &self.wanted.keys, self.twofold)
                .unwrap_or_default(),
            closing: Closing::of(overlay, &self.wanted.table),
            rule: shut.rule(&refusal, &self.wanted.keys, self.twofold),
            shut,
        })
    }

    fn shut(&self, overlay: &Overlay) -> Shut {
        let now = Shut::of(overlay, &self.wanted);
        let before = self.before.iter();
        before.fold(now, |shut, before| shut.and(&Shut::of(overlay, before)))
    }

    /// The rule that stood was taken away or changed by somebody. The same words again are another rule: a worker that saw
    /// neither going nor coming cannot be told from one that saw both by the refusals of before.
    pub(super) const fn disturbed(&mut self) {
        self.mark.number += 1;
    }

    /// Another rule has another mark.
    fn renew(&mut self) {
        let rule = self.told.as_ref().and_then(|overlay| {
            let refusal = words(overlay, &self.wanted);
            let shut = self.shut(overlay);
            shut.rule(&refusal, &self.wanted.keys, self.twofold)
        });
        if rule != self.mark.of {
            self.mark.number += 1;
            self.mark.of = rule;
        }
    }

    /// The rule that must stand now, where it was once read back and nobody has been seen to take it away since.
    pub(super) fn stood(&self) -> Option<Value> {
        let rule = self.rule()?;
        let (laid, _) = self.laid.as_ref()?;
        (*laid == rule).then_some(rule)
    }

    /// The rule that must stand now.
    pub(super) fn rule(&self) -> Option<Value> {
        self.expected().and_then(|now| now.rule)
    }

    /// From here on this is wanted. Until [`Self::settled`] whatever was wanted before is closed as well.
    pub(super) fn want(&mut self, wanted: &Wanted) {
        let before = std::mem::replace(&mut self.wanted, wanted.clone());
        if self.before.len() >= MOST_BEFORE {
            self.before = vec![Wanted::default()];
        }
        self.before.push(before);
        self.renew();
    }

    /// The gateway has what is wanted, and nothing of what was.
    pub(super) fn settled(&mut self) {
        self.before.clear();
        self.renew();
    }

    /// The same error without a key in it, whatever the gateway quoted.
    pub(super) fn scrubbed(&self, why: GatewayError) -> GatewayError {
        match why {
            GatewayError::Refused(text) => GatewayError::Refused(self.scrub(text)),
            other @ (GatewayError::Unreachable(_)
            | GatewayError::Silent(_)
            | GatewayError::Garbled(_)) => other,
        }
    }

    pub(super) fn scrub(&self, mut text: String) -> String {
        let targets = self.wanted.table.targets().iter();
        let targets = targets.filter_map(|target| target.key.as_ref());
        for key in self.wanted.keys.values().chain(targets) {
            text = text.replace(&bearer(key), "…").replace(key.expose(), "…");
        }
        text
    }
}

#[cfg(test)]
pub(super) mod tests;
