//! What one exchange holds of its rules.

use super::{Amount, bucket::Rate, counter::Share, gate::Place};
use net_model::BudgetUnit as Unit;

/// The right of one exchange to be under way. Hand it back with [`super::Engine::settle`] or
/// [`super::Engine::cancel`].
#[derive(Debug)]
#[must_use = "a permit that is not handed back holds what was reserved for ever"]
pub struct Permit {
    pub(super) shares: Vec<Share>,
    pub(super) places: Vec<Place>,
    /// Up to here the exchange need not ask.
    pub(super) covered: Amount,
    /// The last that was drawn.
    pub(super) so_far: Amount,
    pub(super) rates: (Option<Rate>, Option<Rate>),
}

impl Permit {
    /// Takes note of what the exchange has come to. `false`: the engine must be asked ([`super::Engine::draw`]).
    pub fn goes_on(&mut self, so_far: Amount) -> bool {
        self.so_far = so_far;
        so_far.tokens <= self.covered.tokens && so_far.money <= self.covered.money
    }

    /// Whether any rule is about it.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        !self.shares.is_empty() || !self.places.is_empty()
    }

    /// Whether any budget of money is about it.
    #[must_use]
    pub fn counts_money(&self) -> bool {
        self.shares.iter().any(|share| share.unit == Unit::Money)
    }

    /// The last that was drawn.
    #[must_use]
    pub const fn so_far(&self) -> Amount {
        self.so_far
    }

    /// Requests and tokens a minute of the narrowest limits it stands under.
    #[must_use]
    pub const fn rates(&self) -> (Option<Rate>, Option<Rate>) {
        self.rates
    }
}

/// The one with less left.
pub(super) fn narrower(a: Option<Rate>, b: Option<Rate>) -> Option<Rate> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.left < a.left { b } else { a }),
        (a, b) => a.or(b),
    }
}
