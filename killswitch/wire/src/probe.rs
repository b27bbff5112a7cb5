//! Where a cut is proven: every way a consumer can take through a gateway, as probes see it.

use crate::name::Name;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use std::time::Duration;

/// Path on the gateway's data listener that lists the probe points (bearer: the probe key).
pub const PROBE_POINTS_PATH: &str = "/v1/portcullis/probe-points";

/// Request header that makes a call a probe (bearer: the probe key); see [`ProbeAddress`].
pub const PROBE_HEADER: &str = "x-portcullis-probe";

/// Request header that turns a probe into a stream which the gateway holds open until a cut ends it, as it ends the
/// streams of that consumer. Any value.
pub const HOLD_HEADER: &str = "x-portcullis-hold";

/// A held stream says something at least this often: longer silence means that the gateway hangs.
pub const HOLD_BEAT: Duration = Duration::from_secs(5);

/// What a route leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteKind {
    /// To a model.
    Llm,
    /// To or from an agent.
    Agent,
    /// To a tool.
    Tool,
}

/// Whether a target stands inside the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// In the house.
    Local,
    /// Outside: the fallback, governed.
    Cloud,
}

/// What one request is about, for [`crate::Scope::covers`].
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What the route leads to.
    pub kind: RouteKind,
    /// The route.
    pub route: &'a Name,
    /// Who asks.
    pub consumer: Option<&'a Name>,
    /// Where the chosen target stands; `None` while none is chosen.
    pub class: Option<Class>,
}

/// One way through a gateway: this consumer, on this route, to this target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProbePoint {
    /// What the route leads to.
    pub kind: RouteKind,
    /// The consumer the probe stands in for.
    pub consumer: Name,
    /// The route.
    pub route: Name,
    /// The target.
    pub target: Name,
    /// Where the target stands.
    pub class: Class,
}

impl ProbePoint {
    /// The same, as what a scope is held against.
    #[must_use]
    pub fn subject(&self) -> Subject<'_> {
        Subject {
            kind: self.kind,
            route: &self.route,
            consumer: Some(&self.consumer),
            class: Some(self.class),
        }
    }

    /// The same, as a probe names it.
    #[must_use]
    pub fn address(&self) -> ProbeAddress {
        ProbeAddress {
            consumer: self.consumer.clone(),
            route: self.route.clone(),
            target: self.target.clone(),
        }
    }
}

/// All probe points of one gateway, and the names a command may use there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbePoints {
    /// Every route and consumer, each once.
    pub names: Vec<Name>,
    /// Every way through.
    pub points: Vec<ProbePoint>,
}

/// Value of [`PROBE_HEADER`]: `consumer=a;route=b;target=c`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeAddress {
    /// The consumer the probe stands in for.
    pub consumer: Name,
    /// The route.
    pub route: Name,
    /// The target.
    pub target: Name,
}

impl std::fmt::Display for ProbeAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "consumer={};route={};target={}",
            self.consumer, self.route, self.target
        )
    }
}

impl FromStr for ProbeAddress {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "expected `consumer=NAME;route=NAME;target=NAME`";
        let mut parts = text.split(';');
        let mut take = |key: &str| {
            parts
                .next()
                .and_then(|part| part.strip_prefix(key))
                .and_then(|name| name.parse().ok())
                .ok_or(FORM)
        };
        let address = Self {
            consumer: take("consumer=")?,
            route: take("route=")?,
            target: take("target=")?,
        };
        if parts.next().is_some() {
            Err(FORM)
        } else {
            Ok(address)
        }
    }
}
