//! Asks nginx through its data port how its gate stands: what it does, not what its files say.

use super::overlay::LOOK;
use crate::http::{Answer, Ask, Lane};
use crate::{GatewayError, Passage};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use kill_wire::{INCIDENT_HEADER, Incident};
use net_model::Secret;
use std::time::Duration;

/// How one port's gate stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gate {
    /// Id of the file that is in force.
    pub(super) file: String,
    /// For this very request.
    pub(super) passage: Passage,
    /// Whether the lease has run out.
    pub(super) lapsed: bool,
    /// nginx's clock.
    pub(super) beat: u64,
    /// What stands open, by its name; empty where nothing can be read.
    pub(super) standing: String,
}

/// What was found at one port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Gate(Gate),
    /// It speaks TLS: how its gate stands is seen at another port of the same server.
    Tls,
    /// Whoever serves there has not included our file.
    Nobody,
}

/// Asks for the path `path`, by the consumer whose key this is.
pub(super) async fn look(
    lane: &Lane,
    path: &str,
    key: Option<&Secret>,
    limit: Duration,
) -> Result<Found, GatewayError> {
    let name = HeaderName::from_static(LOOK);
    let mut ask = Ask::new(Method::GET, path).header(name, HeaderValue::from_static("1"));
    if let Some(key) = key {
        ask = ask.bearer(key)?;
    }
    let answer = lane.call(&ask, limit).await?;
    Ok(read(&answer))
}

fn read(answer: &Answer) -> Found {
    let text = |name: &str| answer.headers.get(name).and_then(|it| it.to_str().ok());
    let Some(said) = text(LOOK) else {
        let told = String::from_utf8_lossy(&answer.body);
        let tls = answer.status == StatusCode::BAD_REQUEST && told.contains("HTTPS port");
        return if tls { Found::Tls } else { Found::Nobody };
    };
    let mut words = said.splitn(4, ' ');
    let mut word = || words.next().unwrap_or_default();
    let (file, gate, beat, folder) = (word(), word(), word(), word());
    let incident = text(INCIDENT_HEADER).and_then(|number| number.parse::<Incident>().ok());
    let passage = match (answer.status, incident) {
        (StatusCode::OK, _) => Passage::Open,
        (StatusCode::SERVICE_UNAVAILABLE, Some(incident)) => Passage::Cut(incident),
        (StatusCode::SERVICE_UNAVAILABLE, None) => Passage::Closed,
        (other, _) => Passage::Odd(format!("answered {other}")),
    };
    Found::Gate(Gate {
        file: file.to_owned(),
        passage,
        lapsed: gate == "lapsed",
        beat: beat.parse().unwrap_or(0),
        standing: folder.rsplit('/').next().unwrap_or_default().to_owned(),
    })
}
