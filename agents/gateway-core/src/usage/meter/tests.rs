use super::*;
use proptest::prelude::*;
use serde_json::json;

fn meter(api: Api, form: Form) -> Meter {
    Meter::new(api, form, 20, Yardstick::default())
}

fn metered(mut meter: Meter, chunks: &[&[u8]]) -> Tokens {
    for chunk in chunks {
        meter.feed(chunk);
    }
    meter.total()
}

fn lines(api: Api, text: &str) -> Tokens {
    metered(meter(api, Form::Lines), &[text.as_bytes()])
}

fn whole(api: Api, json: &serde_json::Value) -> Tokens {
    metered(meter(api, Form::Whole), &[json.to_string().as_bytes()])
}

fn exact(prompt: u64, completion: u64) -> Tokens {
    Tokens {
        prompt,
        completion,
        ..Tokens::default()
    }
}

#[test]
fn chat_figures_count_and_words_that_look_like_some_do_not() {
    let stream = "data: {\"choices\":[{\"delta\":{\"content\":\"he said \\\"usage\\\": {\\\"prompt_tokens\\\":9}\"}}],\"usage\":null}\n\n\
        data: {\"choices\":[],\"usage\": {\"prompt_tokens\":11,\"completion_tokens\":7,\"prompt_tokens_details\":{\"cached_tokens\":8,\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":3}}}\r\n\r\ndata: [DONE]\n\n";
    let expected = Tokens {
        cached: 8,
        reasoning: 3,
        ..exact(11, 7)
    };
    assert_eq!(lines(Api::Chat, stream), expected);
    let answer = json!({"choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":3,"completion_tokens":1,"prompt_tokens_details":null}});
    assert_eq!(whole(Api::Chat, &answer), exact(3, 1));
}

#[test]
fn responses_give_their_figures_in_the_last_event() {
    let stream = "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"hello\"}\n\n\
        event: response.output_text.done\ndata: {\"type\":\"response.output_text.done\",\"text\":\"hello\"}\n\n";
    let last = "event: response.incomplete\ndata: {\"type\":\"response.incomplete\",\"response\":{\"usage\":{\"input_tokens\":30,\"input_tokens_details\":{\"cached_tokens\":20},\"output_tokens\":9,\"output_tokens_details\":{\"reasoning_tokens\":5},\"total_tokens\":39}}}\n\n";
    let broken = lines(Api::Responses, stream);
    assert_eq!((broken.completion, broken.estimated), (1, true));
    let expected = Tokens {
        cached: 20,
        reasoning: 5,
        ..exact(30, 9)
    };
    let mut whole = meter(Api::Responses, Form::Lines);
    whole.feed(stream.as_bytes());
    assert!(!whole.is_done());
    whole.feed(last.as_bytes());
    assert_eq!((whole.is_done(), whole.total()), (true, expected));
}

const MESSAGE: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"content\":[],\"usage\":{\"input_tokens\":10,\"cache_creation_input_tokens\":300,\"cache_read_input_tokens\":2000,\"cache_creation\":{\"ephemeral_5m_input_tokens\":200,\"ephemeral_1h_input_tokens\":100},\"output_tokens\":2}}}\n\n\
    event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n\
    event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"twelve bytes and more\"}}\n\n";

#[test]
fn messages_count_caches_apart_and_the_answer_at_its_end() {
    let begun = Tokens {
        cached: 2000,
        cache_written: 300,
        cache_written_hour: 100,
        estimated: true,
        ..exact(2310, 6)
    };
    assert_eq!(lines(Api::Messages, MESSAGE), begun);
    let end = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":15}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    let over = Tokens {
        estimated: false,
        completion: 15,
        ..begun
    };
    assert_eq!(lines(Api::Messages, &format!("{MESSAGE}{end}")), over);
    let answer = json!({"content":[{"type":"text","text":"hi"}],"usage":{"input_tokens":4,"output_tokens":2,"cache_read_input_tokens":6}});
    let expected = Tokens {
        cached: 6,
        ..exact(10, 2)
    };
    assert_eq!(whole(Api::Messages, &answer), expected);
}

