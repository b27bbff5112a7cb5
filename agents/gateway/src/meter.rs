//! Counts the tokens of an answer while it passes: by the upstream's usage frame, else by the length of the text.

use memchr::memmem::Finder;
use serde::Deserialize;
use std::sync::LazyLock;

/// Bytes of one unfinished line that are kept.
const MAX_LINE: usize = 64 * 1024;
/// Bytes of an answer that does not stream that are kept; of a longer one, its end.
const MAX_WHOLE: usize = 1024 * 1024;
/// What is left of a longer one each time the bound is reached.
const TAIL: usize = 256 * 1024;
/// English text has about four bytes a token in the usual vocabularies.
const BYTES_PER_TOKEN: u64 = 4;

static USAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"usage\""));
static CONTENT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"content\""));
static ARGUMENTS: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"arguments\""));
static TEXT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"text\""));

/// Tokens of one exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tokens {
    /// Of the prompt.
    pub(crate) prompt: u64,
    /// Of the answer.
    pub(crate) completion: u64,
    /// True when the upstream gave no figures.
    pub(crate) estimated: bool,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Server-sent events: one JSON object a line.
    Lines,
    /// One JSON object.
    Whole,
}

/// Reads along with one answer. Bounded memory; no byte is held back.
#[derive(Debug)]
pub(crate) struct Meter {
    form: Form,
    kept: Vec<u8>,
    /// The line now read is longer than the bound: skipped to its end, its bytes counted as text.
    skipping: bool,
    text_bytes: u64,
    usage: Option<Usage>,
    /// The last event of a whole answer has passed.
    done: bool,
}

impl Meter {
    /// For a stream of events.
    pub(crate) fn of_events() -> Self {
        Self::new(Form::Lines)
    }

    /// For one JSON object.
    pub(crate) fn of_whole() -> Self {
        Self::new(Form::Whole)
    }

    fn new(form: Form) -> Self {
        Self {
            form,
            kept: Vec::new(),
            skipping: false,
            text_bytes: 0,
            usage: None,
            done: false,
        }
    }

    /// Whether the upstream said that its answer is whole. Clients leave at that word and do not wait for the end.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// Reads the next bytes of the answer.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        match self.form {
            Form::Lines => self.feed_lines(bytes),
            Form::Whole => {
                self.kept.extend_from_slice(bytes);
                if self.kept.len() > MAX_WHOLE {
                    let gone = self.kept.len() - TAIL;
                    self.text_bytes += gone as u64;
                    self.kept.drain(..gone);
                }
            }
        }
    }

    fn feed_lines(&mut self, bytes: &[u8]) {
        let mut from = 0;
        for at in memchr::memchr_iter(b'\n', bytes) {
            let part = bytes.get(from..at).unwrap_or_default();
            from = at + 1;
            if self.kept.is_empty() && !self.skipping && part.len() <= MAX_LINE {
                self.read(part);
            } else {
                self.keep(part);
                let line = std::mem::take(&mut self.kept);
                self.read(&line);
                self.skipping = false;
            }
        }
        self.keep(bytes.get(from..).unwrap_or_default());
    }

    fn keep(&mut self, part: &[u8]) {
        if self.skipping {
            self.text_bytes += part.len() as u64;
        } else if self.kept.len() + part.len() > MAX_LINE {
            self.skipping = true;
            self.text_bytes += (self.kept.len() + part.len()) as u64;
            self.kept = Vec::new();
        } else {
            self.kept.extend_from_slice(part);
        }
    }

    fn read(&mut self, json: &[u8]) {
        if let Some(usage) = usage_in(json) {
            self.usage = Some(usage);
        }
        self.text_bytes += text_bytes(json);
        self.done |= json.trim_ascii_end().ends_with(b"[DONE]") && json.starts_with(b"data:");
    }

    /// What was used, when the answer is over or broken off. `prompt` stands in where the upstream gave no figure.
    pub(crate) fn total(&mut self, prompt: u64) -> Tokens {
        let kept = std::mem::take(&mut self.kept);
        self.read(&kept);
        let estimate = self.text_bytes.div_ceil(BYTES_PER_TOKEN);
        match self.usage {
            Some(usage) => Tokens {
                prompt: usage.prompt_tokens.unwrap_or(prompt),
                completion: usage.completion_tokens.unwrap_or(estimate),
                estimated: usage.prompt_tokens.is_none() || usage.completion_tokens.is_none(),
            },
            None => Tokens {
                prompt,
                completion: estimate,
                estimated: true,
            },
        }
    }
}

/// Tokens of a prompt by the length of the text in a request body.
pub(crate) fn prompt_estimate(body: &[u8]) -> u64 {
    let text = text_bytes(body) + strings_after(&TEXT, body);
    let bytes = if text == 0 { body.len() as u64 } else { text };
    bytes.div_ceil(BYTES_PER_TOKEN)
}

/// The last usage object of a JSON text. Inside a JSON string quotes are escaped, so that words of the model
/// cannot be taken for one.
fn usage_in(json: &[u8]) -> Option<Usage> {
    USAGE
        .find_iter(json)
        .filter_map(|at| {
            let value = member(json.get(at + USAGE.needle().len()..)?)?;
            if !value.starts_with(b"{") {
                return None;
            }
            Usage::deserialize(&mut serde_json::Deserializer::from_slice(value)).ok()
        })
        .last()
}

