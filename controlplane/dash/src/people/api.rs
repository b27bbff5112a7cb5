//! People and codes for programs. What changes who may cut and restore needs a RESTORE code here as on the page: a token that was
//! stolen must not come by a key that restores, nor take one away from whoever would cut.

use super::{code, recorded_as};
use crate::answer::{Sent, problem, unread};
use crate::caller::Caller;
use crate::office::{self, Cards, Enrolled, NewPerson, Pending, Shown, Vouch};
use crate::site::Site;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Begin {
    name: String,
    #[serde(default)]
    senders: Vec<String>,
    #[serde(default)]
    check_in: bool,
}

/// Makes keys that nothing knows yet; they are said this once.
pub(crate) async fn begin(_: Caller, State(site): State<Arc<Site>>, sent: Sent<Begin>) -> Response {
    let new = match sent {
        Ok(Json(begin)) => NewPerson {
            name: begin.name,
            senders: begin.senders,
            check_in: begin.check_in,
        },
        Err(why) => return unread(&why),
    };
    match office::ask(&site, move |office| office.begin_person(&new)).await {
        Ok(Pending { id, name, keys }) => {
            let key = |it: &office::KeyToScan| json!({ "label": it.label, "what": it.what, "svg": it.svg });
            let keys: Vec<Value> = keys.iter().map(key).collect();
            let answer = json!({ "id": id, "name": name, "keys": keys });
            (StatusCode::CREATED, Json(answer)).into_response()
        }
        Err(why) => why.problem(),
    }
}

/// The codes are under their keys' labels. No `Debug`: it holds codes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Finish {
    id: String,
    name: String,
    vouch: String,
    codes: BTreeMap<String, String>,
}

pub(crate) async fn finish(
    caller: Caller,
    State(site): State<Arc<Site>>,
    sent: Sent<Finish>,
) -> Response {
    let form = match sent {
        Ok(Json(form)) => form,
        Err(why) => return unread(&why),
    };
    if let Err(not) = recorded_as(&site, &caller, "person.add", &form.name, "").await {
        return not.problem();
    }
    let vouch = vouch(&caller, &form.vouch);
    let codes = form.codes.iter();
    let shown = Shown(
        codes
            .map(|(key, typed)| (key.clone(), code(typed)))
            .collect(),
    );
    let id = form.id;
    let added = office::ask(&site, move |office| {
        office.finish_person(&id, &shown, &vouch)
    });
    match added.await {
        Ok(Enrolled {
            name,
            vouched,
            notes,
        }) => {
            let answer = json!({ "name": name, "vouched": vouched, "notes": notes });
            (StatusCode::CREATED, Json(answer)).into_response()
        }
        Err(why) => why.problem(),
    }
}

/// No `Debug`: it holds a code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedCards {
    count: u8,
    #[serde(default)]
    digits: bool,
    vouch: String,
}

/// Makes single-use codes; they are said this once.
pub(crate) async fn cards(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    sent: Sent<WantedCards>,
) -> Response {
    let form = match sent {
        Ok(Json(form)) => form,
        Err(why) => return unread(&why),
    };
    let detail = format!("{} cards", form.count);
    if let Err(not) = recorded_as(&site, &caller, "person.cards", &name, &detail).await {
        return not.problem();
    }
    let vouch = vouch(&caller, &form.vouch);
    let (count, digits) = (form.count, form.digits);
    let made = office::ask(&site, move |office| {
        office.cards(&name, count, digits, &vouch)
    });
    match made.await {
        Ok(Cards {
            person,
            date,
            codes,
        }) => {
            let answer = json!({ "person": person, "date": date, "codes": codes });
            (StatusCode::CREATED, Json(answer)).into_response()
        }
        Err(why) => why.problem(),
    }
}

/// No `Debug`: it holds a code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revoke {
    #[serde(default)]
    only_cards: bool,
    confirm: String,
    vouch: String,
}

pub(crate) async fn revoke(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    sent: Sent<Revoke>,
) -> Response {
    let form = match sent {
        Ok(Json(form)) => form,
        Err(why) => return unread(&why),
    };
    if form.confirm != name {
        let text = "`confirm`: expected the name of the person, letter by letter";
        return problem(StatusCode::UNPROCESSABLE_ENTITY, "not_confirmed", text);
    }
    let only_cards = form.only_cards;
    let detail = if only_cards {
        "cards"
    } else {
        "keys and cards"
    };
    if let Err(not) = recorded_as(&site, &caller, "person.revoke", &name, detail).await {
        return not.problem();
    }
    let vouch = vouch(&caller, &form.vouch);
    let done = office::ask(&site, move |office| {
        office.revoke(&name, only_cards, &vouch)
    });
    match done.await {
        Ok(text) => Json(json!({ "text": text })).into_response(),
        Err(why) => why.problem(),
    }
}

fn vouch(caller: &Caller, typed: &str) -> Vouch {
    Vouch {
        code: code(typed),
        by: caller.by(),
    }
}
