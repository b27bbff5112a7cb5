//! The page of tokens, and its forms.

use super::{DAYS, MOST_DAYS, Wanted, make, revoke};
use crate::answer::{html, refusal};
use crate::caller::Caller;
use crate::frame::Frame;
use crate::site::Site;
use crate::view::When;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use kill_wire::{Name, Timestamp};
use net_model::{DashRole, Secret};
use serde::Deserialize;
use std::sync::Arc;
use store::TokenRecord;

/// Tokens on the page.
const MOST: u32 = 500;

#[derive(Template)]
#[template(path = "tokens.html")]
struct Page {
    frame: Frame,
    problem: Option<String>,
    /// Shown this once.
    made: Option<(String, Secret)>,
    may_make: bool,
    roles: [&'static str; 3],
    days: u32,
    most_days: u32,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: String,
    role: &'static str,
    by: String,
    created: When,
    used: Option<When>,
    expires: When,
    tone: &'static str,
    state: &'static str,
    lets_in: bool,
}

fn row(token: &TokenRecord, now: Timestamp) -> Row {
    let (tone, state) = match (token.revoked, token.expires > now) {
        (Some(_), _) => ("none", "revoked"),
        (None, false) => ("none", "expired"),
        (None, true) => ("good", "lets in"),
    };
    Row {
        name: token.name.to_string(),
        role: token.role.as_str(),
        by: token.created_by.clone(),
        created: When::day(token.created),
        used: token.last_used.map(When::day),
        expires: When::day(token.expires),
        tone,
        state,
        lets_in: tone == "good",
    }
}

async fn page(
    site: &Site,
    caller: &Caller,
    status: StatusCode,
    problem: Option<String>,
    made: Option<(String, Secret)>,
) -> Response {
    let tokens = match site.app.store.tokens(None, MOST).await {
        Ok(tokens) => tokens,
        Err(error) => {
            tracing::warn!(%error, source = ?std::error::Error::source(&error), "Tokens cannot be read.");
            return refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                "The database does not answer.",
            );
        }
    };
    let now = site.now();
    let page = Page {
        frame: Frame::of(site, caller, "/tokens"),
        problem,
        made,
        may_make: caller.role() == DashRole::Admin,
        roles: DashRole::ALL.map(DashRole::as_str),
        days: DAYS,
        most_days: MOST_DAYS,
        rows: tokens.iter().map(|token| row(token, now)).collect(),
    };
    html(status, &page)
}

pub(crate) async fn show(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    page(&site, &caller, StatusCode::OK, None, None).await
}

/// What the form says.
#[derive(Debug, Deserialize)]
pub(crate) struct Filled {
    name: String,
    role: String,
    days: String,
}

pub(crate) async fn create_by_form(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Form(filled): Form<Filled>,
) -> Response {
    // What is no number is refused as one out of its bounds.
    let wanted = Wanted {
        name: filled.name,
        role: filled.role,
        days: Some(filled.days.trim().parse().unwrap_or(0)),
    };
    match make(&site, &caller, &wanted).await {
        Ok((token, record)) => {
            let made = Some((record.name.to_string(), token));
            page(&site, &caller, StatusCode::OK, None, made).await
        }
        Err(error) => {
            let (status, _) = error.told();
            page(&site, &caller, status, Some(error.to_string()), None).await
        }
    }
}

pub(crate) async fn revoke_by_form(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
) -> Response {
    let revoked = match name.parse::<Name>() {
        Ok(name) => revoke(&site, &caller, &name).await,
        Err(_) => Ok(false),
    };
    match revoked {
        // Also when another was faster: what was wanted is so.
        Ok(_) => Redirect::to("/tokens").into_response(),
        Err(error) => {
            let (status, _) = error.told();
            page(&site, &caller, status, Some(error.to_string()), None).await
        }
    }
}
