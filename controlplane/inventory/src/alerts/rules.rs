//! Which rules there are, and what the house wants of each.

use jiff::Timestamp as Instant;
use jiff::tz::TimeZone;
use kill_wire::Timestamp;
use net_model::Span;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What finds alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A host that joined sends nothing.
    Silent,
    /// A filesystem is nearly full.
    Disk,
    /// Something is hot.
    Temperature,
    /// A container fails checks of its posture.
    Posture,
    /// A host's certificate is near its end.
    Certificate,
    /// A host of a contained zone listens where nobody said it may.
    Listener,
    /// A model came into memory although model calls are cut.
    ModelWhileCut,
    /// A model nobody had before.
    NewModel,
    /// What must not be reachable is.
    Canary,
    /// What must be reachable is not.
    Unreachable,
    /// Probes of a host were not made for long.
    Stale,
    /// Two machines speak with one key.
    Clone,
    /// Reports were repeated with other contents, or went back.
    Sequence,
    /// A host's clock is far off.
    Clock,
    /// A host speaks from outside the networks of its zone.
    Place,
    /// A host sends what is no report.
    Refused,
    /// Something about the mesh network.
    Mesh,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 17] = [
        Self::Silent,
        Self::Disk,
        Self::Temperature,
        Self::Posture,
        Self::Certificate,
        Self::Listener,
        Self::ModelWhileCut,
        Self::NewModel,
        Self::Canary,
        Self::Unreachable,
        Self::Stale,
        Self::Clone,
        Self::Sequence,
        Self::Clock,
        Self::Place,
        Self::Refused,
        Self::Mesh,
    ];

    /// As written in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Disk => "disk",
            Self::Temperature => "temperature",
            Self::Posture => "posture",
            Self::Certificate => "certificate",
            Self::Listener => "listener",
            Self::ModelWhileCut => "model-while-cut",
            Self::NewModel => "new-model",
            Self::Canary => "canary",
            Self::Unreachable => "unreachable",
            Self::Stale => "stale",
            Self::Clone => "clone",
            Self::Sequence => "sequence",
            Self::Clock => "clock",
            Self::Place => "place",
            Self::Refused => "refused",
            Self::Mesh => "mesh",
        }
    }

    /// What `above` counts, and what it is by itself; none where a rule has no such bound.
    #[must_use]
    pub const fn bound(self) -> Option<(&'static str, i64)> {
        match self {
            Self::Silent => Some(("seconds without a report", 60)),
            Self::Disk => Some(("percent in use", 90)),
            Self::Temperature => Some(("degrees Celsius", 90)),
            Self::Certificate => Some(("hours before its end", 8)),
            Self::Clock => Some(("seconds off", 60)),
            Self::Posture
            | Self::Listener
            | Self::ModelWhileCut
            | Self::NewModel
            | Self::Canary
            | Self::Unreachable
            | Self::Stale
            | Self::Clone
            | Self::Sequence
            | Self::Place
            | Self::Refused
            | Self::Mesh => None,
        }
    }

    /// How long it must last before it is an alert, in seconds; none where it is one at once.
    const fn lasts(self) -> u64 {
        match self {
            Self::Disk | Self::Temperature | Self::Clock | Self::Unreachable => 60,
            Self::Silent
            | Self::Posture
            | Self::Certificate
            | Self::Listener
            | Self::ModelWhileCut
            | Self::NewModel
            | Self::Canary
            | Self::Stale
            | Self::Clone
            | Self::Sequence
            | Self::Place
            | Self::Refused
            | Self::Mesh => 0,
        }
    }

    /// Whether people are told by text, or find it on the dashboard.
    const fn tells(self) -> bool {
        match self {
            Self::Silent
            | Self::Disk
            | Self::Temperature
            | Self::Certificate
            | Self::Listener
            | Self::ModelWhileCut
            | Self::Canary
            | Self::Clone
            | Self::Sequence
            | Self::Place
            | Self::Mesh => true,
            Self::Posture
            | Self::NewModel
            | Self::Unreachable
            | Self::Stale
            | Self::Clock
            | Self::Refused => false,
        }
    }

    /// Whether quiet hours of the house hold for it unless it has its own: a wall with a hole waits for nobody.
    const fn sleeps(self) -> bool {
        !matches!(
            self,
            Self::Canary | Self::Clone | Self::ModelWhileCut | Self::Listener
        )
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The zone of an IANA name.
///
/// # Errors
/// When this machine's database does not know it.
pub fn time_zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| {
        let name: String = name.chars().take(40).collect();
        format!("`{name}` is not the name of a time zone, such as `Europe/Berlin`")
    })
}

/// What the house wants of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSettings {
    /// Whether it is looked for at all.
    pub on: bool,
    /// Whether people are told by text.
    pub tell: bool,
    /// The bound, in the unit of [`Rule::bound`].
    pub above: i64,
    /// How long it must last, in seconds.
    pub lasts: u64,
    /// When people are not told; it is kept for when they are again.
    pub quiet: Vec<Span>,
}

/// What the house wants of alerts.
#[derive(Clone, Debug)]
pub struct AlertRules {
    rules: BTreeMap<Rule, RuleSettings>,
    /// Texts in twenty-four hours, all alerts together.
    pub texts_a_day: usize,
    /// TCP and UDP ports on which hosts of contained zones may listen.
    pub ports: BTreeSet<u16>,
    /// Where quiet hours are told.
    pub zone: TimeZone,
}

impl Default for AlertRules {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl AlertRules {
    /// Every rule as it is by itself, and these quiet hours for those that have any.
    #[must_use]
    pub fn new(quiet: &[Span]) -> Self {
        let settings = |rule: Rule| RuleSettings {
            on: true,
            tell: rule.tells(),
            above: rule.bound().map_or(0, |(_, above)| above),
            lasts: rule.lasts(),
            quiet: if rule.sleeps() {
                quiet.to_vec()
            } else {
                Vec::new()
            },
        };
        Self {
            rules: Rule::ALL.map(|rule| (rule, settings(rule))).into(),
            texts_a_day: 6,
            // Where the agent of a contained host waits to be dialled.
            ports: BTreeSet::from([7415]),
            zone: TimeZone::UTC,
        }
    }

    /// What is wanted of one rule.
    #[must_use]
    pub fn of(&self, rule: Rule) -> RuleSettings {
        let known = self.rules.get(&rule).cloned();
        known.unwrap_or_else(|| RuleSettings {
            on: false,
            tell: false,
            above: 0,
            lasts: 0,
            quiet: Vec::new(),
        })
    }

    /// Changes one rule.
    pub fn set(&mut self, rule: Rule, settings: RuleSettings) {
        self.rules.insert(rule, settings);
    }

    /// Whether people are not to be told of this rule at `now`.
    pub(crate) fn quiet(&self, rule: Rule, now: Timestamp) -> bool {
        let millis = i64::try_from(now.millis()).unwrap_or(i64::MAX);
        let instant = Instant::from_millisecond(millis).unwrap_or_default();
        let civil = self.zone.to_datetime(instant);
        let day = u8::try_from(civil.weekday().to_monday_zero_offset()).unwrap_or_default();
        let minute = i16::from(civil.hour()) * 60 + i16::from(civil.minute());
        let minute = u16::try_from(minute).unwrap_or_default();
        let quiet = self.rules.get(&rule).map(|settings| &settings.quiet);
        quiet.is_some_and(|spans| spans.iter().any(|span| span.covers(day, minute)))
    }
}
