//! The rows of who may join and report.

use super::Who::Admin;
use super::{Access, row};
use crate::fleet::guests;
use crate::site::Site;
use axum::routing::{MethodRouter, post};
use std::sync::Arc;

pub(super) fn rows() -> Vec<(Access, MethodRouter<Arc<Site>>)> {
    vec![
        (row("POST", "/api/v1/hosts", Admin), post(guests::invite)),
        (
            row("POST", "/api/v1/hosts/{name}/reinvite", Admin),
            post(guests::reinvite),
        ),
        (
            row("POST", "/api/v1/hosts/{name}/revoke", Admin),
            post(guests::revoke),
        ),
        (
            row("POST", "/api/v1/hosts/{name}/rename", Admin),
            post(guests::rename),
        ),
    ]
}
