//! What a prompt is known by: a keyed hash of what it says, not of how it is numbered.
//!
//! A conversation is hashed message by message. Left out is what differs in each request without meaning anything:
//! ids of calls, marks for caches, what a model thought beside a call it made. Numbers are left out of system prompts
//! and of what tools gave back, since clocks and counters stand there; what a model or a person said counts to the letter.
//! Nothing of the text is kept: the hash has a key that lives as long as the process.

use super::{
    cycle::{Elements, Known, joined},
    scan::{Scan, without},
};
use memchr::memmem;
use std::hash::{BuildHasher, Hasher as _, RandomState};

/// Members that number or mark a part of a conversation and say nothing.
const NUMBERS: [&[u8]; 7] = [
    b"id",
    b"call_id",
    b"tool_call_id",
    b"tool_use_id",
    b"cache_control",
    b"signature",
    b"status",
];
/// The same, and what a model said beside the call that it made: it words that anew each time.
const NUMBERS_AND_WORDS: [&[u8]; 12] = [
    b"id",
    b"call_id",
    b"tool_call_id",
    b"tool_use_id",
    b"cache_control",
    b"signature",
    b"status",
    b"content",
    b"text",
    b"thinking",
    b"reasoning",
    b"reasoning_content",
];

/// Of a part that is longer than twice this, only its ends and its length count: an image, a book.
const END: usize = 32 * 1024;

/// What one prompt is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prompt(Known);

impl Prompt {
    /// Reads the prompt out of a request's body, whichever API it is in. Takes time proportional to the body.
    #[must_use]
    pub fn read(body: &[u8], secret: &RandomState) -> Self {
        let hashed = Hashed(secret);
        let mut base = 0;
        let mut elements = Elements::new(0);
        let mut scan = Scan::new(body);
        if scan.take(b'{') {
            while let Some((name, value)) = scan.member() {
                match name {
                    b"model" => base = joined(base, hashed.exact(value, &[])),
                    b"system" | b"instructions" => {
                        base = joined(base, hashed.numberless(value, &NUMBERS));
                    }
                    b"messages" | b"input" | b"prompt" => hashed.elements(value, &mut elements),
                    _ => {}
                }
            }
        }
        if elements.len() == 0 {
            // Nothing that looks like a prompt: then all of it is what is asked.
            base = hashed.exact(body, &[]);
        }
        let mut known = elements.known();
        known.key = joined(base, known.key);
        Self(known)
    }

    /// The same for the same prompt, and for one that has only grown by another round of the same step.
    #[must_use]
    pub const fn key(self) -> u64 {
        self.0.key
    }

    /// Whether it ends in at least two rounds of one step.
    #[must_use]
    pub const fn goes_round(self) -> bool {
        self.0.goes_round
    }
}

/// Who says a message, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// A person, or a model in words.
    InWords,
    /// A model that calls a tool; true when all of it stands in `tool_calls`.
    Called { in_member: bool },
    /// A tool that gave something back, or the frame that all of it stands in.
    ByMachine,
    /// What a model thought: worded anew each time.
    Thought,
}

#[derive(Clone, Copy, Debug)]
struct Hashed<'a>(&'a RandomState);

