//! The rows of looking closer: tests of targets and channels, the record of changes, what browsers tell of their pages.

use super::Who::{Anyone, Operator, Viewer};
use super::{Access, row};
use crate::site::Site;
use crate::{channels, past, targets, violations};
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, get, post};
use std::sync::Arc;

pub(super) fn rows() -> Vec<(Access, MethodRouter<Arc<Site>>)> {
    let short = DefaultBodyLimit::max(violations::LONGEST);
    vec![
        (
            row("POST", "/targets/{name}/test", Operator),
            post(targets::test),
        ),
        (
            row("POST", "/api/v1/targets/{name}/test", Operator),
            post(targets::test_json),
        ),
        (
            row("POST", "/channels/{name}/test", Operator),
            post(channels::test),
        ),
        (
            row("POST", "/api/v1/channels/{name}/test", Operator),
            post(channels::test_json),
        ),
        (row("GET", "/journal/changes", Viewer), get(past::changes)),
        (
            row("GET", "/journal/changes/export", Viewer),
            get(past::export_changes),
        ),
        (
            row("POST", "/journal/changes/verify", Viewer),
            post(past::verify_changes),
        ),
        (
            row("GET", "/api/v1/changes", Viewer),
            get(past::changes_json),
        ),
        (
            row("POST", "/api/v1/changes/verify", Viewer),
            post(past::verify_changes_json),
        ),
        (
            row("POST", violations::PATH, Anyone),
            post(violations::take_in).layer(short),
        ),
    ]
}
