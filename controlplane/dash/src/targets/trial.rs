//! Asks one target now, by the question with which the gateway probes: it costs nothing, and goes nowhere that is cut. Who asked
//! is written down first.

use super::draw;
use crate::answer::{come_again, html, problem};
use crate::caller::Caller;
use crate::office::{self, Trouble, TroubleKind};
use crate::page::plain;
use crate::record::{Change, NotRecorded};
use crate::site::Site;
use crate::view::{Outcome, Trial, Trials, Tried, When};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use kill_wire::Name;
use net_model::{Snapshot, TargetTest, TestFound};
use serde_json::json;
use std::sync::Arc;

/// Each target with what its last test found.
pub(super) fn trials(site: &Site, snapshot: &Snapshot, caller: &Caller) -> Trials {
    let targets = snapshot.gateway.as_ref().map(|gateway| &gateway.targets);
    let row = |name: &Name| Trial {
        name: name.to_string(),
        last: site.target_tests.of(name.as_str()).map(|test| {
            let (tone, text) = said(&test);
            (tone, text, When::day(test.at))
        }),
    };
    let rows = targets.into_iter().flatten().map(|it| row(&it.name));
    Trials::new(("Target", "Ask it now", "/targets"), rows.collect(), caller)
}

/// In what colour, and in words.
fn said(test: &TargetTest) -> (&'static str, String) {
    let ms = test.took_ms;
    match &test.found {
        TestFound::Closed => (
            "warn",
            "every way to it is cut or paused, so it was not asked".to_owned(),
        ),
        TestFound::Silent { why } => ("bad", format!("no answer after {ms} ms: {why}")),
        TestFound::Answered { status } => match status {
            200..=299 => ("good", format!("answered within {ms} ms")),
            401 | 403 => (
                "bad",
                format!("answered within {ms} ms that our key does not do ({status})"),
            ),
            429 => (
                "warn",
                format!("answered within {ms} ms that it was asked too often (429)"),
            ),
            500..=599 => (
                "bad",
                format!("answered within {ms} ms that it failed ({status})"),
            ),
            _ => (
                "warn",
                format!("is there: answered within {ms} ms, with {status}"),
            ),
        },
    }
}

/// Why nothing was asked.
enum Failed {
    NotRecorded,
    TooSoon(u64),
    Trouble(Trouble),
}

async fn ask(site: &Site, caller: &Caller, name: &str) -> Result<TargetTest, Failed> {
    let unknown = || {
        let text = "the gateway has no target of this name";
        Failed::Trouble(Trouble::new(TroubleKind::Unknown, text))
    };
    let target: Name = name.parse().map_err(|_| unknown())?;
    let snapshot = site.snapshot();
    let gateway = snapshot.gateway.as_ref().map_err(|why| {
        let text = format!("the gateway cannot be read: {why}");
        Failed::Trouble(Trouble::new(TroubleKind::Unavailable, text))
    })?;
    if !gateway.targets.iter().any(|it| it.name == target) {
        return Err(unknown());
    }
    let counted = site.pace.allow(&format!("target {target}"), site.now());
    counted.map_err(Failed::TooSoon)?;
    let change = Change {
        what: "target.test",
        subject: target.as_str(),
        detail: "",
    };
    let written = site.record(caller, &change).await;
    written.map_err(|NotRecorded| Failed::NotRecorded)?;
    let asked = target.clone();
    let test = office::ask(site, move |office| office.test_target(&asked)).await;
    let test = test.map_err(Failed::Trouble)?;
    site.target_tests.keep(target.as_str(), test.clone());
    Ok(test)
}

pub(crate) async fn test(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    const NOT: &str = "Nothing was asked";
    let mut after = None;
    let (status, outcome) = match ask(&site, &caller, &name).await {
        Ok(test) => {
            let (tone, text) = said(&test);
            let title = format!("{}: {text}", test.target);
            let lines = Vec::new();
            (StatusCode::OK, Outcome { tone, title, lines })
        }
        Err(Failed::NotRecorded) => return NotRecorded.into_response(),
        Err(Failed::TooSoon(seconds)) => {
            after = Some(seconds);
            let line = format!("It was tested a moment ago; again in {seconds} s.");
            (StatusCode::TOO_MANY_REQUESTS, Outcome::refused(NOT, line))
        }
        Err(Failed::Trouble(why)) => (why.status(), why.outcome(NOT)),
    };
    let answer = if plain(&headers) {
        draw(&site, &caller, status, Some(outcome)).await
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
            let (tone, text) = said(&test);
            Json(json!({
                "target": test.target, "at": test.at, "took_ms": test.took_ms, "found": test.found,
                "well": tone == "good", "text": text,
            }))
            .into_response()
        }
        Err(Failed::NotRecorded) => NotRecorded.problem(),
        Err(Failed::TooSoon(seconds)) => {
            let text = format!("it was tested a moment ago; ask again in {seconds} s");
            let refused = problem(StatusCode::TOO_MANY_REQUESTS, "too_soon", &text);
            come_again(refused, Some(seconds))
        }
        Err(Failed::Trouble(why)) => why.problem(),
    }
}
