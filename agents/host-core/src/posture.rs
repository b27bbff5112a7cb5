//! How well a container, and the host under it, keeps what runs in it apart. The checks are data: `posture/checks.toml`.
//!
//! **What cannot be told is unknown, and unknown is never counted as passed.**

mod check;
mod facts;
mod reduced;

pub use check::{About, Check, Outcome, checks};
pub use facts::{Inspected, host_document, inspected};
pub use reduced::{reduced, reduced_info};

use net_model::report::{Few, Posture, Printable};
use serde_json::Value;

/// Every check about `about`, with what it came to in this document.
pub fn outcomes(about: About, document: &Value) -> impl Iterator<Item = (&'static Check, Outcome)> {
    checks()
        .iter()
        .filter(move |check| check.about == about)
        .map(move |check| (check, check.outcome(document)))
}

/// The same, counted.
#[must_use]
pub fn posture(about: About, document: &Value) -> Posture {
    let mut counted = Posture::default();
    let mut failing = Vec::new();
    for (check, outcome) in outcomes(about, document) {
        let place = match outcome {
            Outcome::Pass => &mut counted.pass,
            Outcome::Warn => &mut counted.warn,
            Outcome::Fail => {
                failing.push(Printable::clipped(&check.id));
                &mut counted.fail
            }
            Outcome::Unknown => &mut counted.unknown,
        };
        *place = place.saturating_add(1);
    }
    counted.failing = Few::first_of(failing).0;
    counted
}