#[test]
fn ollama_gives_its_figures_in_the_line_that_is_done() {
    let stream = "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"hi\"},\"done\":false}\n{\"model\":\"m\",\"message\":{\"content\":\" you\"},\"done\":false}\n";
    let broken = lines(Api::OllamaChat, stream);
    assert_eq!((broken.completion, broken.estimated), (2, true));
    let last = "{\"model\":\"m\",\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":26,\"eval_count\":298}\n";
    let mut over = meter(Api::OllamaChat, Form::Lines);
    over.feed(stream.as_bytes());
    over.feed(last.as_bytes());
    assert_eq!((over.is_done(), over.total()), (true, exact(26, 298)));
    let cached = json!({"response":"hi","done":true,"eval_count":3});
    let answer = whole(Api::OllamaGenerate, &cached);
    assert_eq!(
        (answer.prompt, answer.completion, answer.estimated),
        (5, 3, true)
    );
}

#[test]
fn embeddings_have_no_answer_to_count() {
    let answer =
        json!({"data":[{"embedding":[0.1,0.2]}],"usage":{"prompt_tokens":8,"total_tokens":8}});
    assert_eq!(whole(Api::Embeddings, &answer), exact(8, 0));
    let answer = json!({"embeddings":[[0.1]],"prompt_eval_count":7});
    assert_eq!(whole(Api::OllamaEmbed, &answer), exact(7, 0));
}

#[test]
fn figures_in_every_chunk_hold_for_what_came_before_them() {
    let chunk = |words: &str, figure: u64| {
        let usage = json!({"prompt_tokens": 4, "completion_tokens": figure});
        format!(
            "data: {}\n\n",
            json!({"choices":[{"delta":{"content": words}}], "usage": usage})
        )
    };
    let stream = chunk("a lot of words in one delta", 40) + &chunk("more", 41);
    assert_eq!(lines(Api::Chat, &stream), exact(4, 41));
    let bare = "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n";
    let expected = Tokens {
        estimated: true,
        ..exact(4, 42)
    };
    assert_eq!(lines(Api::Chat, &format!("{stream}{bare}")), expected);
}

#[test]
fn a_stream_without_figures_is_counted_by_its_deltas() {
    let stream = "data: {\"delta\":{\"content\":\"12345\"}}\n\ndata: {\"delta\":{\"reasoning_content\": \"1234\"}}\n\ndata: {\"function\":{\"arguments\":\"{\\\"a\\\"\"}}\n\ndata: {\"delta\":{\"content\":\"\"}}\n\n";
    let expected = Tokens {
        estimated: true,
        ..exact(5, 3)
    };
    assert_eq!(lines(Api::Chat, stream), expected);
}

#[test]
fn running_totals_grow_line_by_line() {
    let mut meter = meter(Api::Chat, Form::Lines);
    assert_eq!(meter.so_far().total(), 5);
    meter.feed(b"data: {\"delta\":{\"content\":\"a\"}}\n\ndata: {\"delta\":{\"conte");
    assert_eq!(meter.so_far().completion, 1);
    meter.feed(b"nt\":\"b\"}}\n");
    assert_eq!(meter.so_far().completion, 2);
}

#[test]
fn a_long_answer_is_metered_by_the_figures_at_its_end() {
    let mut long = format!(
        r#"{{"choices":[{{"message":{{"content":"{}"}}}}]"#,
        "x".repeat(3_000_000)
    );
    long.push_str(r#","usage":{"prompt_tokens":3,"completion_tokens":750000}}"#);
    let pieces: Vec<&[u8]> = long.as_bytes().chunks(7000).collect();
    assert_eq!(
        metered(meter(Api::Chat, Form::Whole), &pieces),
        exact(3, 750_000)
    );
}

#[test]
fn memory_stays_bounded_in_a_line_without_end() {
    let mut meter = meter(Api::Chat, Form::Lines);
    for _ in 0..1000 {
        meter.feed(&[b'x'; 1000]);
    }
    assert!(meter.kept.capacity() <= 2 * MAX_LINE);
    assert_eq!(meter.total().completion, 250_000);
}

#[test]
fn only_an_answer_with_figures_teaches() {
    let mut silent = meter(Api::Chat, Form::Lines);
    silent.feed(b"data: {\"delta\":{\"content\":\"a\"}}\n\n");
    assert_eq!(silent.seen(), None);
    silent.feed(
        b"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":1}}\n\n",
    );
    let expected = Seen {
        prompt_bytes: 20,
        prompt: 7,
        deltas: 1,
        bytes: 1,
        completion: 1,
    };
    assert_eq!(silent.seen(), Some(expected));
}

