//! What programs use besides the figures: the document, events, acts, explanations, tokens; and the pages of the last two.

use super::{Access, Who, row};
use crate::site::Site;
use crate::{api, explain, happenings, openapi, tokens};
use axum::routing::{MethodRouter, delete, get, post};
use std::sync::Arc;

/// Their rows.
pub(super) fn rows() -> Vec<(Access, MethodRouter<Arc<Site>>)> {
    use Who::{Admin, Anyone, Operator, Viewer};
    vec![
        (
            row("GET", "/api/v1/openapi.json", Anyone),
            get(openapi::document),
        ),
        (
            row("GET", "/api/v1/events", Viewer),
            get(happenings::listen),
        ),
        (
            row("POST", "/api/v1/cut", Operator).cuts(),
            post(api::act::cut),
        ),
        (
            row("POST", "/api/v1/restore", Admin),
            post(api::act::restore),
        ),
        (
            row("POST", "/api/v1/drill", Operator),
            post(api::act::drill),
        ),
        (
            row("POST", "/api/v1/check-in", Operator),
            post(api::act::check_in),
        ),
        (row("GET", "/explain", Viewer), get(explain::form)),
        (row("GET", "/explain/{id}", Viewer), get(explain::page)),
        (row("GET", "/api/v1/explain", Viewer), get(explain::list)),
        (
            row("GET", "/api/v1/explain/{id}", Viewer),
            get(explain::one),
        ),
        (row("GET", "/tokens", Viewer), get(tokens::show)),
        (row("POST", "/tokens", Admin), post(tokens::create_by_form)),
        (
            row("POST", "/tokens/{name}/revoke", Admin),
            post(tokens::revoke_by_form),
        ),
        (row("GET", "/api/v1/tokens", Viewer), get(tokens::list)),
        (row("POST", "/api/v1/tokens", Admin), post(tokens::create)),
        (
            row("DELETE", "/api/v1/tokens/{name}", Admin),
            delete(tokens::end),
        ),
    ]
}
