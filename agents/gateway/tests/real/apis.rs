//! Every API of every path: one admission, bytes untouched, and refusals in the client's own words.

use crate::support::*;
use bytes::Bytes;
use gateway_core::dialect::CALLS;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use kill_wire::{Class, RouteKind};
use net_model::{
    Api, Consumer, Family, ModelPattern, Renamed, Route, RouteTable, Rules, Secret, Target,
    TargetKind,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use site_tests::upstream::Upstream;

/// Paths besides the calls that tell a consumer something.
const LISTS: [(&str, &str); 7] = [
    ("GET", "/v1/models"),
    ("GET", "/v1/models/steady"),
    ("GET", "/api/tags"),
    ("GET", "/api/ps"),
    ("GET", "/api/version"),
    ("POST", "/api/show"),
    ("GET", "/v1/models/slow"),
];

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// `home` is an Ollama, which speaks everything; `away` is Anthropic's.
fn kinds(home: &Upstream, away: &Upstream, models: Vec<Renamed>) -> RouteTable {
    let target = |name: &str, class, upstream: &Upstream, kind| Target {
        key: Some(Secret::new(&format!("sk-{name}")).unwrap()),
        kind,
        ..Target::new(
            name.parse().unwrap(),
            class,
            upstream.base_url().parse().unwrap(),
        )
    };
    let route = |name: &str, targets| Route {
        name: name.parse().unwrap(),
        kind: RouteKind::Llm,
        models: vec![ModelPattern::new("*").unwrap()],
        targets,
    };
    let consumer = |name: &str, key: &str, at| {
        let key = Secret::new(key).unwrap().hash();
        Consumer::new(name.parse().unwrap(), key, vec![at])
    };
    let home = Target {
        models,
        ..target("home", Class::Local, home, TargetKind::Ollama)
    };
    let away = target("away", Class::Cloud, away, TargetKind::Anthropic);
    RouteTable::new(
        vec![home, away],
        vec![route("chat", vec![0]), route("side", vec![1])],
        vec![consumer("claw", CLAW, 0), consumer("rag", RAG, 1)],
    )
    .unwrap()
}

async fn open() -> Site {
    let site = Site::open().await;
    let table = kinds(&site.home, &site.away, Vec::new());
    site.gateway.reload(table, Rules::default());
    site
}

fn request(method: &str, path: &str, key: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "gateway")
        .header("authorization", format!("Bearer {key}"))
        .header("content-type", "application/json")
        .body(Full::new(body.into()))
        .unwrap()
}

impl Site {
    async fn ask(&self, method: &str, path: &str, key: &str, body: impl Into<Bytes>) -> Whole {
        whole(send(self.addr(), request(method, path, key, body)).await).await
    }
}

/// What a client of this family reads as the error's text.
fn message(family: Family, body: &Value) -> &str {
    let place = match family {
        Family::OpenAi => "/error/message",
        Family::Anthropic => {
            assert_eq!(body.get("type"), Some(&json!("error")));
            "/error/message"
        }
        Family::Ollama => "/error",
    };
    body.pointer(place).unwrap().as_str().unwrap()
}

