//! Who may ask the gateway: a list, a page for each, and what an admin may do about those that the control plane keeps.
//!
//! A key is made here, shown once and forgotten; its hash is what stays.

pub(crate) mod api;
mod form;
mod list;

use crate::answer::html;
use crate::caller::Caller;
use crate::frame::Frame;
use crate::office::{self, ConsumerChange, Trouble};
use crate::record::Change;
use crate::site::Site;
use crate::view::Outcome;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use form::{Create, Edit};
use net_model::DashRole;
use std::sync::Arc;

pub(crate) async fn list(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    draw_list(&site, &caller, StatusCode::OK, None, None).await
}

pub(crate) async fn one(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
) -> Response {
    draw_one(&site, &caller, &name, StatusCode::OK, None, None).await
}

pub(crate) async fn create(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Form(form): Form<Create>,
) -> Response {
    let name = form.name.trim().to_lowercase();
    let change = form.wish.read().map(|wish| ConsumerChange::Create {
        name: name.clone(),
        wish,
    });
    let change = match change {
        Ok(change) => change,
        Err(why) => {
            let outcome = Outcome::refused("Nobody was added", why);
            return draw_list(
                &site,
                &caller,
                StatusCode::UNPROCESSABLE_ENTITY,
                Some(outcome),
                None,
            )
            .await;
        }
    };
    match make(&site, &caller, change).await {
        Ok(key) => {
            let outcome = done(format!("`{name}` may ask now"));
            draw_list(&site, &caller, StatusCode::OK, Some(outcome), key).await
        }
        Err(Failed::NotRecorded(answer)) => answer,
        Err(Failed::Trouble(why)) => {
            let outcome = why.outcome("Nobody was added");
            draw_list(&site, &caller, why.status(), Some(outcome), None).await
        }
    }
}

pub(crate) async fn edit(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    Form(form): Form<Edit>,
) -> Response {
    const UNCHANGED: &str = "Nothing was changed";
    let (change, said) = match form.read(&name) {
        Ok(read) => read,
        Err(why) => {
            let outcome = Outcome::refused(UNCHANGED, why);
            return draw_one(
                &site,
                &caller,
                &name,
                StatusCode::UNPROCESSABLE_ENTITY,
                Some(outcome),
                None,
            )
            .await;
        }
    };
    let gone = matches!(change, ConsumerChange::Revoke { .. });
    match make(&site, &caller, change).await {
        Ok(key) if gone => draw_list(&site, &caller, StatusCode::OK, Some(done(said)), key).await,
        Ok(key) => draw_one(&site, &caller, &name, StatusCode::OK, Some(done(said)), key).await,
        Err(Failed::NotRecorded(answer)) => answer,
        Err(Failed::Trouble(why)) => {
            let outcome = why.outcome(UNCHANGED);
            draw_one(&site, &caller, &name, why.status(), Some(outcome), None).await
        }
    }
}

fn done(title: String) -> Outcome {
    Outcome {
        tone: "good",
        title,
        lines: vec!["The gateway has taken it over.".to_owned()],
    }
}

/// Why a change was not made.
enum Failed {
    NotRecorded(Response),
    Trouble(Trouble),
}

/// Written down first, then made; gives a new key where one was made.
async fn make(
    site: &Site,
    caller: &Caller,
    change: ConsumerChange,
) -> Result<Option<String>, Failed> {
    let (what, subject, detail) = told(&change);
    let record = Change {
        what,
        subject: &subject,
        detail: &detail,
    };
    if let Err(not) = site.record(caller, &record).await {
        return Err(Failed::NotRecorded(not.into_response()));
    }
    let made = office::ask(site, move |office| office.change_consumer(&change)).await;
    made.map_err(Failed::Trouble)
}

fn told(change: &ConsumerChange) -> (&'static str, String, String) {
    match change {
        ConsumerChange::Create { name, wish } => {
            ("consumer.create", name.clone(), wish.routes.join(", "))
        }
        ConsumerChange::Change { name, wish } => {
            ("consumer.change", name.clone(), wish.routes.join(", "))
        }
        ConsumerChange::Rotate { name, overlap_ms } => {
            let detail = format!("the old key counts for {} s more", overlap_ms / 1000);
            ("consumer.rotate", name.clone(), detail)
        }
        ConsumerChange::Revoke { name } => ("consumer.revoke", name.clone(), String::new()),
    }
}

async fn draw_list(
    site: &Site,
    caller: &Caller,
    status: StatusCode,
    outcome: Option<Outcome>,
    key: Option<String>,
) -> Response {
    let frame = Frame::of(site, caller, "/consumers");
    match list::read(site).await {
        Ok(found) => {
            let may = caller.role() == DashRole::Admin;
            html(status, &list::page(frame, found, may, outcome, key))
        }
        Err(why) => html(why.status(), &list::broken(frame, &why)),
    }
}

async fn draw_one(
    site: &Site,
    caller: &Caller,
    name: &str,
    status: StatusCode,
    outcome: Option<Outcome>,
    key: Option<String>,
) -> Response {
    let frame = Frame::of(site, caller, "/consumers/");
    match list::read(site).await {
        Ok(found) => {
            let may = caller.role() == DashRole::Admin;
            match list::one(frame, found, name, may, outcome, key) {
                Some(page) => html(status, &page),
                None => crate::answer::refusal(
                    StatusCode::NOT_FOUND,
                    "There is no consumer of that name.",
                ),
            }
        }
        Err(why) => html(why.status(), &list::broken(frame, &why)),
    }
}
