//! Kinds that never call: the courier asks them for texts, or something inside the house brings them. What they bring is
//! decided like any other text; how far it is trusted is said here, and never by the courier.

use crate::incoming::{Incoming, Replies};
use crate::options::{Options, Setting};
use crate::refusal::{Answer, Refusal};
use crate::request::RawRequest;
use kill_core::Trust;
use kill_wire::Timestamp;

/// One of them, by its place in [`about`].
pub(crate) struct Pulled<const N: usize>;

pub(crate) type Telegram = Pulled<0>;
pub(crate) type Ntfy = Pulled<1>;
pub(crate) type Mqtt = Pulled<2>;
pub(crate) type Gammu = Pulled<3>;
pub(crate) type ModemManager = Pulled<4>;

/// Kind, trust, way of the reply. Telegram knows its senders and a modem in the house is its own provider; to a topic of
/// ntfy or of a broker whoever knows it may write, so that a text from there may cut and no more.
const fn about(n: usize) -> (&'static str, Trust, Replies) {
    match n {
        0 => ("telegram", Trust::A, Replies::ByCourier),
        1 => ("ntfy", Trust::C, Replies::ByCourier),
        2 => ("mqtt", Trust::C, Replies::ByCourier),
        3 => ("gammu", Trust::A, Replies::ByCourier),
        _ => ("modem-manager", Trust::A, Replies::ByCourier),
    }
}

impl<const N: usize> Pulled<N> {
    pub(crate) const KIND: &str = about(N).0;
    pub(crate) const TRUST: Trust = about(N).1;
    pub(crate) const REPLIES: Replies = about(N).2;
    pub(crate) const METHODS: &[&str] = &["POST"];
    pub(crate) const SETTINGS: &[Setting] = &[];

    /// Secrets and the way to the provider are the courier's, which reads them itself.
    #[expect(clippy::unnecessary_wraps, reason = "the form all kinds share")]
    pub(crate) fn new(_options: Options) -> Result<Self, String> {
        Ok(Self)
    }

    #[expect(clippy::unused_self, reason = "the form all kinds share")]
    pub(crate) const fn verify(
        &self,
        _channel: &str,
        _request: &RawRequest<'_>,
        _now: Timestamp,
    ) -> Result<Incoming, Refusal> {
        Err(Refusal::Pulled)
    }

    pub(crate) const fn answer(_reply: Option<&str>) -> Answer {
        Answer::empty()
    }
}

/// Whether texts of this kind are fetched instead of called in.
pub(crate) fn is_pulled(kind: &str) -> bool {
    (0..5).any(|n| about(n).0 == kind)
}
