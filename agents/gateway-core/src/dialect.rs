//! What requests and answers say in each API: which model, how much text, how an error looks, where a stream ends.
//!
//! Bodies are never translated: a request passes in the format it came in, and everything here either reads or
//! writes one small thing beside the bytes that pass.

mod anthropic;
mod asked;
mod entries;
mod fault;
mod framing;
mod ollama;
mod openai;
mod paths;
mod realtime;

pub use asked::{Asked, Unreadable};
pub use entries::{Entry, Shape, entries, list, list_of};
pub use fault::{Fault, Kind};
pub use framing::Framing;
pub use paths::{CALLS, Listing, Place, at_target, place, unescaped};
pub use realtime::{Dialed, Kept, client_event};

use net_model::{Api, Family};

/// The body of an error before an answer has begun, as JSON text in the shape of this family.
#[must_use]
pub fn error_body(family: Family, fault: &Fault<'_>) -> Vec<u8> {
    match family {
        Family::OpenAi => openai::error_body(fault),
        Family::Anthropic => anthropic::error_body(fault),
        Family::Ollama => ollama::error_body(fault),
    }
}

/// The same error as the last words of a stream that had begun: a whole event, or a whole line.
#[must_use]
pub fn error_event(api: Api, fault: &Fault<'_>) -> Vec<u8> {
    match api.family() {
        Family::OpenAi => openai::error_event(api, fault),
        Family::Anthropic => anthropic::error_event(fault),
        Family::Ollama => ollama::error_event(fault),
    }
}

/// The number that the next event of a stream of `api` has after `bytes` of it, where that API numbers them and these
/// say so.
#[must_use]
pub fn next_number(api: Api, bytes: &[u8]) -> Option<u64> {
    (api == Api::Responses)
        .then(|| openai::next_number(bytes))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut() -> Fault<'static> {
        Fault {
            message: "Cut: incident #7.",
            kind: Kind::Cut,
            code: "cut",
            param: None,
            incident: Some("7".parse().unwrap()),
            request_id: Some("5f-1"),
            number: 3,
        }
    }

    #[test]
    fn each_family_has_its_own_shape() {
        let body = |family| String::from_utf8(error_body(family, &cut())).unwrap();
        assert_eq!(
            body(Family::OpenAi),
            r##"{"error":{"message":"Cut: incident #7.","type":"portcullis_cut","param":null,"code":"cut","incident":7,"request_id":"5f-1"}}"##
        );
        assert_eq!(
            body(Family::Anthropic),
            r##"{"type":"error","error":{"type":"permission_error","message":"Cut: incident #7.","code":"cut","incident":7},"request_id":"5f-1"}"##
        );
        assert_eq!(
            body(Family::Ollama),
            r##"{"error":"Cut: incident #7.","code":"cut","incident":7,"request_id":"5f-1"}"##
        );
    }

    #[test]
    fn the_last_words_of_a_stream_are_one_whole_event() {
        let event = |api| String::from_utf8(error_event(api, &cut())).unwrap();
        assert!(event(Api::Chat).starts_with(r#"data: {"error":{"#));
        assert!(
            event(Api::Responses)
                .starts_with("event: error\ndata: {\"type\":\"error\",\"code\":\"cut\",")
        );
        assert!(event(Api::Responses).contains(r#""sequence_number":3,"#));
        assert!(event(Api::Realtime).starts_with(r#"{"type":"error","event_id":"#));
        assert!(event(Api::Messages).starts_with("event: error\ndata: {\"type\":\"error\","));
        assert!(event(Api::OllamaChat).starts_with(r#"{"error":"Cut"#));
        for api in Api::ALL {
            let text = event(api);
            let ending = match (api, api.family()) {
                // A message of its own.
                (Api::Realtime, _) => "\"5f-1\"}}",
                (_, Family::Ollama) => "}\n",
                _ => "}\n\n",
            };
            assert!(text.ends_with(ending), "{text}");
            assert_eq!(text.matches(ending).count(), 1);
            assert!(text.contains("\"incident\":7"), "{text}");
        }
    }
}
