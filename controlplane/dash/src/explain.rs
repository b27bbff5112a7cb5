//! Why one request fared as it did: the page, its form, and the same for programs.

use crate::answer::{html, problem, refusal};
use crate::caller::Caller;
use crate::frame::Frame;
use crate::site::Site;
use crate::slice::{self, Slice};
use crate::view::When;
use askama::Template;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use kill_wire::Timestamp;
use net_model::{Alias, Explanation, Stage, Step, Story, Verdict};
use serde::Deserialize;
use std::sync::Arc;
use store::{StoreError, StoryMark};

/// Requests on the page, and of an answer where nothing else is asked.
const USUAL: u32 = 50;

/// Which request, or which page of the list.
#[derive(Debug, Deserialize)]
pub(crate) struct Asked {
    id: Option<String>,
    before: Option<String>,
}

#[derive(Template)]
#[template(path = "explain.html")]
struct Form {
    frame: Frame,
    problem: Option<&'static str>,
    asked: String,
    rows: Vec<Row>,
    /// The next page holds what stands behind this.
    next: Option<String>,
    first: bool,
}

#[derive(Debug)]
struct Row {
    id: String,
    at: When,
    who: String,
    model: String,
    status: u16,
    why: String,
}

#[derive(Template)]
#[template(path = "explained.html")]
struct Page {
    frame: Frame,
    it: Explanation,
    at: When,
    who: String,
    steps: Vec<StepRow>,
}

#[derive(Debug)]
struct StepRow {
    after: String,
    stage: &'static str,
    tone: &'static str,
    verdict: &'static str,
    text: String,
    rule: String,
    incident: Option<u32>,
}

/// The form, and what was told of last; a form that was sent leads to its page.
pub(crate) async fn form(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Query(asked): Query<Asked>,
) -> Response {
    // An address that somebody has changed by hand shows the newest.
    let after = asked.before.as_deref().and_then(marked);
    let asked = asked.id.unwrap_or_default();
    let problem = match asked.trim().parse::<Alias>() {
        // Of its letters only the slash, the plus and the like need care in a path.
        Ok(id) => return Redirect::to(&format!("/explain/{}", escaped(&id))).into_response(),
        Err(_) if asked.trim().is_empty() => None,
        Err(_) => Some("That is no id of a request: 1 to 128 letters, digits and - _ . : / + = @"),
    };
    match site.app.store.stories(after.as_ref(), USUAL + 1).await {
        Ok(mut stories) => {
            let most = usize::try_from(USUAL).unwrap_or(usize::MAX);
            let more = stories.len() > most;
            stories.truncate(most);
            let page = Form {
                next: stories.last().filter(|_| more).map(mark),
                first: after.is_none(),
                frame: Frame::of(&site, &caller, "/explain"),
                problem,
                asked: asked.chars().take(128).collect(),
                rows: stories.iter().map(row).collect(),
            };
            html(StatusCode::OK, &page)
        }
        Err(error) => {
            logged(&error);
            refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                "The database does not answer.",
            )
        }
    }
}

fn escaped(id: &Alias) -> String {
    let letters = id.as_str().chars().map(|c| match c {
        '/' => "%2F".to_owned(),
        '+' => "%2B".to_owned(),
        c => c.to_string(),
    });
    letters.collect()
}

fn row(story: &Story) -> Row {
    let stopped = |step: &&Step| step.verdict != Verdict::Passed;
    let why = story.steps.iter().find(stopped).or(story.steps.last());
    Row {
        id: story.id.clone(),
        at: When::day(story.at),
        who: story
            .consumer
            .as_ref()
            .map_or_else(|| "nobody known".to_owned(), ToString::to_string),
        model: story.model.clone().unwrap_or_default(),
        status: story.status,
        why: why.map_or_else(
            || "called by a neighbour's id, or slow".to_owned(),
            |step| step.text.clone(),
        ),
    }
}

