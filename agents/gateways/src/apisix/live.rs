//! Tries the gateway's own data port, as a client would: whether what was written is in force in its workers.

use super::Apisix;
use super::names::MARK;
use super::shut::{Shut, consumers};
use super::state::Expected;
use crate::http::{Answer, Ask, Failure, once};
use crate::{GatewayError, Passage, Probed, Wanted};
use http::Method;
use kill_wire::{INCIDENT_HEADER, Incident, ProbePoint, ProbePoints, RouteKind};
use net_model::Route;
use std::iter;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Connections of one round to one address: workers share a port, and each follows by itself.
const AT_ONCE: usize = 4;
/// Most routes of one round.
const MOST_ROUTES: usize = 4;
const EACH: Duration = Duration::from_millis(150);
const PAUSE: Duration = Duration::from_millis(4);
/// For a way that is tried with a key: it goes on to the target.
const WAY: Duration = Duration::from_secs(2);

/// What one try saw.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    /// Our refusal, of this incident or of a pause; and the mark of the rule, where it is one of this gateway.
    Refused(Option<Incident>, Option<String>),
    /// Nobody serves there.
    Nothing,
    /// Something else came back.
    Answered(u16),
    /// No answer.
    Silent(String),
}

impl Apisix {
    /// Waits until the workers have followed: what is closed is refused by this rule, or what is open is not.
    pub(super) async fn followed(
        &self,
        now: &Expected,
        until: Instant,
    ) -> Result<(), GatewayError> {
        let asks = self.asks(&now.shut);
        loop {
            let seen = self.round(&asks).await;
            let silent = |seen: &&Seen| matches!(seen, Seen::Silent(_));
            let against = seen
                .iter()
                .find(|seen| now.is_denied_by(seen) || silent(seen));
            let Some(against) = against else {
                return Ok(());
            };
            if Instant::now() >= until {
                return Err(GatewayError::Refused(now.not_followed(against)));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Whether the gateway contradicts what must be in force: one try on a kept connection. As long as a rule was not yet
    /// seen at every worker, a round of new ones: workers follow one after the other.
    pub(super) async fn contradicts(&self, now: &Expected) -> Option<String> {
        let lane = self.live.as_ref()?;
        let known = self.state().followed.as_ref() == Some(&now.rule);
        let asks = self.asks(&now.shut);
        let all = match asks.first() {
            None => return None,
            Some(ask) if known => vec![seen(lane.call(ask, EACH).await)],
            Some(_) => self.round(&asks).await,
        };
        let against = all.iter().find(|seen| now.is_denied_by(seen));
        let said = |seen: &Seen| matches!(seen, Seen::Refused(..) | Seen::Answered(_));
        if against.is_none() && all.iter().all(said) {
            self.state().followed = Some(now.rule.clone());
        }
        against.map(|seen| now.not_followed(seen))
    }

    /// Requests without a key: in force, our rule refuses them; else the key is asked for. Neither reaches a target.
    fn asks(&self, shut: &Shut) -> Vec<Ask> {
        let state = self.state();
        let routes = state.wanted().table.routes().iter();
        let meant = routes.filter(|route| shut.is_nothing() || shut.refuses(&route.name));
        let twofold = self.settings.besides.ai_proxy;
        let asks = meant.take(MOST_ROUTES).flat_map(|route| {
            let models = twofold && route.kind == RouteKind::Llm;
            iter::once(ask(route)).chain(models.then(|| chat(route)))
        });
        asks.collect()
    }

    async fn round(&self, asks: &[Ask]) -> Vec<Seen> {
        let mut tries = JoinSet::new();
        for ask in asks {
            for at in &self.settings.data {
                for _ in 0..AT_ONCE {
                    let (ask, at) = (ask.clone(), *at);
                    tries.spawn(async move { seen(once(at, &ask, EACH).await) });
                }
            }
        }
        tries.join_all().await
    }

    /// Every way with its consumer's key, one after the other.
    pub(super) async fn try_every_way(&self) -> Vec<Probed> {
        let Some(at) = self.settings.data.first().copied() else {
            return Vec::new();
        };
        let wanted = self.state().wanted().clone();
        let mut probed = Vec::new();
        for way in points(&wanted).points {
            let seen = passage(&wanted, &way, at).await;
            probed.push(Probed { way, seen });
        }
        probed
    }
}

/// Every way that is open by policy now, and the names there are.
pub(super) fn points(wanted: &Wanted) -> ProbePoints {
    let mut points = wanted.points();
    points.points.retain(|way| {
        let mut routes = wanted.table.routes().iter();
        let route = routes.find(|route| route.name == way.route);
        route.is_some_and(|route| consumers(wanted, route).contains(&&way.consumer))
    });
    points
}

async fn passage(wanted: &Wanted, way: &ProbePoint, at: SocketAddr) -> Passage {
    let mut routes = wanted.table.routes().iter();
    let route = routes.find(|route| route.name == way.route);
    let key = wanted.keys.get(&way.consumer);
    let (Some(route), Some(key)) = (route, key) else {
        return Passage::Odd("the key of this consumer is not known here".to_owned());
    };
    let Ok(ask) = ask(route).bearer(key) else {
        return Passage::Odd("the key of this consumer cannot be sent".to_owned());
    };
    match seen(once(at, &ask, WAY).await) {
        Seen::Refused(Some(incident), _) => Passage::Cut(incident),
        Seen::Refused(None, _) => Passage::Closed,
        Seen::Answered(200..=299) => Passage::Open,
        Seen::Answered(status) => Passage::Odd(format!("answered {status}")),
        Seen::Nothing => Passage::Odd("no such route".to_owned()),
        Seen::Silent(why) => Passage::Odd(why),
    }
}

/// What costs nothing: a list of models, or the head of a page.
fn ask(route: &Route) -> Ask {
    let name = &route.name;
    match route.kind {
        RouteKind::Llm => Ask::new(Method::GET, format!("/{name}/v1/models")),
        RouteKind::Agent | RouteKind::Tool => Ask::new(Method::HEAD, format!("/{name}/")),
    }
}

/// A chat completion without a key and without a word: it is refused before anybody reads it.
fn chat(route: &Route) -> Ask {
    let path = format!("/{}/v1/chat/completions", route.name);
    Ask::new(Method::POST, path)
}

fn seen(answer: Result<Answer, Failure>) -> Seen {
    let answer = match answer {
        Ok(answer) => answer,
        Err(Failure::NotSent(GatewayError::Unreachable(_))) => return Seen::Nothing,
        Err(failure) => return Seen::Silent(GatewayError::from(failure).to_string()),
    };
    let field = |name: &str| {
        let text = answer.headers.get(name)?.to_str().ok()?;
        Some(text.to_owned())
    };
    let incident = field(INCIDENT_HEADER).and_then(|text| text.parse::<Incident>().ok());
    let mark = field(MARK);
    match answer.status.as_u16() {
        503 if incident.is_some() || mark.is_some() => Seen::Refused(incident, mark),
        404 => Seen::Nothing,
        status => Seen::Answered(status),
    }
}

impl Expected {
    /// Whether what was seen cannot be where this is in force. A rule of before refuses, too: it may let others pass.
    fn is_denied_by(&self, seen: &Seen) -> bool {
        match seen {
            Seen::Refused(_, mark) => self.mark().is_none() || mark.as_deref() != self.mark(),
            Seen::Answered(_) => self.mark().is_some(),
            // Nothing passes there, and nothing is known.
            Seen::Nothing | Seen::Silent(_) => false,
        }
    }

    fn not_followed(&self, seen: &Seen) -> String {
        let what = match seen {
            Seen::Refused(..) => "still refuses by what was told before".to_owned(),
            Seen::Nothing => "serves nothing there".to_owned(),
            Seen::Answered(status) => format!("still answers {status}"),
            Seen::Silent(why) => format!("says nothing: {why}"),
        };
        let rule = if self.mark().is_some() {
            "stands"
        } else {
            "is gone"
        };
        format!("the rule {rule}, and the data port {what}")
    }
}
