//! Where a route leads, and why not elsewhere.

/// Why a route does not lead to a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// A cut closes the way outside.
    Cut,
    /// A pause closes the way outside.
    Paused,
    /// Consumers of the route may never use its class.
    Forbidden,
    /// Consumers of the route may not use its class at this hour.
    NotNow,
    /// Consumers of the route may use only what has a price, and who obeys knows none.
    UnknownPrice,
    /// Its breaker is open.
    BreakerOpen,
}

impl Passed {
    /// A few fixed words for people, as the embedded gateway says them.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Paused => "paused",
            Self::Forbidden => "not allowed",
            Self::NotNow => "not allowed now",
            Self::UnknownPrice => "unknown price",
            Self::BreakerOpen => "breaker open",
        }
    }

    /// Whether the target would be led to but for this: another in its place is a fallback then.
    #[must_use]
    pub const fn is_for_now(self) -> bool {
        match self {
            Self::Forbidden => false,
            Self::Cut | Self::Paused | Self::NotNow | Self::UnknownPrice | Self::BreakerOpen => {
                true
            }
        }
    }
}

/// Where a route leads, and what it passed over on the way there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lead {
    /// The target, by its place in the table; none where nothing may serve.
    pub to: Option<usize>,
    /// Targets that come before it, each with the reason.
    pub passed: Vec<(usize, Passed)>,
}

impl Lead {
    /// The first choice that is passed over for now, and why. A target whose class the route's consumers may never use is none.
    #[must_use]
    pub fn first_choice(&self) -> Option<&(usize, Passed)> {
        self.passed.iter().find(|(_, why)| why.is_for_now())
    }

    /// The first choice in whose place another target serves.
    #[must_use]
    pub fn in_place_of(&self) -> Option<usize> {
        let (first, _) = self.first_choice()?;
        self.to.map(|_| *first)
    }
}
