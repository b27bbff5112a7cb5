//! Which of a route's targets may serve a consumer now, and why the others may not.

use super::calendar::{Zone, week_time};
use kill_wire::{Class, Timestamp};
use net_model::{Api, Policy, Target, When};
use prices::Prices;

/// What is asked for, by whom, when.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// In which API.
    pub api: Api,
    /// The model as the client names it.
    pub model: &'a str,
    /// What the consumer may use.
    pub policy: &'a Policy,
    /// The wall clock.
    pub now: Timestamp,
    /// Where days and hours of policies count.
    pub zone: &'a Zone,
    /// What models cost outside the house; inside, nothing.
    pub prices: &'a Prices,
}

/// Why a target is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// It does not speak the API.
    OtherApi,
    /// The consumer may never use its class.
    Forbidden,
    /// The consumer may not use its class at this hour.
    NotNow,
    /// Nobody knows what the model costs there, and this consumer may use only what has a price.
    UnknownPrice,
    /// Its breaker is open.
    BreakerOpen,
    /// It serves as many as it may.
    Full,
}

impl Passed {
    /// A few fixed words for people, headers and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OtherApi => "other api",
            Self::Forbidden => "not allowed",
            Self::NotNow => "not allowed now",
            Self::UnknownPrice => "unknown price",
            Self::BreakerOpen => "breaker open",
            Self::Full => "full",
        }
    }

    /// Whether the target would have served, but for this: another that takes its place is a fallback then.
    #[must_use]
    pub const fn is_for_now(self) -> bool {
        match self {
            Self::OtherApi | Self::Forbidden => false,
            Self::NotNow | Self::UnknownPrice | Self::BreakerOpen | Self::Full => true,
        }
    }
}

impl Wish<'_> {
    /// Whether this target may serve it. Ask when it is the target's turn.
    pub fn may_use(&self, target: &Target) -> Result<(), Passed> {
        if !target.kind.speaks(self.api) {
            return Err(Passed::OtherApi);
        }
        let allowance = self.policy.of(target.class);
        match &allowance.when {
            When::Always => {}
            When::Never => return Err(Passed::Forbidden),
            hours @ When::Hours(_) => {
                let at = week_time(self.now, self.zone);
                if !hours.allows(at.day, at.minute) {
                    return Err(Passed::NotNow);
                }
            }
        }
        let priced = allowance.unknown_price
            || target.class == Class::Local
            || self.prices.of(target.model(self.model)).is_some();
        if priced {
            Ok(())
        } else {
            Err(Passed::UnknownPrice)
        }
    }
}
