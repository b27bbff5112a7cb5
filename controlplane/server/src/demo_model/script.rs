//! What the demo model says, and the shapes it says it in.

use kill_wire::Timestamp;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

/// The one model there is.
pub(crate) const MODEL: &str = "portcullis-demo";

/// First in every answer, so that nobody takes it for a model's.
pub(super) const LABEL: &str = "[demo model] ";

/// Most words of one answer, whatever is asked for.
const MOST_WORDS: usize = 1500;

const TEXT: &str = "This is canned text from the demo model built into Portcullis. No language model is behind it, \
and your question was not read. It comes slowly, about six words a second, so that you have about a minute to do \
what this program is for: cut it off while it is still talking.\n\n\
Open a second terminal. `portcullis codes now` prints the KILL code of this moment, as an authenticator app would \
after you have scanned the KILL key. Then type `portcullis text \"KILL CODE\"` with that code in place of CODE. It is \
signed and sent exactly as a text message from a phone would come in. Watch this stream: it ends in the middle of a \
sentence, with an error event that carries the number of the incident. The answer to your text says what was cut, how \
many streams ended, and how many probes that had worked before now fail.\n\n\
Ask me again after that. You get status 503 with the same incident number, at once, because a cut stays until a person \
restores it. Stop Portcullis and start it again if you like: it comes back cut. Try the KILL code a second time: \
nothing happens, since a code works only once. Try it with the word RESTORE: that is refused, since a KILL code can \
never open anything.\n\n\
To bring me back, `portcullis codes now` also prints a RESTORE code; type `portcullis text \"RESTORE ALL CODE\"` with \
it. RESTORE wants the exact scope, and a code newer than the last kill, so you may have to wait half a minute for the \
next one. Then ask me once more, and I will talk again.\n\n\
There are other ways. `portcullis cut LLM` cuts every model route from this machine without a code, even when the web \
side is dead. The red button on the dashboard does the same. A cut can be as narrow as one agent or one route, by its \
name. `portcullis status` shows what is cut now, `portcullis incidents` what was, and `portcullis journal verify` \
checks that nobody has changed the record since.\n\n\
When you have seen enough of me, start Ollama or name your own targets in the configuration file, and Portcullis will \
lead to those. The cut works the same way there.";

/// One answer, made up in full before its first word is sent.
#[derive(Debug)]
pub(super) struct Answer {
    id: String,
    created: u64,
    /// Words with the white space after them; the first is the label.
    words: Vec<String>,
    finish: &'static str,
    prompt_tokens: usize,
}

impl Answer {
    /// The text, or its first `limit` words; a longer limit than the text makes it no longer.
    pub(super) fn new(messages: &[Value], limit: Option<u32>, now: Timestamp) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let limit = limit.map_or(MOST_WORDS, |limit| {
            usize::try_from(limit).unwrap_or(MOST_WORDS)
        });
        let mut words: Vec<String> = TEXT
            .split_inclusive([' ', '\n'])
            .map(str::to_owned)
            .collect();
        let finish = if words.len() > limit {
            "length"
        } else {
            "stop"
        };
        words.truncate(limit);
        words.insert(0, LABEL.to_owned());
        Self {
            id: format!("chatcmpl-demo-{}", NUMBER.fetch_add(1, Ordering::Relaxed)),
            created: now.secs(),
            words,
            finish,
            prompt_tokens: messages.iter().map(words_of).sum(),
        }
    }

    /// The whole answer at once.
    pub(super) fn whole(&self) -> Value {
        let message = json!({ "role": "assistant", "content": self.words.concat() });
        json!({
            "id": self.id, "object": "chat.completion", "created": self.created, "model": MODEL,
            "choices": [{
                "index": 0, "message": message, "logprobs": null, "finish_reason": self.finish,
            }],
            "usage": self.usage(),
        })
    }

    /// The word of this number in a stream, from 0; `None` after the last.
    pub(super) fn word(&self, n: usize) -> Option<Value> {
        let content = self.words.get(n)?;
        let delta = if n == 0 {
            json!({ "role": "assistant", "content": content })
        } else {
            json!({ "content": content })
        };
        Some(self.chunk(&json!([{
            "index": 0, "delta": delta, "logprobs": null, "finish_reason": null,
        }])))
    }

    /// What follows the last word.
    pub(super) fn end(&self) -> Value {
        self.chunk(&json!([{
            "index": 0, "delta": {}, "logprobs": null, "finish_reason": self.finish,
        }]))
    }

    /// The chunk that counts, where it was asked for.
    pub(super) fn count(&self) -> Value {
        let mut chunk = self.chunk(&json!([]));
        if let Some(chunk) = chunk.as_object_mut() {
            chunk.insert("usage".to_owned(), self.usage());
        }
        chunk
    }

    fn chunk(&self, choices: &Value) -> Value {
        json!({
            "id": self.id, "object": "chat.completion.chunk", "created": self.created,
            "model": MODEL, "choices": choices,
        })
    }

    /// A word is a token here; the label costs nothing.
    fn usage(&self) -> Value {
        let completion = self.words.len().saturating_sub(1);
        json!({
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.prompt_tokens + completion,
        })
    }
}

/// Words of a message, whose content is a text or a list of parts with texts.
fn words_of(message: &Value) -> usize {
    let count = |text: &Value| {
        text.as_str()
            .map_or(0, |text| text.split_whitespace().count())
    };
    match message.get("content") {
        Some(Value::Array(parts)) => parts
            .iter()
            .filter_map(|part| part.get("text"))
            .map(count)
            .sum(),
        Some(content) => count(content),
        None => 0,
    }
}
