//! The rows of what the house keeps: consumers, people, channels, settings, jobs.

use super::Who::{Admin, Operator, Viewer};
use super::{Access, row};
use crate::site::Site;
use crate::{channels, consumers, fleet, people, settings};
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, delete, get, post, put};
use std::sync::Arc;

pub(super) fn rows() -> Vec<(Access, MethodRouter<Arc<Site>>)> {
    let mut all = consumers();
    all.extend(people());
    all.extend(rest());
    all
}

fn consumers() -> Vec<(Access, MethodRouter<Arc<Site>>)> {
    const ONE: &str = "/api/v1/consumers/{name}";
    vec![
        (row("GET", "/consumers", Viewer), get(consumers::list)),
        (row("POST", "/consumers", Admin), post(consumers::create)),
        (row("GET", "/consumers/{name}", Viewer), get(consumers::one)),
        (
            row("POST", "/consumers/{name}", Admin),
            post(consumers::edit),
        ),
        (
            row("GET", "/api/v1/consumers", Viewer),
            get(consumers::api::all),
        ),
        (
            row("POST", "/api/v1/consumers", Admin),
            post(consumers::api::create),
        ),
        (row("GET", ONE, Viewer), get(consumers::api::one)),
        (row("PUT", ONE, Admin), put(consumers::api::change)),
        (row("DELETE", ONE, Admin), delete(consumers::api::revoke)),
        (
            row("POST", "/api/v1/consumers/{name}/rotate", Admin),
            post(consumers::api::rotate),
        ),
    ]
}

fn people() -> Vec<(Access, MethodRouter<Arc<Site>>)> {
    vec![
        (row("GET", "/people", Viewer), get(people::list)),
        (row("POST", "/people", Admin), post(people::begin)),
        (row("POST", "/people/finish", Admin), post(people::finish)),
        (
            row("POST", "/people/{name}/cards", Admin),
            post(people::cards),
        ),
        (
            row("POST", "/people/{name}/revoke", Admin),
            post(people::revoke),
        ),
        (row("GET", "/api/v1/people", Viewer), get(people::all)),
    ]
}

fn rest() -> Vec<(Access, MethodRouter<Arc<Site>>)> {
    let text = || DefaultBodyLimit::max(settings::LONGEST_TEXT * 3);
    vec![
        (row("GET", "/channels", Viewer), get(channels::show)),
        (row("GET", "/api/v1/channels", Viewer), get(channels::all)),
        (row("GET", "/settings", Viewer), get(settings::show)),
        (
            row("POST", "/settings/check", Admin),
            post(settings::check).layer(text()),
        ),
        (
            row("POST", "/settings/apply", Admin),
            post(settings::apply).layer(text()),
        ),
        (row("GET", "/api/v1/settings", Viewer), get(settings::all)),
        (
            row("PUT", "/api/v1/settings", Admin),
            put(settings::put_json).layer(text()),
        ),
        (
            row("POST", "/api/v1/settings/check", Admin),
            post(settings::check_json).layer(text()),
        ),
        (row("POST", "/jobs/run", Operator), post(fleet::run_job)),
        (
            row("POST", "/api/v1/jobs/run", Operator),
            post(fleet::api::run_job),
        ),
    ]
}
