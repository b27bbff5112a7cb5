//! People and codes: who holds which keys, a person added, cards to print, keys taken away.
//!
//! Looking needs a sign-in. Changing needs a RESTORE code besides, which the kill switch itself checks and spends: a session
//! that was stolen must not come by a key that restores, nor take one away from whoever would cut.

pub(crate) mod api;

use crate::answer::html;
use crate::assets::address;
use crate::caller::Caller;
use crate::frame::Frame;
use crate::office::{
    self, Cards, KeyToScan, NewPerson, Pending, PersonView, Shown, Trouble, Vouch,
};
use crate::record::{Change, NotRecorded};
use crate::site::Site;
use crate::view::Outcome;
use askama::Template;
use axum::Json;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use net_model::DashRole;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Codes on one side of a folded card.
const ON_A_CARD: usize = 20;
/// Longest code in characters.
const LONGEST_CODE: usize = 40;

#[derive(Debug, Template)]
#[template(path = "house/people.html")]
struct People {
    frame: Frame,
    people: Vec<PersonView>,
    /// Why they cannot be shown.
    problem: Option<String>,
    guesses: Option<String>,
    locked: bool,
    may: bool,
    outcome: Option<Outcome>,
}

pub(crate) async fn list(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    draw(&site, &caller, StatusCode::OK, None).await
}

async fn draw(
    site: &Site,
    caller: &Caller,
    status: StatusCode,
    outcome: Option<Outcome>,
) -> Response {
    let may = caller.role() == DashRole::Admin;
    let found = found(site, may).await;
    let snapshot = site.snapshot();
    let state = snapshot.killswitch.as_ref().ok();
    let page = People {
        frame: Frame::of(site, caller, "/people"),
        problem: found.as_ref().err().map(|why| why.text.clone()),
        people: found.unwrap_or_default(),
        guesses: state
            .and_then(|it| it.guesses.as_ref())
            .map(crate::view::guesses),
        locked: state.is_some_and(|it| it.restore_locked),
        may,
        outcome,
    };
    html(status, &page)
}

/// Numbers of phones are for whoever keeps the people.
async fn found(site: &Site, may: bool) -> Result<Vec<PersonView>, Trouble> {
    let mut people = office::ask(site, |office| office.people()).await?;
    for person in people.iter_mut().filter(|_| !may) {
        person.senders.clear();
    }
    Ok(people)
}

