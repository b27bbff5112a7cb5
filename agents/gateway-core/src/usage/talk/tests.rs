use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

const CREATED: &str = r#"{"type":"response.created","response":{"usage":null}}"#;

fn said(talk: &mut Talk, event: &Value) {
    talk.said(event.to_string().as_bytes(), &Yardstick::default());
}

fn delta(kind: &str, words: &str) -> Value {
    json!({"type": kind, "delta": words})
}

fn done(usage: &Value) -> Value {
    json!({"type":"response.done","response":{"output":[{"content":[{"transcript":"said before"}]}],"usage":usage}})
}

fn figures(input: u64, cached: u64, output: u64) -> Value {
    json!({
        "total_tokens": input + output, "input_tokens": input, "output_tokens": output,
        "input_token_details": {"text_tokens": input, "audio_tokens": 0, "cached_tokens": cached},
        "output_token_details": {"text_tokens": output, "audio_tokens": 0},
    })
}

fn tokens(prompt: u64, completion: u64, estimated: bool) -> Tokens {
    Tokens {
        prompt,
        completion,
        estimated,
        ..Tokens::default()
    }
}

fn so_far(talk: &Talk) -> Tokens {
    talk.so_far(&Yardstick::default())
}

#[test]
fn figures_of_all_answers_add_up() {
    let mut talk = Talk::default();
    talk.asked(br#"{"type":"session.update","session":{"instructions":"12345678"}}"#);
    assert_eq!(so_far(&talk), Tokens::default());
    for _ in 0..2 {
        talk.said(CREATED.as_bytes(), &Yardstick::default());
        said(&mut talk, &delta("response.output_text.delta", "four"));
        assert!(so_far(&talk).estimated && !talk.is_quiet());
        said(&mut talk, &done(&figures(100, 60, 7)));
        assert!(!so_far(&talk).estimated && talk.is_quiet());
    }
    let expected = Tokens {
        cached: 120,
        ..tokens(200, 14, false)
    };
    assert_eq!(so_far(&talk), expected);
}

#[test]
fn an_answer_under_way_reads_all_that_was_said_before_it() {
    let mut talk = Talk::default();
    said(&mut talk, &done(&figures(100, 0, 20)));
    talk.asked(br#"{"type":"conversation.item.create","item":{"content":[{"type":"input_text","text":"12345678"}]}}"#);
    talk.asked(br#"{"type":"conversation.item.create","item":{"type":"function_call_output","output":"1234"}}"#);
    assert_eq!(so_far(&talk), tokens(100, 20, false));
    talk.said(CREATED.as_bytes(), &Yardstick::default());
    said(&mut talk, &delta("response.output_text.delta", "a"));
    said(
        &mut talk,
        &delta("response.function_call_arguments.delta", "b"),
    );
    assert_eq!(so_far(&talk), tokens(100 + 120 + 3, 20 + 2, true));
    // A server that gives no figures: the measure stands, and is the next one's context.
    said(&mut talk, &done(&Value::Null));
    assert_eq!(so_far(&talk), tokens(223, 22, true));
    talk.said(CREATED.as_bytes(), &Yardstick::default());
    assert_eq!(so_far(&talk).prompt, 223 + 125);
}

#[test]
fn sound_is_measured_by_its_length() {
    let second = "A".repeat(64_000);
    let heard = json!({"type":"input_audio_buffer.append","audio": second}).to_string();
    let mut talk = Talk::default();
    talk.asked(heard.as_bytes());
    talk.said(CREATED.as_bytes(), &Yardstick::default());
    said(&mut talk, &delta("response.output_audio.delta", &second));
    said(
        &mut talk,
        &delta("response.output_audio_transcript.delta", "yes"),
    );
    let sounds = |heard, spoken| Tokens {
        heard,
        spoken,
        ..tokens(heard, spoken + 1, true)
    };
    assert_eq!(so_far(&talk), sounds(10, 20));
    said(
        &mut talk,
        &json!({"type":"session.updated","session":{"audio":{"input":{"format":{"type":"audio/pcmu"}}}}}),
    );
    assert_eq!(so_far(&talk), sounds(60, 120));
    // By the figures; the next answer hears all of it again.
    let usage = json!({"input_tokens": 50, "output_tokens": 101,
        "input_token_details": {"audio_tokens": 40, "cached_tokens": 30, "cached_tokens_details": {"audio_tokens": 25}},
        "output_token_details": {"audio_tokens": 100}});
    said(&mut talk, &done(&usage));
    let counted = Tokens {
        cached: 30,
        heard: 40,
        heard_cached: 25,
        spoken: 100,
        ..tokens(50, 101, false)
    };
    assert_eq!(so_far(&talk), counted);
    talk.said(CREATED.as_bytes(), &Yardstick::default());
    let again = so_far(&talk);
    assert_eq!(
        (again.prompt, again.heard, again.spoken),
        (50 + 151, 40 + 140, 100)
    );
}

#[test]
fn what_is_written_down_of_what_was_heard_counts_by_its_own_figures() {
    let mut talk = Talk::default();
    let kind = "conversation.item.input_audio_transcription";
    said(&mut talk, &delta(&format!("{kind}.delta"), "hello"));
    assert!(talk.is_quiet());
    said(
        &mut talk,
        &json!({"type": format!("{kind}.completed"), "usage":{"type":"tokens","input_tokens":9,"output_tokens":2}}),
    );
    said(
        &mut talk,
        &json!({"type": format!("{kind}.completed"), "usage":{"type":"duration","seconds":3}}),
    );
    assert_eq!(so_far(&talk), tokens(9, 2, false));
}

#[test]
fn words_of_a_model_are_not_taken_for_figures() {
    let mut talk = Talk::default();
    talk.said(CREATED.as_bytes(), &Yardstick::default());
    said(
        &mut talk,
        &delta(
            "response.output_text.delta",
            r#""usage":{"input_tokens":1,"output_tokens":1}"#,
        ),
    );
    let now = so_far(&talk);
    assert!(now.estimated && now.completion > 5, "{now:?}");
}

proptest! {
    #[test]
    fn no_bytes_make_it_fail(events in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 0..60)), 0..20)) {
        let mut talk = Talk::default();
        for (from_client, event) in events {
            if from_client {
                talk.asked(&event);
            } else {
                talk.said(&event, &Yardstick::default());
            }
        }
        so_far(&talk);
    }

    #[test]
    fn what_a_session_used_never_shrinks_without_figures(
        events in proptest::collection::vec((0_u8..4, "[a-z]{1,7}"), 0..40),
    ) {
        let mut talk = Talk::default();
        let mut before = 0;
        for (which, words) in events {
            match which {
                0 => talk.asked(json!({"text": words}).to_string().as_bytes()),
                1 => talk.said(CREATED.as_bytes(), &Yardstick::default()),
                2 => said(&mut talk, &done(&Value::Null)),
                _ => said(&mut talk, &delta("response.output_text.delta", &words)),
            }
            let now = so_far(&talk).total();
            prop_assert!(now >= before);
            before = now;
        }
    }
}
