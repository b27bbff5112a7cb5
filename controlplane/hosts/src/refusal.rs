//! Why a question is not answered.

use hyper::StatusCode;
use hyper::header::{HeaderValue, RETRY_AFTER};
use net_link::{Answer, refused};
use store::StoreError;

/// A refusal: status, a sentence, and in how many seconds to come again.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    why: String,
    again: Option<u32>,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, why: impl Into<String>) -> Self {
        Self {
            status,
            why: why.into(),
            again: None,
        }
    }

    /// Nobody may come in by this.
    pub(crate) fn forbidden(why: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, why)
    }

    /// Malformed.
    pub(crate) fn bad(why: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, why)
    }

    /// Too often.
    pub(crate) fn later(seconds: u32) -> Self {
        Self {
            again: Some(seconds),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too soon")
        }
    }

    /// The control plane cannot just now.
    pub(crate) fn busy() -> Self {
        Self {
            again: Some(5),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "not now")
        }
    }

    /// For a log.
    pub(crate) fn why(&self) -> &str {
        &self.why
    }

    pub(crate) fn answer(&self) -> Answer {
        let mut answer = refused(self.status, &self.why);
        if let Some(again) = self.again {
            let headers = answer.headers_mut();
            headers.insert(RETRY_AFTER, HeaderValue::from(again));
        }
        answer
    }
}

/// A database that does not answer lets nobody in, and loses nothing: the host keeps what it has.
impl From<StoreError> for Refusal {
    fn from(why: StoreError) -> Self {
        tracing::error!(
            "A host could not be answered. {:#}",
            anyhow::Error::from(why)
        );
        Self::busy()
    }
}

impl From<anyhow::Error> for Refusal {
    fn from(why: anyhow::Error) -> Self {
        tracing::error!("A host could not be answered. {why:#}");
        Self::busy()
    }
}