fn every_path() -> Vec<(&'static str, &'static str)> {
    let calls = CALLS.iter().map(|(path, _)| ("POST", *path));
    calls.chain(LISTS).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_is_refused_when_closed_when_cut_and_without_a_key() {
    let site = Site::closed();
    let table = kinds(&site.home, &site.away, Vec::new());
    site.gateway.reload(table, Rules::default());
    let refused = async |status: u16, key: &str, code: &str| {
        for (method, path) in every_path() {
            let answer = site.ask(method, path, key, r#"{"model":"steady"}"#).await;
            assert_eq!(answer.status.as_u16(), status, "{method} {path}");
            let body = answer.json();
            let said = [&body["error"]["code"], &body["code"]];
            assert!(said.iter().any(|said| *said == code), "{path}: {body}");
            let incident = if code == "cut" { "7" } else { "" };
            assert_eq!(answer.header("x-portcullis-incident"), incident, "{path}");
        }
    };
    refused(503, CLAW, "closed").await;
    site.apply(1, &["LLM"]).await;
    refused(503, CLAW, "cut").await;
    site.apply(2, &[]).await;
    refused(401, "pck_nobody", "invalid_api_key").await;
    assert_eq!(site.home.log().len() + site.away.log().len(), 0);
    // And none of them is refused for another reason.
    for (method, path) in every_path() {
        let body = r#"{"model":"steady","max_tokens":1,"max_output_tokens":1,"options":{"num_predict":1}}"#;
        assert_eq!(
            site.ask(method, path, CLAW, body).await.status,
            200,
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_path_leads_to_a_target() {
    let site = open().await;
    for path in [
        "/api/pull",
        "/api/create",
        "/api/delete",
        "/v1/files",
        "/v1/batches",
        "/v1/messages/batches",
        "/v1/responses/resp_1",
        "/v1/chat/completions/",
        "/v1//chat/completions",
        "/v1/../api/pull",
        "/chat/completions",
        "/",
    ] {
        for method in ["POST", "GET", "DELETE", "PUT"] {
            let answer = site.ask(method, path, CLAW, r#"{"model":"steady"}"#).await;
            assert_eq!(answer.status.as_u16(), 404, "{method} {path}");
        }
    }
    assert_eq!(site.home.log().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_api_passes_byte_for_byte_but_for_a_model_with_another_name() {
    let site = Site::open().await;
    let renamed = Renamed {
        asked: "house/small".to_owned(),
        sent: "steady".to_owned(),
    };
    let table = kinds(&site.home, &site.away, vec![renamed]);
    site.gateway.reload(table, Rules::default());
    // Large, and with bytes that are no text.
    let image: String = (0_u32..300_000)
        .map(|at| char::from(b'A' + u8::try_from(at.wrapping_mul(2_654_435_761) % 26).unwrap()))
        .collect();
    for (number, (path, _)) in CALLS.iter().enumerate() {
        // A stream of these two is asked for its usage besides.
        let stream = !path.ends_with("/completions");
        let with = |model: &str| {
            let mut body = format!(
                "{{ \"tools\":[{{\"type\":\"function\",\"function\":{{\"name\":\"f\",\"parameters\":{{\"model\":\"x\"}}}}}}],\
                 \"response_format\":{{\"type\":\"json_object\"}},\n\"model\" :\"{model}\", \"unknown\":1.0e+2, \"stream\":{stream},\
                 \"max_tokens\":3,\"max_output_tokens\":3,\"options\":{{\"num_predict\":3}},\
                 \"messages\":[{{\"role\":\"user\",\"content\":[{{\"type\":\"image_url\",\"image_url\":{{\"url\":\"data:image/png;base64,{image}\"}}}}]}}],\"odd\":\""
            )
            .into_bytes();
            body.extend_from_slice(b"\xff\xfe\"}");
            body
        };
        let answer = site.ask("POST", path, CLAW, with("house/small")).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.clean);
        let served = site.home.ended(number + 1, LIMIT).await.pop().unwrap();
        assert_eq!(served.path, *path);
        assert_eq!(served.body_sha256, hash(&with("steady")), "{path}");
        assert_eq!(served.sent_sha256, hash(&answer.body), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_every_api_ends_with_an_error_in_its_own_words_when_it_is_cut() {
    let site = open().await;
    let mut seq = 1;
    for (path, api) in CALLS {
        let body = json!({"model": "steady", "stream": true, "max_tokens": 100_000,
            "max_output_tokens": 100_000, "options": {"num_predict": 100_000}});
        if matches!(api, Api::Embeddings | Api::OllamaEmbed) {
            continue;
        }
        let mut response = send(site.addr(), request("POST", path, CLAW, body.to_string())).await;
        assert_eq!(response.status(), 200, "{path}");
        response.body_mut().frame().await.unwrap().unwrap();
        seq += 1;
        assert_eq!(site.apply(seq, &["LLM"]).await, 1, "{path}");
        let rest = whole(response).await;
        assert!(rest.clean, "{path}");
        let text = String::from_utf8(rest.body.to_vec()).unwrap();
        let last = match api.family() {
            Family::Ollama => text.trim_end().lines().last().unwrap(),
            Family::OpenAi | Family::Anthropic => {
                let event = text.trim_end().split("\n\n").last().unwrap();
                event.split_once("data: ").unwrap().1
            }
        };
        let last: Value = serde_json::from_str(last).unwrap();
        let said = message(api.family(), &last);
        assert!(said.contains("incident #7"), "{path}: {said}");
        seq += 1;
        site.apply(seq, &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_the_shape_of_the_api_and_from_targets_that_speak_it() {
    let site = open().await;
    let openai = site.get(CLAW, "/v1/models").await.json();
    assert_eq!(openai["object"], "list");
    assert_eq!(openai["data"][0]["id"], "steady");
    let tags = site.get(CLAW, "/api/tags").await.json();
    assert_eq!(tags["models"][0]["name"], "steady");
    assert_eq!(
        tags["models"].as_array().unwrap().len(),
        openai["data"].as_array().unwrap().len()
    );
    assert!(site.get(CLAW, "/api/version").await.json()["version"].is_string());
    assert_eq!(site.get(CLAW, "/v1/models/slow").await.json()["id"], "slow");
    assert_eq!(site.get(CLAW, "/v1/models/none").await.status, 404);
    // Who goes to Anthropic alone is shown its models by Anthropic's API, and none by the others.
    let mut asked = request("GET", "/v1/models", RAG, "");
    asked
        .headers_mut()
        .insert("anthropic-version", "2023-06-01".parse().unwrap());
    let models = whole(send(site.addr(), asked).await).await.json();
    assert_eq!(models["data"][0]["type"], "model");
    assert_eq!(models["has_more"], false);
    let none = site.get(RAG, "/api/tags").await.json();
    assert_eq!(none, json!({"models": []}));
    assert_eq!(site.get(RAG, "/v1/models").await.json()["data"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_taken_and_given_where_each_api_has_them() {
    let site = open().await;
    let mut asked = request(
        "POST",
        "/v1/messages",
        "",
        r#"{"model":"steady","max_tokens":1}"#,
    );
    asked.headers_mut().remove("authorization");
    asked
        .headers_mut()
        .insert("x-api-key", RAG.parse().unwrap());
    assert_eq!(send(site.addr(), asked).await.status(), 200);
    let served = site.away.ended(1, LIMIT).await.pop().unwrap();
    assert_eq!(served.api_key_sha256, Some(hash(b"sk-away")));
    assert_eq!(served.bearer_sha256, None);
    assert!(
        served
            .headers
            .contains(&("anthropic-version".to_owned(), "2023-06-01".to_owned()))
    );
    // A target is never asked in an API it does not speak.
    let refused = site
        .ask("POST", "/api/chat", RAG, r#"{"model":"steady"}"#)
        .await;
    assert_eq!(refused.status, 404);
    assert!(message(Family::Ollama, &refused.json()).contains("ollama.chat"));
    assert_eq!(site.away.log().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_a_cut_could_not_end_is_refused() {
    let site = open().await;
    for (path, body, code) in [
        (
            "/v1/responses",
            r#"{"model":"steady","background":true}"#,
            "background_not_served",
        ),
        (
            "/api/chat",
            r#"{"model":"steady","MODEL":"slow"}"#,
            "invalid_body",
        ),
    ] {
        let answer = site.ask("POST", path, CLAW, body).await;
        assert_eq!(answer.status, 400);
        let body = answer.json();
        assert!(
            body["error"]["code"] == code || body["code"] == code,
            "{body}"
        );
    }
    assert_eq!(site.home.log().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_error_that_ends_a_stream_of_responses_has_the_number_after_the_last() {
    let site = open().await;
    let body = r#"{"model":"steady","stream":true,"input":"Count.","max_output_tokens":100000}"#;
    let mut answer = send(site.addr(), request("POST", "/v1/responses", CLAW, body)).await;
    let mut seen = Vec::new();
    for _ in 0..6 {
        let frame = answer.body_mut().frame().await.unwrap().unwrap();
        seen.extend_from_slice(frame.data_ref().unwrap());
    }
    site.apply(2, &["llm"]).await;
    seen.extend_from_slice(&whole(answer).await.body);
    let text = String::from_utf8(seen).unwrap();
    let said: Vec<Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
        .collect();
    let numbers: Vec<u64> = said
        .iter()
        .map(|event| event["sequence_number"].as_u64().unwrap())
        .collect();
    assert_eq!(said.last().unwrap()["type"], "error");
    assert!(numbers.len() > 6);
    let expected: Vec<u64> = (0..).take(numbers.len()).collect();
    assert_eq!(numbers, expected);
}