pub(crate) async fn all(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    match found(&site, caller.role() == DashRole::Admin).await {
        Ok(people) => Json(json!({ "items": people, "next": null })).into_response(),
        Err(why) => why.problem(),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Begin {
    name: String,
    senders: String,
    check_in: String,
}

#[derive(Debug, Template)]
#[template(path = "house/keys.html")]
struct Keys {
    frame: Frame,
    id: String,
    name: String,
    keys: Vec<KeyToScan>,
}

pub(crate) async fn begin(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Form(form): Form<Begin>,
) -> Response {
    let senders = form
        .senders
        .split(',')
        .map(str::trim)
        .filter(|it| !it.is_empty());
    let new = NewPerson {
        name: form.name.trim().to_owned(),
        senders: senders.map(str::to_owned).collect(),
        check_in: !form.check_in.is_empty(),
    };
    match office::ask(&site, move |office| office.begin_person(&new)).await {
        Ok(Pending { id, name, keys }) => {
            let frame = Frame::of(&site, &caller, "/people/");
            html(
                StatusCode::OK,
                &Keys {
                    frame,
                    id,
                    name,
                    keys,
                },
            )
        }
        Err(why) => {
            draw(
                &site,
                &caller,
                why.status(),
                Some(why.outcome("Nobody was added")),
            )
            .await
        }
    }
}

/// The codes are under their keys' labels. No `Debug`: it holds codes.
#[derive(Deserialize)]
pub(crate) struct Finish {
    id: String,
    name: String,
    vouch: String,
    #[serde(flatten)]
    codes: BTreeMap<String, String>,
}

fn code(typed: &str) -> String {
    typed.trim().chars().take(LONGEST_CODE).collect()
}

pub(crate) async fn finish(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Form(form): Form<Finish>,
) -> Response {
    const NOBODY: &str = "Nobody was added";
    if let Err(answer) = recorded(&site, &caller, "person.add", &form.name, "").await {
        return answer;
    }
    let vouch = Vouch {
        code: code(&form.vouch),
        by: caller.by(),
    };
    let shown = Shown(
        form.codes
            .iter()
            .map(|(label, typed)| (label.clone(), code(typed)))
            .collect(),
    );
    let id = form.id;
    match office::ask(&site, move |office| {
        office.finish_person(&id, &shown, &vouch)
    })
    .await
    {
        Ok(added) => {
            let mut lines = vec![format!(
                "{} agreed. The kill switch has read the keys, and tells everybody.",
                added.vouched
            )];
            lines.extend(added.notes);
            let outcome = Outcome {
                tone: "good",
                title: format!("{} is added", added.name),
                lines,
            };
            draw(&site, &caller, StatusCode::OK, Some(outcome)).await
        }
        Err(why) => {
            let mut outcome = why.outcome(NOBODY);
            outcome.lines.push("The keys that were scanned wait for a quarter of an hour: go back and type newer codes.".to_owned());
            draw(&site, &caller, why.status(), Some(outcome)).await
        }
    }
}

/// No `Debug`: it holds a code.
#[derive(Deserialize)]
pub(crate) struct CardsForm {
    count: u8,
    #[serde(default)]
    digits: String,
    vouch: String,
}

#[derive(Debug, Template)]
#[template(path = "house/cards.html")]
struct Sheets {
    links: crate::assets::Links,
    style: String,
    person: String,
    date: String,
    /// Number of the card, and its codes with theirs.
    sheets: Vec<(usize, Vec<(usize, String)>)>,
}

pub(crate) async fn cards(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    Form(form): Form<CardsForm>,
) -> Response {
    let detail = format!("{} cards", form.count);
    if let Err(answer) = recorded(&site, &caller, "person.cards", &name, &detail).await {
        return answer;
    }
    let vouch = Vouch {
        code: code(&form.vouch),
        by: caller.by(),
    };
    let (count, digits) = (form.count, !form.digits.is_empty());
    match office::ask(&site, move |office| {
        office.cards(&name, count, digits, &vouch)
    })
    .await
    {
        Ok(made) => html(StatusCode::OK, &sheets(made)),
        Err(why) => {
            draw(
                &site,
                &caller,
                why.status(),
                Some(why.outcome("No card was made")),
            )
            .await
        }
    }
}

fn sheets(made: Cards) -> Sheets {
    let numbered: Vec<(usize, String)> = (1..).zip(made.codes).collect();
    let sheets = (1..).zip(numbered.chunks(ON_A_CARD).map(<[_]>::to_vec));
    Sheets {
        links: crate::assets::links(),
        style: address("cards.css"),
        person: made.person,
        date: made.date,
        sheets: sheets.collect(),
    }
}

/// No `Debug`: it holds a code.
#[derive(Deserialize)]
pub(crate) struct RevokeForm {
    #[serde(default)]
    only_cards: String,
    confirm: String,
    vouch: String,
}

pub(crate) async fn revoke(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    Form(form): Form<RevokeForm>,
) -> Response {
    const KEPT: &str = "Everything is as it was";
    if form.confirm.trim() != name {
        let outcome = Outcome::refused(KEPT, format!("To confirm, type the name: {name}."));
        return draw(
            &site,
            &caller,
            StatusCode::UNPROCESSABLE_ENTITY,
            Some(outcome),
        )
        .await;
    }
    let only_cards = !form.only_cards.is_empty();
    let detail = if only_cards {
        "cards"
    } else {
        "keys and cards"
    };
    if let Err(answer) = recorded(&site, &caller, "person.revoke", &name, detail).await {
        return answer;
    }
    let vouch = Vouch {
        code: code(&form.vouch),
        by: caller.by(),
    };
    match office::ask(&site, move |office| {
        office.revoke(&name, only_cards, &vouch)
    })
    .await
    {
        Ok(said) => {
            let outcome = Outcome {
                tone: "good",
                title: "Revoked".to_owned(),
                lines: vec![said],
            };
            draw(&site, &caller, StatusCode::OK, Some(outcome)).await
        }
        Err(why) => draw(&site, &caller, why.status(), Some(why.outcome(KEPT))).await,
    }
}

async fn recorded(
    site: &Site,
    caller: &Caller,
    what: &'static str,
    subject: &str,
    detail: &str,
) -> Result<(), Response> {
    let written = recorded_as(site, caller, what, subject, detail).await;
    written.map_err(IntoResponse::into_response)
}

/// The same, for whoever answers a program.
async fn recorded_as(
    site: &Site,
    caller: &Caller,
    what: &'static str,
    subject: &str,
    detail: &str,
) -> Result<(), NotRecorded> {
    let change = Change {
        what,
        subject,
        detail,
    };
    site.record(caller, &change).await
}
