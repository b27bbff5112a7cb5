//! What is said to whoever is not let in.

use crate::answer;
use crate::assets::{Links, links};
use crate::visitor::NotLetIn;
use askama::Template;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use net_model::DashRole;
use store::StoreError;

/// Why a request goes no further.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) why: Why,
    pub(crate) form: Form,
}

/// What kind of answer is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    Json,
    Page,
    /// The page with the red button, to which whoever signs in comes back.
    Stop,
    /// Asked for by a page, which cannot be led elsewhere.
    Stream,
    Part,
}

impl Form {
    pub(crate) fn wanted(path: &str, method: &Method) -> Self {
        if path.starts_with("/api/") {
            Self::Json
        } else if path == "/events" {
            Self::Stream
        } else if path == "/stop" {
            Self::Stop
        } else if method.is_safe() {
            Self::Page
        } else {
            Self::Part
        }
    }
}

#[derive(Debug)]
pub(crate) enum Why {
    /// No session, or one that has ended.
    NotSignedIn,
    /// The mesh does not let in whoever is there, and there is no session.
    NotLetIn(NotLetIn),
    /// The role is not enough for this route.
    TooLittle { has: DashRole, least: DashRole },
    /// The database cannot say whether this session still holds; it did, so a cut is let through.
    OnlyCuts(Option<StoreError>),
    /// The database cannot say.
    Unknown(Option<StoreError>),
}

#[derive(Template)]
#[template(path = "no_access.html")]
struct NoAccess {
    links: Links,
    why: &'static str,
}

const fn too_little(has: DashRole, least: DashRole) -> &'static str {
    match (has, least) {
        (DashRole::Viewer, DashRole::Viewer | DashRole::Operator) => {
            "You may look here, not act: this needs the role operator."
        }
        (DashRole::Viewer, DashRole::Admin) => {
            "You may look here, not act: this needs the role admin."
        }
        (DashRole::Operator | DashRole::Admin, _) => {
            "You may look and cut here: this needs the role admin."
        }
    }
}

fn logged(error: Option<&StoreError>) {
    match error {
        Some(error) => {
            tracing::error!(%error, source = ?std::error::Error::source(error), "Sign-ins cannot be checked.");
        }
        None => {
            tracing::error!("Sign-ins cannot be checked: the database does not answer in time.")
        }
    }
}

impl Why {
    fn told(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::NotSignedIn => (
                StatusCode::UNAUTHORIZED,
                "not_signed_in",
                "You are not signed in, or your sign-in has ended. Run `portcullis sign-in` for a fresh link.",
            ),
            Self::NotLetIn(why) => (why.status(), why.word(), why.text()),
            Self::TooLittle { has, least } => {
                let word = match has {
                    DashRole::Viewer => "only_looks",
                    DashRole::Operator | DashRole::Admin => "role_too_low",
                };
                (StatusCode::FORBIDDEN, word, too_little(*has, *least))
            }
            Self::OnlyCuts(error) => {
                logged(error.as_ref());
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "only_cuts",
                    "The database does not answer, so nothing but a cut is possible now: no change could be written down.",
                )
            }
            Self::Unknown(error) => {
                logged(error.as_ref());
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    "Sign-ins cannot be checked: the database does not answer. `portcullis cut` works without it.",
                )
            }
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, code, text) = self.why.told();
        match (self.form, &self.why) {
            (Form::Json, _) => answer::problem(status, code, text),
            (Form::Page, Why::NotSignedIn) => Redirect::to("/sign-in").into_response(),
            (Form::Stop, Why::NotSignedIn) => Redirect::to("/sign-in?to=stop").into_response(),
            (Form::Page | Form::Stop | Form::Stream, Why::NotLetIn(_) | Why::TooLittle { .. }) => {
                let (links, why) = (links(), text);
                answer::html(status, &NoAccess { links, why })
            }
            (Form::Page | Form::Stop | Form::Stream | Form::Part, _) => {
                answer::refusal(status, text)
            }
        }
    }
}
