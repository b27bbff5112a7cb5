//! What comes of a sign-in, and why nothing does.

use crate::claims::name;
use crate::web::Unreachable;
use net_model::DashRole;
use openidconnect::core::CoreErrorResponseType;
use openidconnect::{RequestTokenError, StandardErrorResponse};
use std::fmt;
use std::time::Duration;

/// A sign-in on its way. Whoever comes back must be the browser that holds these.
pub struct Begun {
    /// Where the browser goes.
    pub url: String,
    /// Comes back with it.
    pub state: String,
    /// Stands in its ID token.
    pub nonce: String,
    /// Proves that the code is ours.
    pub verifier: String,
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Begun(…)")
    }
}

/// Who came back, by a verified ID token.
#[derive(Clone)]
pub struct SignedIn {
    /// His id at the provider, which stays.
    pub subject: String,
    /// The provider's session, where it names one.
    pub sid: Option<String>,
    /// His name there.
    pub who: String,
    /// What his groups give; none where they give nothing.
    pub role: Option<DashRole>,
    /// What asks for the next ID token, where the provider gives one.
    pub refresh: Option<String>,
    /// The ID token itself, for the provider's logout.
    pub id_token: String,
    /// How long until it should be asked for again.
    pub lasts: Option<Duration>,
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedIn({}, {:?})", self.who, self.role)
    }
}

/// Why nobody is signed in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OidcError {
    /// It gives no answer that can be used. Nothing is said of the person.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    /// It says no: a code or a token that it does not take, or takes no more.
    #[error("the provider refused: {0}")]
    Refused(String),
    /// What it says cannot be believed.
    #[error("the provider's token does not hold: {0}")]
    Untrue(String),
}

type Failed = RequestTokenError<Unreachable, StandardErrorResponse<CoreErrorResponseType>>;

/// Only a word of the provider is a refusal; whatever else says nothing of the person.
pub(crate) fn refused(why: Failed) -> OidcError {
    match why {
        RequestTokenError::ServerResponse(said) => OidcError::Refused(name(said.error().as_ref())),
        RequestTokenError::Request(why) => OidcError::Unreachable(why),
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            OidcError::Unreachable(Unreachable("its answer is not understood".to_owned()))
        }
    }
}

/// An error with its reasons, in a line.
pub(crate) fn said(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}
