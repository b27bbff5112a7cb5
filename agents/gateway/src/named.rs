//! What a request is called: by the gateway, by its client, in its trace.

use crate::app::App;
use http::{HeaderMap, HeaderName, HeaderValue};
use net_model::Alias;
use std::{
    fmt::Write as _,
    sync::atomic::{AtomicBool, Ordering},
};
use tokio::time::Instant;

/// Header by which neighbours name a request to one another.
pub(crate) const NEIGHBOUR_HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Header that carries the id under which the exchange is recorded.
pub(crate) const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-portcullis-request-id");
/// Where the target's own id goes when the client has given one.
const TARGET_ID_HEADER: HeaderName = HeaderName::from_static("x-portcullis-target-request-id");
/// Where Anthropic puts its id.
const ANTHROPIC_ID_HEADER: HeaderName = HeaderName::from_static("request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Bytes of a hyphen and the longest number.
const LONGEST_NUMBER: usize = 21;

/// How one request is called, and when it came.
#[derive(Debug)]
pub(crate) struct Named {
    /// Its number within this run.
    pub(crate) number: u64,
    pub(crate) begun: Instant,
    /// What neighbours call it.
    pub(crate) aliases: Aliases,
    /// Whether somebody else writes down what becomes of it.
    told: AtomicBool,
}

/// What neighbours call a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Aliases {
    /// What its client calls it.
    pub(crate) asked_as: Option<Alias>,
    /// The trace it is part of.
    pub(crate) trace: Option<Alias>,
}

impl Named {
    /// Gives a request its number. What a client calls it is taken only in the form that everybody can show and store.
    pub(crate) fn of(app: &App, headers: &HeaderMap) -> Self {
        Self {
            number: app.registry.number(),
            begun: Instant::now(),
            aliases: Aliases::of(headers),
            told: AtomicBool::new(false),
        }
    }

    /// The id under which it is recorded.
    pub(crate) fn id(&self, app: &App) -> String {
        let mut id = String::with_capacity(app.boot.len() + LONGEST_NUMBER);
        id.push_str(&app.boot);
        // Writing to a String cannot fail.
        let _infallible = write!(id, "-{}", self.number);
        id
    }

    /// Somebody else writes down what becomes of it, or nobody needs to.
    pub(crate) fn is_told(&self) {
        self.told.store(true, Ordering::Relaxed);
    }

    /// Whether nobody else does.
    pub(crate) fn is_untold(&self) -> bool {
        !self.told.load(Ordering::Relaxed)
    }
}

impl Aliases {
    fn of(headers: &HeaderMap) -> Self {
        Self {
            asked_as: alias(headers, &NEIGHBOUR_HEADER),
            trace: only(headers, &TRACEPARENT).and_then(trace),
        }
    }
}

/// What the target calls a request that it answers.
pub(crate) fn told_as(upstream: &HeaderMap) -> Option<Alias> {
    alias(upstream, &NEIGHBOUR_HEADER).or_else(|| alias(upstream, &ANTHROPIC_ID_HEADER))
}

/// Names a request to its target: as its client does, or by the gateway's id.
pub(crate) fn name_to_target(headers: &mut HeaderMap, id: &str, asked_as: Option<&Alias>) {
    if let Ok(value) = HeaderValue::from_str(asked_as.map_or(id, Alias::as_str)) {
        headers.insert(NEIGHBOUR_HEADER, value);
    }
}

/// Gives a client its id back, and the gateway's. A client that gave none finds the target's where it is used to it.
pub(crate) fn name_to_client(headers: &mut HeaderMap, id: &str, asked_as: Option<&Alias>) {
    let Ok(own) = HeaderValue::from_str(id) else {
        return;
    };
    if let Some(Ok(given)) = asked_as.map(|it| HeaderValue::from_str(it.as_str())) {
        if let Some(of_target) = headers.insert(NEIGHBOUR_HEADER, given) {
            headers.insert(TARGET_ID_HEADER, of_target);
        }
    } else if !headers.contains_key(NEIGHBOUR_HEADER) {
        headers.insert(NEIGHBOUR_HEADER, own.clone());
    }
    headers.insert(REQUEST_ID_HEADER, own);
}

