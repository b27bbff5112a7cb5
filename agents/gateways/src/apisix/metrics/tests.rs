use super::*;
use proptest::prelude::*;

const TOLD: &str = r#"# HELP apisix_http_status HTTP status codes per service in APISIX
# TYPE apisix_http_status counter
apisix_etcd_reachable 1
apisix_http_status{code="200",route="portcullis-chat",matched_uri="/v1/*",matched_host="",service="",consumer="portcullis_claw",node="127.0.0.1"} 12
apisix_http_status{code="502",route="portcullis-chat",matched_uri="/v1/*",matched_host="",service="",consumer="portcullis_claw",node="127.0.0.1"} 3
apisix_http_status{code="503",route="portcullis-chat",matched_uri="",matched_host="",service="",consumer="",node=""} 40
apisix_http_status{code="200",route="say \"hi\"\\",consumer="",node=""} 1.5e3
apisix_llm_prompt_tokens{route_id="portcullis-chat",consumer="portcullis_claw",llm_model="m"} 70
apisix_llm_completion_tokens{route_id="portcullis-chat",consumer="portcullis_claw",llm_model="m"} 30
apisix_bandwidth{type="egress",route="portcullis-chat"} 8417
"#;

#[test]
fn counters_are_read_with_their_labels() {
    let counters = Counters::read(TOLD.as_bytes());
    assert_eq!(
        (counters.etcd_reachable, counters.left_out),
        (Some(true), 0)
    );
    assert_eq!(counters.answers.len(), 4);
    assert_eq!(counters.answers[3].route, "say \"hi\"\\");
    assert_eq!(counters.answers[3].count, 1_500);
    let [prompt, completion] = counters.models.as_slice() else {
        panic!("{:?}", counters.models);
    };
    assert_eq!((prompt.counts, prompt.value), (Counts::Prompt, 70));
    assert_eq!(
        (completion.counts, completion.value),
        (Counts::Completion, 30)
    );
    assert_eq!(
        (prompt.consumer.as_str(), prompt.model.as_str()),
        ("portcullis_claw", "m")
    );
    assert_eq!(counters.requests, None);
}

#[test]
fn answers_of_models_are_counted_with_their_model_and_known_by_all_labels() {
    let line = r#"apisix_http_status{code="200",route="r",consumer="c",node="sky",request_type="ai_stream",request_llm_model="a}b",llm_model="m"}"#;
    let plain = r#"apisix_http_status{code="200",route="r",consumer="c",node="10.0.0.1",request_type="traditional_http"}"#;
    let text = format!("{line} 4\n{plain} 9\napisix_http_requests_total 21\n");
    let counters = Counters::read(text.as_bytes());
    assert_eq!((counters.answers.len(), counters.requests), (2, Some(21)));
    let [one] = counters.models.as_slice() else {
        panic!("{:?}", counters.models);
    };
    assert_eq!(one.series, line);
    assert_eq!((one.counts, one.value), (Counts::Answers(200), 4));
    assert_eq!(
        (
            one.node.as_str(),
            one.kind.as_str(),
            one.asked.as_str(),
            one.model.as_str()
        ),
        ("sky", "ai_stream", "a}b", "m")
    );
}

#[test]
fn who_answered_is_told_by_the_label_that_says_it_best() {
    let told = "apisix_http_status{code=\"200\",route=\"x\",node=\"10.0.0.1\",upstream_addr=\"10.0.0.1:80, 10.0.0.2:80\"} 1\n";
    let counters = Counters::read(told.as_bytes());
    assert_eq!(counters.answers[0].by, "10.0.0.2:80");
    let counters = Counters::read(TOLD.as_bytes());
    let by: Vec<&str> = counters.answers.iter().map(|one| one.by.as_str()).collect();
    assert_eq!(by, ["127.0.0.1", "127.0.0.1", "", ""]);
}

#[test]
fn what_cannot_be_read_is_counted() {
    let long = format!("apisix_http_status{{code=\"{}\"}} 1", "2".repeat(5_000));
    let text = format!(
        "{long}\napisix_http_status{{code=\"200\",route=\"x}} 1\napisix_http_status{{code=\"200\",route=\"x\"}} NaN\n"
    );
    let counters = Counters::read(text.as_bytes());
    assert_eq!((counters.answers.len(), counters.left_out), (0, 3));
    let many = "apisix_http_status{code=\"200\",route=\"x\"} 1\n".repeat(MOST + 5);
    let counters = Counters::read(many.as_bytes());
    assert_eq!((counters.answers.len(), counters.left_out), (MOST, 5));
}

proptest! {
    #[test]
    fn whatever_is_told_is_read_to_its_end(text in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut line = b"apisix_http_status{".to_vec();
        line.extend(text);
        let lines = line.split(|byte| *byte == b'\n').count();
        prop_assert!(Counters::read(&line).answers.len() <= lines);
    }

    #[test]
    fn labels_come_back_as_they_were_written(route in "[ -~\n]{0,30}", count in 0_u64..1_000_000) {
        let written = route.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let line = format!("apisix_http_status{{code=\"200\",route=\"{written}\"}} {count}\n");
        let counters = Counters::read(line.as_bytes());
        prop_assert_eq!(&counters.answers[0].route, &route);
        prop_assert_eq!(counters.answers[0].count, count);
    }
}
