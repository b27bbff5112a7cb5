//! Requests of every provider, mangled: what is accepted says what one of the good vectors of its kind says.
//!
//! The first two bytes choose a vector; the rest is its request as text: method, query, headers, an empty line, the body.
#![no_main]

#[path = "../../../killswitch/inbound/tests/vectors/case.rs"]
#[allow(dead_code, reason = "shared with the tests of the crate")]
mod case;

use case::{Case, cases};
use kill_inbound::{Channel, Incoming, RawRequest, Trust};
use kill_wire::Timestamp;
use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

/// A vector with what its channel was built from, and everything a channel of that kind may rightly say.
struct Known {
    case: Case,
    channel: Channel,
    may_say: Vec<Incoming>,
}

fn known() -> &'static [Known] {
    static KNOWN: OnceLock<Vec<Known>> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let said = |kind: &str| cases().into_iter().filter(|case| case.kind == kind).filter_map(|case| case.send().ok()).collect();
        cases()
            .into_iter()
            .map(|case| Known { channel: case.channel(), may_say: said(&case.kind), case })
            .collect()
    })
}

// Made before the first input, which must not be blamed for the time that takes.
fuzz_target!(init: { known(); }, |data: &[u8]| {
    let Some((choice, request)) = data.split_first_chunk() else { return };
    let all = known();
    let Known { case, channel, may_say } = &all[usize::from(u16::from_le_bytes(*choice)) % all.len()];
    let mut rest = request;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        line
    };
    let method = String::from_utf8_lossy(line());
    let query = String::from_utf8_lossy(line());
    let mut headers = Vec::new();
    loop {
        let header = line();
        if header.is_empty() {
            break;
        }
        let at = header.iter().position(|byte| *byte == b':').unwrap_or(header.len());
        let (name, value) = header.split_at(at);
        if let Ok(name) = std::str::from_utf8(name) {
            headers.push((name, value.get(2..).unwrap_or_default()));
        }
    }
    let sent = RawRequest {
        method: &method,
        headers: &headers,
        query: (!query.is_empty()).then_some(query.as_ref()),
        body: rest,
    };
    if let Ok(incoming) = channel.verify(&sent, Timestamp::from_millis(case.now * 1000)) {
        // Where the body is not signed, any text may be said; that is what the trust is for.
        if channel.trust() != Trust::C && case.not_signed.is_empty() {
            assert!(may_say.contains(&incoming), "{} / {}: {incoming:?}", case.kind, case.name);
        }
    }
});
