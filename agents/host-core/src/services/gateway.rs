//! Whether a gateway answers. LiteLLM's plain `/health` calls the models and costs money: it is never asked.

use net_model::report::{GatewayFact, GatewayKind, Liveness, Printable};
use serde::de::DeserializeOwned;

/// What came back of one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// An HTTP answer.
    Body {
        /// Its status.
        status: u16,
        /// Its body, as far as it was read.
        body: Vec<u8>,
        /// How long it took, in milliseconds.
        took_ms: u32,
    },
    /// Nobody listens there.
    Refused,
    /// Nothing came in time, or nothing that is HTTP.
    Silent,
}

impl Answer {
    /// The body of a good answer, if it is of this form.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Option<T> {
        match self {
            Self::Body {
                status: 200, body, ..
            } => serde_json::from_slice(body).ok(),
            Self::Body { .. } | Self::Refused | Self::Silent => None,
        }
    }

    const fn liveness(&self) -> Liveness {
        match self {
            Self::Body {
                status: 200..=299, ..
            } => Liveness::Up,
            Self::Body {
                status: 500..=599, ..
            }
            | Self::Refused => Liveness::Down,
            Self::Body { .. } | Self::Silent => Liveness::Unknown,
        }
    }

    const fn took_ms(&self) -> Option<u32> {
        match self {
            Self::Body { took_ms, .. } => Some(*took_ms),
            Self::Refused | Self::Silent => None,
        }
    }
}

/// The paths that tell whether a gateway lives and whether it can serve.
#[must_use]
pub const fn asked_of(kind: GatewayKind) -> (&'static str, &'static str) {
    match kind {
        GatewayKind::Own => ("/healthz", "/healthz"),
        GatewayKind::Litellm => ("/health/liveliness", "/health/readiness"),
        // APISIX's status server (`apisix.status` of its configuration).
        GatewayKind::Apisix => ("/status", "/status/ready"),
    }
}

/// What the two answers come to.
#[must_use]
pub fn gateway(name: &str, kind: GatewayKind, live: &Answer, ready: &Answer) -> GatewayFact {
    GatewayFact {
        name: Printable::clipped(name),
        kind,
        live: live.liveness(),
        ready: ready.liveness(),
        took_ms: live.took_ms().max(ready.took_ms()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_is_asked_that_calls_a_model() {
        for kind in [GatewayKind::Own, GatewayKind::Litellm, GatewayKind::Apisix] {
            let (live, ready) = asked_of(kind);
            assert!(live != "/health" && ready != "/health");
        }
    }

    #[test]
    fn silence_and_odd_answers_are_unknown_and_never_up() {
        let body = |status| Answer::Body {
            status,
            body: Vec::new(),
            took_ms: u32::from(status),
        };
        let fact = gateway("llm", GatewayKind::Litellm, &body(200), &body(503));
        assert_eq!(
            (fact.live, fact.ready, fact.took_ms),
            (Liveness::Up, Liveness::Down, Some(503))
        );
        for odd in [body(404), body(301), Answer::Silent] {
            assert_eq!(
                gateway("llm", GatewayKind::Own, &odd, &odd).live,
                Liveness::Unknown
            );
        }
        assert_eq!(
            gateway("x", GatewayKind::Own, &Answer::Refused, &Answer::Refused).live,
            Liveness::Down
        );
    }
}