pub(crate) async fn page(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
) -> Response {
    let found = match id.parse::<Alias>() {
        Ok(id) => site.app.store.explain(&id).await,
        Err(_) => Ok(None),
    };
    match found {
        Ok(Some(it)) => {
            let page = Page {
                frame: Frame::of(&site, &caller, "/explain"),
                at: When::day(it.at),
                who: it
                    .consumer
                    .as_ref()
                    .map_or_else(|| "nobody known".to_owned(), ToString::to_string),
                steps: it.steps.iter().map(step).collect(),
                it,
            };
            html(StatusCode::OK, &page)
        }
        Ok(None) => {
            let page = Form {
                frame: Frame::of(&site, &caller, "/explain"),
                problem: Some(UNKNOWN),
                asked: id.chars().take(128).collect(),
                rows: Vec::new(),
                next: None,
                first: true,
            };
            html(StatusCode::NOT_FOUND, &page)
        }
        Err(error) => {
            logged(&error);
            refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                "The database does not answer.",
            )
        }
    }
}

const UNKNOWN: &str = "Nothing is known of that request: explanations are kept for 14 days, of a flood of refusals only a part, and a request that is still under way has none yet.";

fn step(step: &Step) -> StepRow {
    let (tone, verdict) = match step.verdict {
        Verdict::Passed => ("good", "passed"),
        Verdict::PassedOver => ("warn", "passed over"),
        Verdict::Refused => ("bad", "refused"),
        Verdict::CutOff => ("bad", "cut off"),
        Verdict::NotReached => ("none", "not reached"),
    };
    StepRow {
        after: format!("{} ms", net_model::grouped(step.after_ms)),
        stage: match step.stage {
            Stage::Request => "Request",
            Stage::Identity => "Identity",
            Stage::Policy => "Consumer policy",
            Stage::Latch => "Latch",
            Stage::Budget => "Budget",
            Stage::Breaker => "Breaker",
            Stage::Target => "Target",
            Stage::Answer => "Answer",
        },
        tone,
        verdict,
        text: step.text.clone(),
        rule: step.rule.clone().unwrap_or_default(),
        incident: step.incident.map(kill_wire::Incident::get),
    }
}

/// One, as JSON.
pub(crate) async fn one(
    _: Caller,
    State(site): State<Arc<Site>>,
    Path(id): Path<String>,
) -> Response {
    let unknown = || problem(StatusCode::NOT_FOUND, "no_such_request", UNKNOWN);
    let Ok(id) = id.parse::<Alias>() else {
        return unknown();
    };
    match site.app.store.explain(&id).await {
        Ok(Some(explanation)) => Json(explanation).into_response(),
        Ok(None) => unknown(),
        Err(error) => unreadable(&error),
    }
}

/// What was told of, newest first.
pub(crate) async fn list(
    _: Caller,
    State(site): State<Arc<Site>>,
    Query(slice): Query<Slice>,
) -> Response {
    let limit = slice.limit(USUAL);
    let after = slice.after.as_deref().map(marked);
    if after == Some(None) {
        let text =
            "`after`: expected what `next` said, an instant and an id such as 1795000000000.b-7";
        return problem(StatusCode::BAD_REQUEST, "bad_request", text);
    }
    let after = after.flatten();
    match site.app.store.stories(after.as_ref(), limit + 1).await {
        Ok(stories) => Json(slice::page(stories, limit, mark)).into_response(),
        Err(error) => unreadable(&error),
    }
}

/// Several are told of in one millisecond: with its id each stands in one place.
fn mark(story: &Story) -> String {
    format!("{}.{}", story.at.millis(), story.id)
}

fn marked(text: &str) -> Option<StoryMark> {
    let (at, id) = text.split_once('.')?;
    let at = Timestamp::from_millis(at.parse().ok()?);
    let id = id.to_owned();
    Some(StoryMark { at, id })
}

fn unreadable(error: &StoreError) -> Response {
    logged(error);
    let status = StatusCode::SERVICE_UNAVAILABLE;
    problem(status, "unavailable", &error.to_string())
}

fn logged(error: &StoreError) {
    tracing::warn!(%error, source = ?std::error::Error::source(error), "Stories of requests cannot be read.");
}
