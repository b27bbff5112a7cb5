//! Tells clients how their limits stand, in the headers that OpenAI's SDKs and agents know.
//!
//! Source: <https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers>.

use gateway_core::limits::{Rate, ceil_secs};
use http::{HeaderMap, HeaderName, HeaderValue};

const REQUESTS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];
const TOKENS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-tokens"),
    HeaderName::from_static("x-ratelimit-remaining-tokens"),
    HeaderName::from_static("x-ratelimit-reset-tokens"),
];

/// Puts the limits of requests and tokens a minute in place of what the target says of its own.
pub(crate) fn tell(headers: &mut HeaderMap, (requests, tokens): (Option<Rate>, Option<Rate>)) {
    for (names, rate) in [(REQUESTS, requests), (TOKENS, tokens)] {
        let Some(rate) = rate else {
            continue;
        };
        let [limit, remaining, reset] = names;
        headers.insert(limit, HeaderValue::from(rate.most));
        headers.insert(remaining, HeaderValue::from(rate.left));
        if let Ok(reset_in) = HeaderValue::try_from(ceil_secs(rate.full_in).to_string() + "s") {
            headers.insert(reset, reset_in);
        }
    }
}