/// Bytes of text an answer or question carries: of every `content` (also `reasoning_content`) and `arguments`.
fn text_bytes(json: &[u8]) -> u64 {
    strings_after(&CONTENT, json) + strings_after(&ARGUMENTS, json)
}

fn strings_after(key: &Finder<'_>, json: &[u8]) -> u64 {
    let mut total = 0;
    let mut rest = json;
    while let Some(at) = key.find(rest) {
        rest = rest.get(at + key.needle().len()..).unwrap_or_default();
        if let Some(text) = member(rest).and_then(|value| value.strip_prefix(b"\"")) {
            let length = string_length(text);
            total += length as u64;
            rest = text.get(length..).unwrap_or_default();
        }
    }
    total
}

/// The value after a key's closing quote.
fn member(after_key: &[u8]) -> Option<&[u8]> {
    let value = after_key.trim_ascii_start().strip_prefix(b":")?;
    Some(value.trim_ascii_start())
}

/// Bytes up to the closing quote of a JSON string; all of them when it does not close.
fn string_length(text: &[u8]) -> usize {
    let mut from = 0;
    while let Some(at) = text
        .get(from..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        if text.get(from + at) == Some(&b'"') {
            return from + at;
        }
        from += at + 2;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn metered(mut meter: Meter, chunks: &[&[u8]]) -> Tokens {
        for chunk in chunks {
            meter.feed(chunk);
        }
        meter.total(5)
    }

    const STREAM: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"he said \\\"usage\\\": {\\\"prompt_tokens\\\":9}\"}}],\"usage\":null}\n\n\
        data: {\"choices\":[],\"usage\": {\"prompt_tokens\":11,\"completion_tokens\":7}}\r\n\r\ndata: [DONE]\n\n";

    #[test]
    fn the_usage_frame_counts_and_words_that_look_like_one_do_not() {
        let tokens = metered(Meter::of_events(), &[STREAM.as_bytes()]);
        let expected = Tokens {
            prompt: 11,
            completion: 7,
            estimated: false,
        };
        assert_eq!(tokens, expected);
    }

    #[test]
    fn a_stream_without_figures_is_counted_by_its_text() {
        let stream = b"data: {\"delta\":{\"content\":\"12345678\"}}\n\ndata: {\"delta\":{\"reasoning_content\": \"1234\"}}\n\ndata: {\"function\":{\"arguments\":\"{\\\"a\\\"\"}}\n\n";
        let tokens = metered(Meter::of_events(), &[stream]);
        let expected = Tokens {
            prompt: 5,
            completion: 5,
            estimated: true,
        };
        assert_eq!(tokens, expected);
    }

    #[test]
    fn a_whole_answer_is_metered_at_any_length() {
        let short = br#"{"choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#;
        assert_eq!(metered(Meter::of_whole(), &[short]).completion, 1);
        let mut long = format!(
            r#"{{"choices":[{{"message":{{"content":"{}"}}}}]"#,
            "x".repeat(3_000_000)
        );
        long.push_str(r#","usage":{"prompt_tokens":3,"completion_tokens":750000}}"#);
        let pieces: Vec<&[u8]> = long.as_bytes().chunks(7000).collect();
        assert_eq!(metered(Meter::of_whole(), &pieces).completion, 750_000);
    }

    #[test]
    fn a_prompt_is_estimated_by_its_text() {
        let body = br#"{"model":"m","messages":[{"role":"user","content":"12345678"},{"content":[{"type":"text","text":"1234"}]}]}"#;
        assert_eq!(prompt_estimate(body), 3);
        assert_eq!(prompt_estimate(b"{}"), 1);
    }

    #[test]
    fn memory_stays_bounded_in_a_line_without_end() {
        let mut meter = Meter::of_events();
        for _ in 0..1000 {
            meter.feed(&[b'x'; 1000]);
        }
        assert!(meter.kept.capacity() <= 2 * MAX_LINE);
        assert_eq!(meter.total(0).completion, 250_000);
    }

    proptest! {
        #[test]
        fn any_chunking_of_a_stream_counts_the_same(
            texts in proptest::collection::vec("[a-z\"\\\\ é]{0,40}", 0..10),
            usage in proptest::option::of((0_u64..1000, 0_u64..1000)),
            cuts in proptest::collection::vec(0_usize..2000, 0..30),
        ) {
            let mut stream: String = texts
                .iter()
                .map(|text| format!("data: {}\n\n", serde_json::json!({"choices":[{"delta":{"content": text}}], "usage": null})))
                .collect();
            if let Some((prompt, completion)) = usage {
                stream.push_str(&format!("data: {}\n\n", serde_json::json!({"usage": {"prompt_tokens": prompt, "completion_tokens": completion}})));
            }
            let bytes = stream.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            let whole = metered(Meter::of_events(), &[bytes]);
            prop_assert_eq!(metered(Meter::of_events(), &chunks), whole);
            if let Some((prompt, completion)) = usage {
                prop_assert_eq!(whole, Tokens { prompt, completion, estimated: false });
            }
        }

        #[test]
        fn no_bytes_make_it_fail(chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..20)) {
            let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
            metered(Meter::of_events(), &chunks);
            metered(Meter::of_whole(), &chunks);
        }
    }
}
