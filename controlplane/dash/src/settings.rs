//! The configuration: every value with where it comes from, and an edit that is checked whole before it is applied.
//!
//! What names programs, files of secrets, or who may cut and restore is written at the machine: whoever keeps the files refuses
//! it here.

use crate::answer::html;
use crate::caller::Caller;
use crate::frame::Frame;
use crate::office::{self, Edit, Field, in_a_line};
use crate::record::Change;
use crate::site::Site;
use crate::slice;
use crate::view::Outcome;
use askama::Template;
use axum::Json;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use net_model::DashRole;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// Longest text of a configuration in a form, in bytes.
pub(crate) const LONGEST_TEXT: usize = 1024 * 1024;

#[derive(Debug, Template)]
#[template(path = "house/settings.html")]
struct Settings {
    frame: Frame,
    file: Option<String>,
    data: String,
    fields: Vec<Field>,
    warnings: Vec<String>,
    text: String,
    version: String,
    /// What a checked text would change.
    edit: Option<Edit>,
    may: bool,
    outcome: Option<Outcome>,
}

pub(crate) async fn show(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    draw(&site, &caller, StatusCode::OK, Drawn::default()).await
}

#[derive(Default)]
struct Drawn {
    outcome: Option<Outcome>,
    /// The text that is being edited, in the place of the file's.
    text: Option<String>,
    edit: Option<Edit>,
}

async fn draw(site: &Site, caller: &Caller, status: StatusCode, drawn: Drawn) -> Response {
    let frame = Frame::of(site, caller, "/settings");
    let may = caller.role() == DashRole::Admin;
    let (view, status, outcome) = match office::ask(site, |office| office.settings()).await {
        Ok(view) => (view, status, drawn.outcome),
        Err(why) => {
            let outcome = why.outcome("The configuration cannot be shown");
            (Default::default(), why.status(), Some(outcome))
        }
    };
    let page = Settings {
        frame,
        file: view.file,
        data: view.data,
        fields: view.fields,
        warnings: view.warnings.iter().map(in_a_line).collect(),
        text: drawn.text.unwrap_or(view.text),
        version: view.version,
        edit: drawn.edit,
        may,
        outcome,
    };
    html(status, &page)
}

/// A text, and over which text it is to be put.
#[derive(Debug, Deserialize)]
pub(crate) struct Text {
    text: String,
    #[serde(default)]
    version: String,
}

/// Browsers send line ends as CR LF.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

pub(crate) async fn check(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Form(form): Form<Text>,
) -> Response {
    let text = lines(&form.text);
    let asked = text.clone();
    let (status, outcome, edit) =
        match office::ask(&site, move |office| office.check_settings(&asked)).await {
            Ok(edit) if edit.mistakes.is_empty() => (StatusCode::OK, good(&edit), Some(edit)),
            Ok(edit) => {
                let mut outcome = Outcome::refused("The text has mistakes", "Nothing was changed.");
                outcome.lines.extend(edit.mistakes.iter().map(in_a_line));
                (StatusCode::UNPROCESSABLE_ENTITY, outcome, None)
            }
            Err(why) => (why.status(), why.outcome("It cannot be checked"), None),
        };
    let drawn = Drawn {
        outcome: Some(outcome),
        text: Some(text),
        edit,
    };
    draw(&site, &caller, status, drawn).await
}

fn good(edit: &Edit) -> Outcome {
    let mut lines: Vec<String> = edit
        .warnings
        .iter()
        .map(|it| format!("To look at: {}.", in_a_line(it)))
        .collect();
    lines.extend(
        edit.needs_restart
            .iter()
            .map(|it| format!("{it} counts from the next start.")),
    );
    if edit.changes.is_empty() {
        lines.push("It says what the file says already.".to_owned());
    }
    Outcome {
        tone: "good",
        title: "The text is good; nothing is changed yet".to_owned(),
        lines,
    }
}

pub(crate) async fn apply(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Form(form): Form<Text>,
) -> Response {
    let text = lines(&form.text);
    let drawn = match put(&site, &caller, text.clone(), form.version).await {
        Ok(restart) => {
            let said = restart
                .iter()
                .map(|it| format!("{it} counts from the next start."));
            Drawn {
                outcome: Some(Outcome {
                    tone: "good",
                    title: "The configuration is changed and in force".to_owned(),
                    lines: said.collect(),
                }),
                ..Drawn::default()
            }
        }
        Err(Failed::NotRecorded(answer)) => return answer,
        Err(Failed::Trouble(why)) => {
            let drawn = Drawn {
                outcome: Some(why.outcome("The file is as it was")),
                text: Some(text),
                edit: None,
            };
            return draw(&site, &caller, why.status(), drawn).await;
        }
    };
    draw(&site, &caller, StatusCode::OK, drawn).await
}

enum Failed {
    NotRecorded(Response),
    Trouble(office::Trouble),
}

/// Written down, then applied; gives what counts from the next start.
async fn put(
    site: &Site,
    caller: &Caller,
    text: String,
    version: String,
) -> Result<Vec<String>, Failed> {
    let asked = text.clone();
    let edit = office::ask(site, move |office| office.check_settings(&asked)).await;
    let edit = edit.map_err(Failed::Trouble)?;
    let keys: Vec<&str> = edit
        .changes
        .iter()
        .map(|(key, _, _)| key.as_str())
        .collect();
    let detail: String = keys.join(", ").chars().take(400).collect();
    let change = Change {
        what: "settings.apply",
        subject: "configuration",
        detail: &detail,
    };
    if let Err(not) = site.record(caller, &change).await {
        return Err(Failed::NotRecorded(not.into_response()));
    }
    let applied = office::ask(site, move |office| office.apply_settings(&text, &version)).await;
    Ok(applied.map_err(Failed::Trouble)?.needs_restart)
}

pub(crate) async fn all(caller: Caller, State(site): State<Arc<Site>>) -> Response {
    match office::ask(&site, |office| office.settings()).await {
        // The text is for whoever may put another in its place, as on the page.
        Ok(view) if caller.role() == DashRole::Admin => {
            let text = json!({ "text": view.text });
            Json(slice::with(json!(view), text)).into_response()
        }
        Ok(view) => Json(view).into_response(),
        Err(why) => why.problem(),
    }
}

pub(crate) async fn check_json(
    _: Caller,
    State(site): State<Arc<Site>>,
    Json(asked): Json<Text>,
) -> Response {
    match office::ask(&site, move |office| office.check_settings(&asked.text)).await {
        Ok(edit) => Json(edit).into_response(),
        Err(why) => why.problem(),
    }
}

pub(crate) async fn put_json(
    caller: Caller,
    State(site): State<Arc<Site>>,
    Json(asked): Json<Text>,
) -> Response {
    match put(&site, &caller, asked.text, asked.version).await {
        Ok(restart) => Json(json!({ "done": true, "needs_restart": restart })).into_response(),
        Err(Failed::NotRecorded(_)) => crate::record::NotRecorded.problem(),
        Err(Failed::Trouble(why)) => why.problem(),
    }
}
