//! Which targets should have served an exchange, and why another had to: the answer, the figures and the ledger say so.

use gateway_core::choice::Passed;
use http::{HeaderName, HeaderValue};
use kill_wire::Name;
use net_model::Target;

/// Header that tells a client that another target answered than the first choice.
pub(crate) const FALLBACK_HEADER: HeaderName = HeaderName::from_static("x-portcullis-fallback");

#[derive(Debug)]
struct Around<'a> {
    target: &'a Target,
    why: &'static str,
    /// It would have served, but for this.
    counts: bool,
}

/// The targets that were passed over, in their order.
#[derive(Debug, Default)]
pub(crate) struct Detour<'a>(Vec<Around<'a>>);

impl<'a> Detour<'a> {
    /// `target` was asked in vain, or is cut.
    pub(crate) fn around(&mut self, target: &'a Target, why: &'static str) {
        let counts = true;
        self.0.push(Around {
            target,
            why,
            counts,
        });
    }

    /// `target` is not asked. One that could never serve is no first choice: another takes no place of it.
    pub(crate) fn past(&mut self, target: &'a Target, why: Passed) {
        self.0.push(Around {
            target,
            why: why.as_str(),
            counts: why.is_for_now(),
        });
    }

    /// The first choice, when it was passed over.
    pub(crate) fn first(&self) -> Option<&'a Name> {
        self.counting().next().map(|around| &around.target.name)
    }

    /// Those that were passed over after the first `known`, and why.
    pub(crate) fn since(&self, known: usize) -> impl Iterator<Item = (&'a Name, &'static str)> {
        let new = self.0.iter().skip(known).filter(|around| around.counts);
        new.map(|around| (&around.target.name, around.why))
    }

    /// How many were passed over.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// What is said when `to` answers: `home (breaker open) -> away`. `None` when it was the first choice.
    pub(crate) fn header(&self, to: &Target) -> Option<HeaderValue> {
        self.first()?;
        let passed = listed(self.counting());
        HeaderValue::from_str(&format!("{passed} -> {}", to.name)).ok()
    }

    /// All of them: `home (breaker open), away (not allowed)`.
    pub(crate) fn text(&self) -> String {
        listed(self.0.iter())
    }

    fn counting(&self) -> impl Iterator<Item = &Around<'a>> {
        self.0.iter().filter(|around| around.counts)
    }
}

fn listed<'a, 'b: 'a>(passed: impl Iterator<Item = &'a Around<'b>>) -> String {
    let each = passed.map(|around| format!("{} ({})", around.target.name, around.why));
    each.collect::<Vec<_>>().join(", ")
}
