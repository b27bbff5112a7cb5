//! Consumers for programs.

use super::{Failed, list, make};
use crate::answer::{Sent, problem, unread};
use crate::caller::Caller;
use crate::office::{ConsumerChange, ConsumerWish};
use crate::site::Site;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

pub(crate) async fn all(_: Caller, State(site): State<Arc<Site>>) -> Response {
    match list::read(&site).await {
        Ok(found) => {
            let items: Vec<Value> = shown(&found).collect();
            Json(json!({ "items": items, "next": null, "routes": found.book.routes, "roles": found.book.roles, "kept_in": found.book.kept_in })).into_response()
        }
        Err(why) => why.problem(),
    }
}

pub(crate) async fn one(
    _: Caller,
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
) -> Response {
    match list::read(&site).await {
        Ok(found) => match shown(&found).find(|it| it["name"] == name.as_str()) {
            Some(it) => Json(it).into_response(),
            None => problem(
                StatusCode::NOT_FOUND,
                "unknown",
                "there is no consumer of that name",
            ),
        },
        Err(why) => why.problem(),
    }
}

fn shown(found: &list::Found) -> impl Iterator<Item = Value> {
    let pairs = found.book.consumers.iter().zip(&found.used);
    pairs.map(|(view, used)| {
        let mut value = json!(view);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("today".to_owned(), json!(used));
        }
        value
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct New {
    name: String,
    #[serde(default)]
    wish: ConsumerWish,
}

pub(crate) async fn create(
    caller: Caller,
    State(site): State<Arc<Site>>,
    new: Sent<New>,
) -> Response {
    match new {
        Ok(Json(New { name, wish })) => {
            let made = make(&site, &caller, ConsumerChange::Create { name, wish }).await;
            answer(StatusCode::CREATED, made)
        }
        Err(why) => unread(&why),
    }
}

pub(crate) async fn change(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    wish: Sent<ConsumerWish>,
) -> Response {
    match wish {
        Ok(Json(wish)) => answer(
            StatusCode::OK,
            make(&site, &caller, ConsumerChange::Change { name, wish }).await,
        ),
        Err(why) => unread(&why),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Overlap {
    /// How long the old key goes on counting, in seconds.
    overlap_s: u64,
}

pub(crate) async fn rotate(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    overlap: Sent<Overlap>,
) -> Response {
    match overlap {
        Ok(Json(Overlap { overlap_s })) => {
            let overlap_ms = overlap_s.saturating_mul(1000);
            answer(
                StatusCode::OK,
                make(&site, &caller, ConsumerChange::Rotate { name, overlap_ms }).await,
            )
        }
        Err(why) => unread(&why),
    }
}

pub(crate) async fn revoke(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
) -> Response {
    answer(
        StatusCode::OK,
        make(&site, &caller, ConsumerChange::Revoke { name }).await,
    )
}

/// With the key, where one was made: it is said this once.
fn answer(status: StatusCode, made: Result<Option<String>, Failed>) -> Response {
    match made {
        Ok(Some(key)) => (status, Json(json!({ "done": true, "key": key }))).into_response(),
        Ok(None) => (status, Json(json!({ "done": true }))).into_response(),
        Err(Failed::NotRecorded(_)) => crate::record::NotRecorded.problem(),
        Err(Failed::Trouble(why)) => why.problem(),
    }
}
