//! Reads along with one answer. Bounded memory; no byte is held back.

use super::{
    frames::Figures,
    talk::Talk,
    text::{Keys, Text},
    yardstick::{Seen, Yardstick},
};
use memchr::memmem;
use net_model::{Api, Tokens};

/// Bytes of one unfinished line that are kept.
const MAX_LINE: usize = 64 * 1024;
/// Bytes of an answer that does not stream that are kept; of a longer one, its end.
const MAX_WHOLE: usize = 1024 * 1024;
/// What is left of a longer one each time the bound is reached.
const TAIL: usize = 256 * 1024;

/// How an answer is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Server-sent events, or one JSON object a line.
    Lines,
    /// One JSON object.
    Whole,
    /// A session of the realtime API: each piece that is fed is one event.
    Session,
}

/// Reads along with one answer.
#[derive(Debug)]
pub struct Meter {
    api: Api,
    form: Form,
    keys: &'static Keys,
    yardstick: Yardstick,
    prompt_bytes: u64,
    kept: Vec<u8>,
    /// The line now read is longer than the bound: skipped to its end, its bytes counted as text.
    skipping: bool,
    /// All words so far.
    text: Text,
    /// Words that came after the last figure for the answer, or all.
    since: Text,
    figures: Figures,
    /// Of a session.
    talk: Option<Box<Talk>>,
    /// The last event of the answer has passed.
    done: bool,
}

impl Meter {
    /// For an answer in `api`. `prompt_bytes` and `yardstick` stand in where the upstream gives no figure.
    #[must_use]
    pub fn new(api: Api, form: Form, prompt_bytes: u64, yardstick: Yardstick) -> Self {
        Self {
            api,
            form,
            keys: Keys::of(api, form == Form::Lines),
            yardstick,
            prompt_bytes,
            kept: Vec::new(),
            skipping: false,
            text: Text::default(),
            since: Text::default(),
            figures: Figures::default(),
            talk: (form == Form::Session).then(Box::default),
            done: false,
        }
    }

    /// Goes by another yardstick: what was learned meanwhile.
    pub const fn measure_by(&mut self, yardstick: Yardstick) {
        self.yardstick = yardstick;
    }

    /// Whether the upstream said that its answer is whole. Clients leave at that word and do not wait for the end.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.done
    }

    /// Reads the next bytes of the answer.
    pub fn feed(&mut self, bytes: &[u8]) {
        match self.form {
            Form::Lines => self.feed_lines(bytes),
            Form::Session => {
                if let Some(talk) = &mut self.talk {
                    talk.said(bytes, &self.yardstick);
                }
            }
            Form::Whole => {
                self.kept.extend_from_slice(bytes);
                if self.kept.len() > MAX_WHOLE {
                    let gone = self.kept.len() - TAIL;
                    self.count(bytes_alone(gone));
                    self.kept.drain(..gone);
                }
            }
        }
    }

    /// Reads an event that the client of a session sends.
    pub fn asked(&mut self, event: &[u8]) {
        if let Some(talk) = &mut self.talk {
            talk.asked(event);
        }
    }

    /// Whether nothing of the model's is under way in a session.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.talk.as_ref().is_some_and(|talk| talk.is_quiet())
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
            self.count(bytes_alone(part.len()));
        } else if self.kept.len() + part.len() > MAX_LINE {
            self.skipping = true;
            self.count(bytes_alone(self.kept.len() + part.len()));
            self.kept = Vec::new();
        } else {
            self.kept.extend_from_slice(part);
        }
    }

    fn read(&mut self, json: &[u8]) {
        if json.len() < 3 {
            return;
        }
        self.count(self.keys.read(json));
        if self.figures.read(self.api, json) {
            self.since = Text::default();
        }
        self.done |= self.form == Form::Lines && is_last(self.api, json);
    }

    fn count(&mut self, text: Text) {
        self.text = self.text.plus(text);
        self.since = self.since.plus(text);
    }

    /// What was used up to the last whole line; of an answer that does not stream, the prompt alone until it ends.
    #[must_use]
    pub fn so_far(&self) -> Tokens {
        if let Some(talk) = &self.talk {
            return talk.so_far(&self.yardstick);
        }
        let figures = &self.figures;
        let deltas = match self.form {
            Form::Lines => self.since.pieces,
            Form::Whole | Form::Session => 0,
        };
        let counted = self.yardstick.completion(deltas, self.since.bytes);
        let says_nothing = matches!(self.api, Api::Embeddings | Api::OllamaEmbed);
        // A prompt that Ollama had cached whole has no figure of its own.
        let prompt_known = figures.prompt.is_some();
        let completion_known =
            says_nothing || (figures.completion.is_some() && self.since == Text::default());
        Tokens {
            prompt: figures
                .prompt
                .unwrap_or_else(|| self.yardstick.prompt(self.prompt_bytes)),
            cached: figures.cached,
            cache_written: figures.cache_written,
            cache_written_hour: figures.cache_written_hour,
            heard: figures.heard,
            heard_cached: figures.heard_cached,
            spoken: figures.spoken,
            completion: if says_nothing {
                figures.completion.unwrap_or(0)
            } else {
                figures.completion.unwrap_or(0).saturating_add(counted)
            },
            reasoning: figures.reasoning,
            estimated: !(prompt_known && completion_known),
        }
    }

    /// What was used, when the answer is over or broken off.
    pub fn total(&mut self) -> Tokens {
        let kept = std::mem::take(&mut self.kept);
        self.read(&kept);
        self.so_far()
    }

    /// What a finished answer taught of its model; `None` where the upstream gave no figures.
    #[must_use]
    pub fn seen(&self) -> Option<Seen> {
        Some(Seen {
            prompt_bytes: self.prompt_bytes,
            prompt: self.figures.prompt?,
            deltas: match self.form {
                Form::Lines => self.text.pieces,
                Form::Whole | Form::Session => 0,
            },
            bytes: self.text.bytes,
            completion: self.figures.completion.unwrap_or(0),
        })
    }
}

fn bytes_alone(bytes: usize) -> Text {
    Text {
        pieces: 0,
        bytes: bytes as u64,
    }
}

/// Whether this line ends a stream of this API.
fn is_last(api: Api, line: &[u8]) -> bool {
    let has = |word: &[u8]| memmem::find(line, word).is_some();
    match api {
        Api::Chat | Api::Completions => {
            line.starts_with(b"data:") && line.trim_ascii_end().ends_with(b"[DONE]")
        }
        Api::Responses => {
            line.starts_with(b"event:")
                && [
                    b"response.completed".as_slice(),
                    b"response.incomplete",
                    b"response.failed",
                ]
                .iter()
                .any(|end| line.trim_ascii_end().ends_with(end))
        }
        Api::Messages => {
            line.starts_with(b"event:") && line.trim_ascii_end().ends_with(b"message_stop")
        }
        Api::Embeddings | Api::Realtime => false,
        Api::OllamaChat | Api::OllamaGenerate | Api::OllamaEmbed => {
            has(b"\"done\":true") || has(b"\"done\": true")
        }
    }
}

#[cfg(test)]
mod tests;
