//! What is the same prompt, and what is another.

use super::*;
use serde_json::{Value, json};

struct Keys(RandomState);

impl Keys {
    fn read(&self, body: &Value) -> Prompt {
        Prompt::read(body.to_string().as_bytes(), &self.0)
    }
}

fn keys() -> Keys {
    Keys(RandomState::new())
}

/// A step of an agent in the chat API: a call, and what it gave.
fn chat_step(id: u32, arguments: &str, result: &str) -> [Value; 2] {
    let id = format!("call_{id:x}");
    [
        json!({"role":"assistant","content":format!("Let me try ({id})."),"tool_calls":[{"id":id,"type":"function","function":{"name":"look","arguments":arguments}}]}),
        json!({"role":"tool","tool_call_id":id,"content":result}),
    ]
}

fn chat(steps: &[[Value; 2]]) -> Value {
    let mut messages = vec![
        json!({"role":"system","content":"You help. It is 12:03:11."}),
        json!({"role":"user","content":"Find it."}),
    ];
    messages.extend(steps.iter().flatten().cloned());
    json!({"model":"m","messages":messages,"stream":true})
}

#[test]
fn the_same_prompt_is_known_again_whatever_the_clock_says() {
    let keys = keys();
    let one = chat(&[]);
    let mut later = one.clone();
    later["messages"][0]["content"] = json!("You help. It is 12:59:48.");
    later["metadata"] = json!({"try": 7});
    later["stream"] = json!(false);
    assert_eq!(keys.read(&one), keys.read(&later));
    later["messages"][1]["content"] = json!("Find it!");
    assert_ne!(keys.read(&one), keys.read(&later));
    let other_model = json!({"model":"n","messages":one["messages"]});
    assert_ne!(keys.read(&one).key(), keys.read(&other_model).key());
}

#[test]
fn an_agent_that_calls_the_same_tool_for_the_same_answer_goes_round() {
    let keys = keys();
    let steps: Vec<_> = (0..6)
        .map(|at| chat_step(at, "{\"q\":1}", &format!("not found (try {at})")))
        .collect();
    let round = keys.read(&chat(&steps[..2]));
    assert!(round.goes_round());
    assert!(!keys.read(&chat(&steps[..1])).goes_round());
    for len in 3..=6 {
        assert_eq!(keys.read(&chat(&steps[..len])), round);
    }
}

#[test]
fn an_agent_that_gets_on_does_not_go_round() {
    let keys = keys();
    let reading: Vec<_> = (0..6)
        .map(|at| {
            chat_step(
                at,
                "{}",
                ["one", "two", "three", "four", "five", "six"][at as usize],
            )
        })
        .collect();
    let counting: Vec<_> = (0..6)
        .map(|at| chat_step(at, &format!("{{\"item\":{at}}}"), "ok"))
        .collect();
    for steps in [reading, counting] {
        let known: Vec<_> = (1..=6).map(|len| keys.read(&chat(&steps[..len]))).collect();
        assert!(known.iter().all(|prompt| !prompt.goes_round()));
        assert_ne!(known[4], known[5]);
    }
}

#[test]
fn steps_in_the_other_apis_are_known_too() {
    let keys = keys();
    let anthropic = |rounds: u32| {
        let mut messages = vec![json!({"role":"user","content":"Find it."})];
        for at in 0..rounds {
            messages.push(json!({"role":"assistant","content":[{"type":"thinking","thinking":format!("hm {at}"),"signature":"x"},{"type":"text","text":format!("Try {at}")},{"type":"tool_use","id":format!("t{at}"),"name":"look","input":{"q":1}}]}));
            messages.push(json!({"role":"user","content":[{"type":"tool_result","tool_use_id":format!("t{at}"),"content":"none","cache_control":{"type":"ephemeral"}}]}));
        }
        keys.read(
            &json!({"model":"m","system":[{"type":"text","text":"Now: 9:41"}],"messages":messages}),
        )
    };
    let responses = |rounds: u32| {
        let mut input = vec![json!({"role":"user","content":"Find it."})];
        for at in 0..rounds {
            input.push(json!({"type":"reasoning","id":format!("r{at}"),"summary":[{"text":format!("{at}")}]}));
            input.push(json!({"type":"function_call","id":format!("f{at}"),"call_id":format!("c{at}"),"name":"look","arguments":"{}"}));
            input.push(json!({"type":"function_call_output","call_id":format!("c{at}"),"output":format!("error {at}")}));
        }
        keys.read(&json!({"model":"m","input":input,"instructions":"Help."}))
    };
    let text = |rounds: usize| {
        let prompt = format!(
            "Find it.\n{}",
            "Thought: look\nResult: none\n\n".repeat(rounds)
        );
        let generate = keys.read(&json!({"model":"m","prompt":prompt}));
        let message =
            keys.read(&json!({"model":"m","messages":[{"role":"user","content":prompt}]}));
        assert_eq!(generate.goes_round(), message.goes_round());
        message
    };
    assert!(anthropic(2).goes_round() && responses(2).goes_round() && text(2).goes_round());
    assert!(!anthropic(1).goes_round() && !responses(1).goes_round() && !text(1).goes_round());
    assert_eq!(anthropic(2), anthropic(5));
    assert_eq!(responses(2), responses(5));
    assert_eq!(text(2), text(5));
}

#[test]
fn prompts_of_every_form_are_told_apart() {
    let keys = keys();
    let bodies = [
        json!({"model":"m","input":"a"}),
        json!({"model":"m","input":"b"}),
        json!({"model":"m","input":["a","b"]}),
        json!({"model":"m","input":["a","c"]}),
        json!({"model":"m","input":[1,2,3]}),
        json!({"model":"m","input":[1,2,4]}),
        json!({"model":"m","prompt":"c"}),
        json!({"model":"m","prompt":"c","system":"d"}),
        json!({"model":"m","other":1}),
        json!({"model":"m","other":2}),
    ];
    let mut all: Vec<u64> = bodies.iter().map(|body| keys.read(body).key()).collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), bodies.len());
}

#[test]
fn another_process_knows_it_by_another_number() {
    let body = chat(&[]);
    assert_ne!(keys().read(&body).key(), keys().read(&body).key());
}

#[test]
fn of_a_long_part_its_ends_and_its_length_count() {
    let keys = keys();
    let with = |image: &str| {
        keys.read(&json!({"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":image}}]}]}))
    };
    let long = "x".repeat(1_000_000);
    assert_eq!(with(&long), with(&long));
    assert_ne!(with(&long), with(&format!("{long}x")));
    assert_ne!(with(&long), with(&format!("y{long}")[..1_000_000]));
    let text = |end: &str| keys.read(&json!({"model":"m","prompt":format!("{long}{end}")}));
    assert_ne!(text("a"), text("b"));
}
