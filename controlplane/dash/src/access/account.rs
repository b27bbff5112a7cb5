//! The rows of one's own account, and of passkeys.

use super::Who::{Anyone, Viewer};
use super::{Access, row};
use crate::site::Site;
use crate::{account, passkey_in};
use axum::routing::{MethodRouter, delete, get, post};
use std::sync::Arc;

pub(super) fn rows() -> Vec<(Access, MethodRouter<Arc<Site>>)> {
    vec![
        (
            row("POST", "/sign-in/passkey/begin", Anyone),
            post(passkey_in::begin),
        ),
        (
            row("POST", "/sign-in/passkey", Anyone),
            post(passkey_in::enter),
        ),
        (row("GET", "/account", Viewer), get(account::show)),
        (
            row("POST", "/account/passkeys/begin", Viewer),
            post(account::begin),
        ),
        (row("POST", "/account/passkeys", Viewer), post(account::add)),
        (
            row("POST", "/account/passkeys/remove", Viewer),
            post(account::remove),
        ),
        (
            row("GET", "/api/v1/account", Viewer),
            get(account::api::account),
        ),
        (
            row("GET", "/api/v1/passkeys", Viewer),
            get(account::api::passkeys),
        ),
        (
            row("DELETE", "/api/v1/passkeys/{id}", Viewer),
            delete(account::remove_json),
        ),
    ]
}
