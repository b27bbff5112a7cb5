//! The ways a text may come in: when each was last heard, whether a drill came by it, who else watches; and a test of one.
//!
//! A test is a drill of which one channel's part is shown. It needs nothing that a drill does not, and cuts nothing.

mod trial;

pub(crate) use trial::{ChannelTest, test, test_json};

use crate::answer::{html, problem};
use crate::caller::Caller;
use crate::frame::Frame;
use crate::site::Site;
use crate::view::{Outcome, Trials, Watch};
use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;

#[derive(Debug, Template)]
#[template(path = "house/channels.html")]
struct Channels {
    frame: Frame,
    watch: Watch,
    trials: Trials,
    warnings: Vec<String>,
    problem: Option<String>,
    may: bool,
    /// What a test found, when the browser runs no script.
    outcome: Option<Outcome>,
}

pub(crate) async fn show(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    draw(&site, &caller, StatusCode::OK, None)
}

fn draw(site: &Site, caller: &Caller, status: StatusCode, outcome: Option<Outcome>) -> Response {
    let snapshot = site.snapshot();
    let state = snapshot.killswitch.as_ref();
    let page = Channels {
        frame: Frame::of(site, caller, "/channels"),
        watch: Watch::of(&snapshot),
        trials: trial::trials(site, &snapshot, caller),
        warnings: state.map(|it| it.warnings.clone()).unwrap_or_default(),
        problem: state.err().cloned(),
        may: caller.role() >= net_model::DashRole::Operator,
        outcome,
    };
    html(status, &page)
}

pub(crate) async fn all(_: Caller, State(site): State<Arc<Site>>) -> Response {
    let snapshot = site.snapshot();
    match &snapshot.killswitch {
        Ok(state) => {
            let about = json!({
                "items": state.channels, "next": null, "peers": state.peers, "check_in": state.check_in,
                "drill": state.drill, "warnings": state.warnings,
            });
            Json(about).into_response()
        }
        Err(why) => problem(StatusCode::SERVICE_UNAVAILABLE, "unavailable", why),
    }
}