fn any_api() -> impl Strategy<Value = Api> {
    proptest::sample::select(Api::ALL.to_vec())
}

/// One piece of an answer in the words of `api`.
fn piece(api: Api, words: &str) -> String {
    match api {
        Api::Chat | Api::Realtime => format!(
            "data: {}\n\n",
            json!({"choices":[{"delta":{"content": words}}], "usage": null})
        ),
        Api::Completions => format!("data: {}\n\n", json!({"choices":[{"text": words}]})),
        Api::Responses => format!(
            "event: x\ndata: {}\n\n",
            json!({"type":"response.output_text.delta","delta": words})
        ),
        Api::Messages => format!(
            "event: content_block_delta\ndata: {}\n\n",
            json!({"delta":{"type":"text_delta","text": words}})
        ),
        Api::OllamaChat => format!("{}\n", json!({"message":{"content": words},"done":false})),
        Api::OllamaGenerate => format!("{}\n", json!({"response": words,"done":false})),
        Api::Embeddings | Api::OllamaEmbed => String::new(),
    }
}

fn figures(api: Api, prompt: u64, completion: u64) -> String {
    match api {
        Api::OllamaChat | Api::OllamaGenerate | Api::OllamaEmbed => {
            format!(
                "{}\n",
                json!({"done":true,"prompt_eval_count":prompt,"eval_count":completion})
            )
        }
        Api::Responses | Api::Messages => format!(
            "data: {}\n\n",
            json!({"usage":{"input_tokens":prompt,"output_tokens":completion}})
        ),
        Api::Chat | Api::Completions | Api::Embeddings | Api::Realtime => {
            format!(
                "data: {}\n\n",
                json!({"usage":{"prompt_tokens":prompt,"completion_tokens":completion}})
            )
        }
    }
}

proptest! {
    #[test]
    fn any_chunking_of_a_stream_counts_the_same(
        api in any_api(),
        words in proptest::collection::vec("[a-z\"\\\\ é]{0,40}", 0..10),
        given in proptest::option::of((0_u64..1000, 0_u64..1000)),
        cuts in proptest::collection::vec(0_usize..2000, 0..30),
    ) {
        let mut stream: String = words.iter().map(|words| piece(api, words)).collect();
        if let Some((prompt, completion)) = given {
            stream.push_str(&figures(api, prompt, completion));
        }
        let bytes = stream.as_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        let whole = metered(meter(api, Form::Lines), &[bytes]);
        prop_assert_eq!(metered(meter(api, Form::Lines), &chunks), whole);
        if let Some((prompt, completion)) = given {
            prop_assert_eq!(whole, exact(prompt, completion));
        }
    }

    #[test]
    fn running_totals_of_short_deltas_never_shrink_without_figures(
        api in any_api(),
        words in proptest::collection::vec("[a-z]{0,7}", 0..20),
    ) {
        let mut meter = meter(api, Form::Lines);
        let mut before = meter.so_far().total();
        for words in words {
            meter.feed(piece(api, &words).as_bytes());
            let now = meter.so_far().total();
            prop_assert!(now >= before);
            before = now;
        }
        prop_assert_eq!(meter.total().total(), before);
    }

    #[test]
    fn no_bytes_make_it_fail(api in any_api(), chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 0..20)) {
        let chunks: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        metered(meter(api, Form::Lines), &chunks);
        metered(meter(api, Form::Whole), &chunks);
    }
}
