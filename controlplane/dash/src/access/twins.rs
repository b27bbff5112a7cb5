//! The rows of what pages show and do, for programs, where it stands beside no page's own handler.

use super::Who::{Admin, Viewer};
use super::{Access, row};
use crate::site::Site;
use crate::{api, past, people, spend};
use axum::routing::{MethodRouter, delete, get, post};
use std::sync::Arc;

pub(super) fn rows() -> Vec<(Access, MethodRouter<Arc<Site>>)> {
    vec![
        (
            row("GET", "/api/v1/incidents/{number}", Viewer),
            get(past::api::incident),
        ),
        (
            row("GET", "/api/v1/journal", Viewer),
            get(past::api::journal),
        ),
        (
            row("POST", "/api/v1/journal/verify", Viewer),
            post(past::api::verify),
        ),
        (
            row("GET", "/api/v1/targets", Viewer),
            get(api::targets::all),
        ),
        (row("GET", "/api/v1/spend", Viewer), get(spend::api::spend)),
        (
            row("GET", "/api/v1/sessions", Viewer),
            get(api::sessions::all),
        ),
        (
            row("DELETE", "/api/v1/sessions/{id}", Viewer),
            delete(api::sessions::end),
        ),
        (
            row("POST", "/api/v1/people", Admin),
            post(people::api::begin),
        ),
        (
            row("POST", "/api/v1/people/finish", Admin),
            post(people::api::finish),
        ),
        (
            row("POST", "/api/v1/people/{name}/cards", Admin),
            post(people::api::cards),
        ),
        (
            row("POST", "/api/v1/people/{name}/revoke", Admin),
            post(people::api::revoke),
        ),
    ]
}