impl Hashed<'_> {
    /// Of both ends of the text, and its length.
    fn ends(self, value: &[u8]) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write(value.get(..END).unwrap_or(value));
        hasher.write(
            value
                .get(value.len().saturating_sub(END)..)
                .unwrap_or(value),
        );
        hasher.write_usize(value.len());
        hasher.finish()
    }

    /// Of the text as it is, without members of these names.
    fn exact(self, value: &[u8], without_these: &[&[u8]]) -> u64 {
        if value.len() > 2 * END {
            return self.ends(value);
        }
        let mut hasher = self.0.build_hasher();
        if without_these.is_empty() {
            hasher.write(value);
        } else {
            without(value, without_these, |part| hasher.write(part));
        }
        hasher.finish()
    }

    /// Of the text without its digits, and without members of these names.
    fn numberless(self, value: &[u8], without_these: &[&[u8]]) -> u64 {
        if value.len() > 2 * END {
            return self.ends(value);
        }
        let mut hasher = self.0.build_hasher();
        without(value, without_these, |part| {
            for span in part.split(u8::is_ascii_digit) {
                if !span.is_empty() {
                    hasher.write(span);
                }
            }
        });
        hasher.finish()
    }

    /// Messages one by one; a text line by line, because agents of the older kind write their steps into one.
    fn elements(self, value: &[u8], elements: &mut Elements) {
        let mut scan = Scan::new(value);
        if let Some(text) = scan.string() {
            return self.lines(text, elements);
        }
        if !scan.take(b'[') {
            return elements.push(self.exact(value, &[]));
        }
        let (mut items, mut last) = (0_u32, None);
        while let Some(item) = scan.item() {
            if let Some(element) = last.and_then(|item| self.element(item)) {
                elements.push(element);
            }
            items = items.saturating_add(1);
            last = Some(item);
        }
        match last.and_then(text_of) {
            Some(text) if items <= 2 => self.lines(text, elements),
            _ => {
                if let Some(element) = last.and_then(|item| self.element(item)) {
                    elements.push(element);
                }
            }
        }
    }

    fn lines(self, text: &[u8], elements: &mut Elements) {
        if text.len() > 8 * END {
            return elements.push(self.ends(text));
        }
        let mut from = 0;
        let ends = memmem::find_iter(text, b"\\n").chain([text.len()]);
        for end in ends {
            let line = text.get(from..end).unwrap_or_default().trim_ascii();
            if !line.is_empty() {
                elements.push(self.exact(line, &[]));
            }
            from = end + 2;
        }
    }

    fn element(self, item: &[u8]) -> Option<u64> {
        match said(item) {
            Said::InWords => Some(self.exact(item, &NUMBERS)),
            Said::ByMachine => Some(self.numberless(item, &NUMBERS)),
            Said::Called { in_member: true } => Some(self.exact(item, &NUMBERS_AND_WORDS)),
            Said::Called { in_member: false } => Some(self.exact_calls(item)),
            Said::Thought => None,
        }
    }

    /// Of the calls among the blocks of a message.
    fn exact_calls(self, message: &[u8]) -> u64 {
        let blocks = blocks(message).filter(|block| kind(block) == Some(b"tool_use"));
        blocks.fold(0, |all, block| joined(all, self.exact(block, &NUMBERS)))
    }
}

fn members(object: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut scan = Scan::new(object);
    scan.take(b'{');
    std::iter::from_fn(move || scan.member())
}

fn member<'a>(object: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut members = members(object);
    members.find_map(|(found, value)| (found == name).then_some(value))
}

/// The `type` of an object.
fn kind(object: &[u8]) -> Option<&[u8]> {
    Scan::new(member(object, b"type")?).string()
}

/// The blocks of a message whose content is a list of them.
fn blocks(message: &[u8]) -> impl Iterator<Item = &[u8]> {
    let content = member(message, b"content").unwrap_or_default();
    let mut scan = Scan::new(content);
    let is_list = scan.take(b'[');
    std::iter::from_fn(move || is_list.then(|| scan.item()).flatten())
}

/// The one text of a message.
fn text_of(message: &[u8]) -> Option<&[u8]> {
    if !message.starts_with(b"{") {
        return None;
    }
    Scan::new(member(message, b"content")?).string()
}

/// Sources: <https://platform.openai.com/docs/api-reference/chat/create>,
/// <https://platform.openai.com/docs/api-reference/responses/create>, <https://docs.anthropic.com/en/api/messages>.
fn said(item: &[u8]) -> Said {
    if !item.starts_with(b"{") {
        return Said::InWords;
    }
    let mut blocks_follow = false;
    for (name, value) in members(item) {
        match (name, value) {
            (b"role", b"\"system\"" | b"\"developer\"" | b"\"tool\"")
            | (b"type", b"\"function_call_output\"") => return Said::ByMachine,
            (b"type", b"\"reasoning\"") => return Said::Thought,
            (b"tool_calls", value) if value.starts_with(b"[{") => {
                return Said::Called { in_member: true };
            }
            (b"content", value) => blocks_follow = value.starts_with(b"["),
            _ => {}
        }
    }
    if blocks_follow {
        for block in blocks(item) {
            match kind(block) {
                Some(b"tool_use") => return Said::Called { in_member: false },
                Some(b"tool_result") => return Said::ByMachine,
                _ => {}
            }
        }
    }
    Said::InWords
}

#[cfg(test)]
mod tests;
