//! Who may join and report, for programs: tokens for hosts to be, another name, and shutting one out.
//!
//! A token is said once, in the answer that makes it. Shutting a host out cuts nothing: that is the kill switch's.

use super::unreadable_json;
use crate::answer::{Sent, bad_request, problem, unread};
use crate::caller::Caller;
use crate::office::{self, NewHost, Ticket, Trouble};
use crate::record::{Change, NotRecorded};
use crate::site::Site;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use net_model::{Dial, HostName, HostRole};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// A new host, which nothing knows yet.
pub(crate) async fn invite(
    caller: Caller,
    State(site): State<Arc<Site>>,
    sent: Sent<NewHost>,
) -> Response {
    let host = match sent {
        Ok(Json(host)) => host,
        Err(why) => return unread(&why),
    };
    if host.roles.is_empty() {
        let all = HostRole::ALL.map(HostRole::as_str).join(", ");
        return bad_request(&format!("`roles`: at least one of {all}"));
    }
    match (host.dial, host.address) {
        (Dial::In, None) => {
            return bad_request(
                "`address`: with `dial` in, where it is called, such as 192.0.2.66:7415",
            );
        }
        (Dial::Out, Some(_)) => {
            return bad_request("`address`: only with `dial` in; this host calls the house");
        }
        (Dial::In, Some(_)) | (Dial::Out, None) => {}
    }
    let roles: Vec<&str> = host.roles.iter().map(|role| role.as_str()).collect();
    let detail = format!("zone {}, {}", host.zone, roles.join(", "));
    let change = Change {
        what: "host.invite",
        subject: host.name.as_str(),
        detail: &detail,
    };
    if let Err(not) = site.record(&caller, &change).await {
        return not.problem();
    }
    let asked = host.clone();
    ticket(office::ask(&site, move |office| office.invite(&asked)).await)
}

/// A host that is known, after a reinstallation or when it was shut out.
pub(crate) async fn reinvite(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
) -> Response {
    match known(&site, &caller, &name, "host.reinvite", "").await {
        Ok(name) => ticket(office::ask(&site, move |office| office.reinvite(&name)).await),
        Err(answer) => answer,
    }
}

fn ticket(made: Result<Ticket, Trouble>) -> Response {
    match made {
        Ok(Ticket {
            host,
            expires,
            token,
        }) => {
            let answer = json!({
                "name": host.name, "zone": host.zone, "roles": host.roles, "dial": host.dial,
                "address": host.address, "expires": expires, "token": token.expose(),
            });
            (StatusCode::CREATED, Json(answer)).into_response()
        }
        Err(why) => why.problem(),
    }
}

pub(crate) async fn revoke(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
) -> Response {
    let name = match known(&site, &caller, &name, "host.revoke", "").await {
        Ok(name) => name,
        Err(answer) => return answer,
    };
    match site.app.store.revoke_host(&name, site.now()).await {
        Ok(true) => Json(json!({ "revoked": name })).into_response(),
        Ok(false) => unknown(),
        Err(error) => unreadable_json(&error),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewName {
    to: HostName,
}

pub(crate) async fn rename(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    sent: Sent<NewName>,
) -> Response {
    let to = match sent {
        Ok(Json(NewName { to })) => to,
        Err(why) => return unread(&why),
    };
    let name = match known(&site, &caller, &name, "host.rename", to.as_str()).await {
        Ok(name) => name,
        Err(answer) => return answer,
    };
    match site.app.store.rename_host(&name, &to).await {
        Ok(true) => Json(json!({ "renamed": name, "to": to })).into_response(),
        Ok(false) => {
            let text = format!("there is a host {to} already, or none is called {name} any more");
            problem(StatusCode::CONFLICT, "taken", &text)
        }
        Err(error) => unreadable_json(&error),
    }
}

fn unknown() -> Response {
    let text = "there is no host of that name";
    problem(StatusCode::NOT_FOUND, "no_host", text)
}

/// Writes down what is about to be done to a host that there is.
async fn known(
    site: &Site,
    caller: &Caller,
    name: &str,
    what: &'static str,
    detail: &str,
) -> Result<HostName, Response> {
    let name: HostName = name.parse().map_err(|_| unknown())?;
    let found = site.app.store.host(&name).await;
    let found = found.map_err(|error| unreadable_json(&error))?;
    found.ok_or_else(unknown)?;
    let change = Change {
        what,
        subject: name.as_str(),
        detail,
    };
    let recorded = site.record(caller, &change).await;
    recorded.map_err(NotRecorded::problem)?;
    Ok(name)
}
