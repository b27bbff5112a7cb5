//! Tests one channel: the kill switch is asked for a drill, which sends a signed call of its own through the channel's listener
//! where it can sign one, and looks at the courier and at what was heard of every other. What it says of this channel is shown.

use super::draw;
use crate::act::LIMIT;
use crate::answer::{come_again, html, problem};
use crate::caller::Caller;
use crate::lever::ask as ask_lever;
use crate::page::plain;
use crate::record::{Change, NotRecorded};
use crate::site::Site;
use crate::view::{Outcome, Trial, Trials, Tried, When};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use kill_wire::{DrillState, LeverReply, LeverRequest, Timestamp};
use net_model::Snapshot;
use serde_json::json;
use std::sync::Arc;

/// What a test of one channel has found.
#[derive(Clone, Debug)]
pub(crate) struct ChannelTest {
    at: Timestamp,
    /// Until the kill switch had answered, milliseconds.
    took_ms: u64,
    /// Why a text would not come in by it.
    problem: Option<String>,
}

impl ChannelTest {
    /// What a drill says of this channel.
    fn of(drill: &DrillState, channel: &str, took_ms: u64) -> Self {
        let about = format!("{channel}: ");
        let failed = drill.failed.iter().find_map(|it| it.strip_prefix(&about));
        Self {
            at: drill.at,
            took_ms,
            problem: failed.map(ToOwned::to_owned),
        }
    }

    fn said(&self) -> (&'static str, String) {
        let ms = self.took_ms;
        match &self.problem {
            None => (
                "good",
                format!("a text would come in; looked at within {ms} ms"),
            ),
            Some(why) => ("bad", why.clone()),
        }
    }
}

/// Each channel with what its last test found.
pub(super) fn trials(site: &Site, snapshot: &Snapshot, caller: &Caller) -> Trials {
    let channels = snapshot.killswitch.as_ref().map(|state| &state.channels);
    let row = |name: &str| Trial {
        name: name.to_owned(),
        last: site.channel_tests.of(name).map(|test| {
            let (tone, text) = test.said();
            (tone, text, When::day(test.at))
        }),
    };
    let rows = channels.into_iter().flatten().map(|it| row(&it.name));
    Trials::new(
        ("Channel", "Test it now", "/channels"),
        rows.collect(),
        caller,
    )
}

/// Why nothing was tested.
enum Failed {
    NotRecorded,
    TooSoon(u64),
    Unknown,
    Unavailable(String),
}

impl Failed {
    fn words(&self) -> (StatusCode, &'static str, String) {
        match self {
            Self::NotRecorded => (
                StatusCode::SERVICE_UNAVAILABLE,
                "not_recorded",
                NotRecorded::TEXT.to_owned(),
            ),
            Self::TooSoon(seconds) => (
                StatusCode::TOO_MANY_REQUESTS,
                "too_soon",
                format!("A channel was tested a moment ago; again in {seconds} s."),
            ),
            Self::Unknown => (
                StatusCode::NOT_FOUND,
                "unknown",
                "The kill switch has no channel of this name.".to_owned(),
            ),
            Self::Unavailable(why) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", why.clone()),
        }
    }

    const fn after(&self) -> Option<u64> {
        match self {
            Self::TooSoon(seconds) => Some(*seconds),
            Self::NotRecorded | Self::Unknown | Self::Unavailable(_) => None,
        }
    }
}

async fn ask(site: &Site, caller: &Caller, name: &str) -> Result<ChannelTest, Failed> {
    let snapshot = site.snapshot();
    let state = snapshot.killswitch.as_ref();
    let state = state.map_err(|why| Failed::Unavailable(why.clone()))?;
    if !state.channels.iter().any(|it| it.name == name) {
        return Err(Failed::Unknown);
    }
    // Whichever channel it is about, the kill switch drills as a whole.
    let counted = site.pace.allow("channel", site.now());
    counted.map_err(Failed::TooSoon)?;
    let change = Change {
        what: "channel.test",
        subject: name,
        detail: "",
    };
    let written = site.record(caller, &change).await;
    written.map_err(|NotRecorded| Failed::NotRecorded)?;
    let begun = site.now();
    let request = LeverRequest::Drill { by: caller.by() };
    let test = match ask_lever(site, request, LIMIT).await {
        Ok(LeverReply::Drilled { drill }) => ChannelTest::of(&drill, name, site.now().since(begun)),
        Ok(_) => {
            let text = "The kill switch answered something that was not asked for.";
            return Err(Failed::Unavailable(text.to_owned()));
        }
        Err(error) => return Err(Failed::Unavailable(error.message)),
    };
    site.channel_tests.keep(name, test.clone());
    Ok(test)
}

pub(crate) async fn test(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let (status, outcome, after) = match ask(&site, &caller, &name).await {
        Ok(test) => {
            let (tone, text) = test.said();
            let outcome = Outcome {
                tone,
                title: format!("{name}: {text}"),
                lines: vec!["Nothing was cut.".to_owned()],
            };
            (StatusCode::OK, outcome, None)
        }
        Err(why) => {
            let (status, _, text) = why.words();
            (
                status,
                Outcome::refused("Nothing was tested", text),
                why.after(),
            )
        }
    };
    let answer = if plain(&headers) {
        draw(&site, &caller, status, Some(outcome))
    } else {
        let trials = trials(&site, &site.snapshot(), &caller);
        html(status, &Tried { outcome, trials })
    };
    come_again(answer, after)
}

/// The same for programs.
pub(crate) async fn test_json(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
) -> Response {
    match ask(&site, &caller, &name).await {
        Ok(test) => {
            let told = json!({
                "channel": name, "at": test.at, "took_ms": test.took_ms,
                "well": test.problem.is_none(), "problem": test.problem,
            });
            Json(told).into_response()
        }
        Err(why) => {
            let (status, code, text) = why.words();
            come_again(problem(status, code, &text), why.after())
        }
    }
}
