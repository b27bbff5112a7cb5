//! Counts a realtime session: many answers on one connection, each of which reads the whole conversation again.
//!
//! The figures of each answer stand in its last event; until they come, words and sound are measured. Sources:
//! <https://platform.openai.com/docs/api-reference/realtime-server-events/response/done>, and for sound
//! <https://platform.openai.com/docs/guides/realtime-costs>.

use super::{
    frames::Figures,
    text::{Keys, Text},
    yardstick::Yardstick,
};
use memchr::memmem;
use net_model::{Api, Tokens};
use serde::Deserialize;
use std::borrow::Cow;

/// Signs of base64 that a token of speech heard has in PCM of 16 bits at 24 kHz: 100 ms of it.
const HEARD: u64 = 6400;
/// The same of speech said: 50 ms.
const SAID: u64 = 3200;
/// A telephone's sound (G.711) takes a sixth of that.
const TELEPHONE: u64 = 6;
const TELEPHONE_FORMATS: [&[u8]; 4] = [b"g711_", b"audio/pcmu", b"audio/pcma", b"audio/g711"];

/// What an event of the target says of itself.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
}

/// Words and sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Amount {
    text: Text,
    /// Signs of base64.
    sound: u64,
}

/// Reads along with both sides of a session.
#[derive(Debug, Default)]
pub(super) struct Talk {
    /// What answers that are over have used.
    over: Tokens,
    /// Tokens that an answer reads again: those of all before.
    context: u64,
    /// Of these, sound.
    context_sound: u64,
    /// What the client has said since.
    asked: Amount,
    /// Answers under way.
    open: u32,
    /// What they have said.
    said: Amount,
    telephone: bool,
}

impl Talk {
    /// An event on its way to the target.
    pub(super) fn asked(&mut self, event: &[u8]) {
        self.asked.text = self.asked.text.plus(Keys::asked().read(event));
        self.asked.sound = self
            .asked
            .sound
            .saturating_add(Keys::sound().read(event).bytes);
    }

    /// An event of the target.
    pub(super) fn said(&mut self, event: &[u8], yardstick: &Yardstick) {
        let kind = match serde_json::from_slice::<Event<'_>>(event) {
            Ok(event) => event.kind,
            // Not of this API: counted as words.
            Err(_) => Cow::Borrowed("unknown.delta"),
        };
        match &*kind {
            "session.created" | "session.updated" => {
                let has = |format: &&[u8]| memmem::find(event, format).is_some();
                self.telephone = TELEPHONE_FORMATS.iter().any(has);
            }
            "response.created" => self.open = self.open.saturating_add(1),
            "response.audio.delta" | "response.output_audio.delta" => {
                let sound = Keys::delta().read(event).bytes;
                self.said.sound = self.said.sound.saturating_add(sound);
            }
            "unknown.delta" => self.said.text = self.said.text.plus(Text::piece(event.len())),
            // What was heard is written down beside the conversation, by a model of its own with its own figures.
            kind if kind.starts_with("conversation.") => {
                self.add(event);
            }
            kind if kind.ends_with(".delta") => {
                self.said.text = self.said.text.plus(Keys::delta().read(event));
            }
            kind => {
                let counted = self.add(event);
                if kind == "response.done" || counted.is_some() {
                    self.answered(counted, yardstick);
                }
            }
        }
    }

    /// Takes in the figures of an event, if it has any.
    fn add(&mut self, event: &[u8]) -> Option<Tokens> {
        let mut figures = Figures::default();
        if !figures.read(Api::Realtime, event) {
            return None;
        }
        let counted = Tokens {
            prompt: figures.prompt?,
            completion: figures.completion?,
            cached: figures.cached,
            reasoning: figures.reasoning,
            heard: figures.heard,
            heard_cached: figures.heard_cached,
            spoken: figures.spoken,
            ..Tokens::default()
        };
        self.grow(&counted);
        Some(counted)
    }

    /// An answer is over; without figures, what was measured stands.
    fn answered(&mut self, counted: Option<Tokens>, yardstick: &Yardstick) {
        let used = counted.unwrap_or_else(|| {
            let measured = self.under_way(yardstick);
            self.grow(&measured);
            measured
        });
        self.context = used.total();
        self.context_sound = used.heard.saturating_add(used.spoken);
        self.asked = Amount::default();
        self.open = self.open.saturating_sub(1);
        if self.open == 0 || counted.is_none() {
            self.said = Amount::default();
        }
    }

    fn grow(&mut self, by: &Tokens) {
        let over = &mut self.over;
        over.prompt = over.prompt.saturating_add(by.prompt);
        over.cached = over.cached.saturating_add(by.cached);
        over.completion = over.completion.saturating_add(by.completion);
        over.reasoning = over.reasoning.saturating_add(by.reasoning);
        over.heard = over.heard.saturating_add(by.heard);
        over.heard_cached = over.heard_cached.saturating_add(by.heard_cached);
        over.spoken = over.spoken.saturating_add(by.spoken);
        over.estimated |= by.estimated;
    }

    /// Whether no answer is under way.
    pub(super) fn is_quiet(&self) -> bool {
        self.open == 0 && self.said == Amount::default()
    }

    /// What the answers under way have come to; nothing when there is none.
    fn under_way(&self, yardstick: &Yardstick) -> Tokens {
        if self.is_quiet() {
            return Tokens::default();
        }
        let part = if self.telephone { TELEPHONE } else { 1 };
        let heard = self.asked.sound.saturating_mul(part) / HEARD;
        let spoken = self.said.sound.saturating_mul(part) / SAID;
        let words = yardstick.completion(self.said.text.pieces, self.said.text.bytes);
        let asked = yardstick.prompt(self.asked.text.bytes);
        Tokens {
            prompt: self.context.saturating_add(asked).saturating_add(heard),
            completion: words.saturating_add(spoken),
            heard: self.context_sound.saturating_add(heard),
            spoken,
            estimated: true,
            ..Tokens::default()
        }
    }

    /// What the session has used.
    pub(super) fn so_far(&self, yardstick: &Yardstick) -> Tokens {
        let now = self.under_way(yardstick);
        Tokens {
            prompt: self.over.prompt.saturating_add(now.prompt),
            completion: self.over.completion.saturating_add(now.completion),
            heard: self.over.heard.saturating_add(now.heard),
            spoken: self.over.spoken.saturating_add(now.spoken),
            estimated: self.over.estimated || now.estimated,
            ..self.over
        }
    }
}

#[cfg(test)]
mod tests;