fn alias(headers: &HeaderMap, name: &HeaderName) -> Option<Alias> {
    only(headers, name)?.parse().ok()
}

/// A header that two readers could read in two ways is none.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    let first = all.next()?;
    all.next().is_none().then(|| first.to_str().ok())?
}

/// The trace of `VERSION-TRACE-PARENT-FLAGS` (W3C Trace Context).
fn trace(text: &str) -> Option<Alias> {
    let mut parts = text.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let (parent, flags) = (parts.next()?, parts.next()?);
    let hex = |text: &str, length: usize| {
        let fine = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        text.len() == length && text.bytes().all(fine)
    };
    let some = |text: &str| text.bytes().any(|byte| byte != b'0');
    let whole = version == "00" && parts.next().is_none();
    let fine = hex(trace, 32) && some(trace) && hex(parent, 16) && some(parent) && hex(flags, 2);
    let version_fine = whole || (hex(version, 2) && version != "00" && version != "ff");
    (fine && version_fine).then(|| trace.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        headers
    }

    fn text(headers: &HeaderMap, name: &str) -> String {
        headers
            .get(name)
            .map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn only_an_id_that_everybody_can_show_is_taken() {
        let of = |value: &str| Aliases::of(&headers(&[("x-request-id", value)])).asked_as;
        assert_eq!(of("req_1").unwrap().as_str(), "req_1");
        assert_eq!(of("a b"), None);
        assert_eq!(of(&"x".repeat(200)), None);
        let two = headers(&[("x-request-id", "a"), ("x-request-id", "b")]);
        assert_eq!(Aliases::of(&two).asked_as, None);
    }

    #[test]
    fn a_trace_is_taken_out_of_its_header() {
        let of = |value: &str| Aliases::of(&headers(&[("traceparent", value)])).trace;
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let good = of(&format!("00-{trace}-00f067aa0ba902b7-01"));
        assert_eq!(good.unwrap().as_str(), trace);
        for bad in [
            format!("ff-{trace}-00f067aa0ba902b7-01"),
            format!("00-{trace}-00f067aa0ba902b7-01-x"),
            format!("00-{trace}-0000000000000000-01"),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()),
            "nonsense".to_owned(),
        ] {
            assert_eq!(of(&bad), None, "{bad}");
        }
    }

    #[test]
    fn a_client_gets_its_own_id_back_and_the_target_s_beside_it() {
        let given = "mine".parse().unwrap();
        let mut answer = headers(&[("x-request-id", "theirs")]);
        name_to_client(&mut answer, "b-1", Some(&given));
        assert_eq!(text(&answer, "x-request-id"), "mine");
        assert_eq!(text(&answer, "x-portcullis-request-id"), "b-1");
        assert_eq!(text(&answer, "x-portcullis-target-request-id"), "theirs");
        let mut answer = headers(&[("x-request-id", "theirs")]);
        name_to_client(&mut answer, "b-1", None);
        assert_eq!(text(&answer, "x-request-id"), "theirs");
        let mut answer = HeaderMap::new();
        name_to_client(&mut answer, "b-1", None);
        assert_eq!(text(&answer, "x-request-id"), "b-1");
    }

    #[test]
    fn a_target_is_told_what_the_client_calls_it() {
        let given = "mine".parse().unwrap();
        let mut asked = headers(&[("x-request-id", "two words")]);
        name_to_target(&mut asked, "b-1", None);
        assert_eq!(text(&asked, "x-request-id"), "b-1");
        name_to_target(&mut asked, "b-1", Some(&given));
        assert_eq!(text(&asked, "x-request-id"), "mine");
    }
}
