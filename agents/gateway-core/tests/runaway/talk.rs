//! Bodies as clients send them.

use serde_json::{Value, json};

/// A conversation that grows.
#[derive(Clone, Debug)]
pub(crate) struct Talk(Vec<Value>);

impl Talk {
    /// Begins with a system prompt and what is asked first.
    pub(crate) fn new(system: &str, asked: &str) -> Self {
        let said = |role: &str, text: &str| json!({"role": role, "content": text});
        Self(vec![said("system", system), said("user", asked)])
    }

    /// The model answered in words, and the person goes on.
    pub(crate) fn turn(&mut self, answer: &str, asked: &str) {
        self.0.push(json!({"role":"assistant","content":answer}));
        self.0.push(json!({"role":"user","content":asked}));
    }

    /// The model called a tool, and it gave something back. Ids and words beside the call differ each time.
    pub(crate) fn step(&mut self, call: &str, arguments: &str, result: &str) {
        let id = format!("call_{:x}", self.0.len() * 7919);
        self.0.push(json!({"role":"assistant","content":format!("Step {id}."),"tool_calls":[{"id":id,"type":"function","function":{"name":call,"arguments":arguments}}]}));
        self.0
            .push(json!({"role":"tool","tool_call_id":id,"content":result}));
    }

    /// The body of the next request.
    pub(crate) fn body(&self) -> Value {
        json!({"model":"m","messages":self.0,"stream":true})
    }
}

/// What an indexer sends.
pub(crate) fn embedding(text: &str) -> Value {
    json!({"model":"e","input":[text]})
}
