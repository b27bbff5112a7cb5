use super::*;
use proptest::prelude::*;

fn read(api: Api, body: &str) -> Result<Asked<'_>, Unreadable> {
    Asked::read(api, body.as_bytes())
}

#[test]
fn each_api_says_it_in_its_own_words() {
    for (api, body, stream, max_tokens) in [
        (Api::Chat, r#"{"model":"m","max_tokens":5}"#, false, Some(5)),
        (
            Api::Chat,
            r#"{"model":"m","max_tokens":5,"max_completion_tokens":9,"stream":true}"#,
            true,
            Some(9),
        ),
        (
            Api::Responses,
            r#"{"model":"m","max_output_tokens":7,"max_tokens":1}"#,
            false,
            Some(7),
        ),
        (
            Api::Messages,
            r#"{"model":"m","max_tokens":3,"stream":null}"#,
            false,
            Some(3),
        ),
        (
            Api::OllamaChat,
            r#"{"model":"m","options":{"num_predict":4,"seed":1}}"#,
            true,
            Some(4),
        ),
        (
            Api::OllamaGenerate,
            r#"{"model":"m","stream":false,"options":{"num_predict":-1}}"#,
            false,
            None,
        ),
        (
            Api::OllamaEmbed,
            r#"{"model":"m","max_tokens":3}"#,
            false,
            None,
        ),
        (
            Api::Completions,
            r#"{"model":"m","max_tokens":1.5}"#,
            false,
            None,
        ),
    ] {
        let asked = read(api, body).unwrap();
        assert_eq!(asked.model.as_deref(), Some("m"));
        assert_eq!(
            (asked.stream, asked.max_tokens),
            (stream, max_tokens),
            "{body}"
        );
    }
}

#[test]
fn what_two_readers_would_read_differently_is_refused() {
    for body in [
        r#"{"model":"a","model":"b"}"#,
        r#"{"model":"a","m\u006fdel":"b"}"#,
        r#"{"model":"a","Model":"b"}"#,
        r#"{"MODEL":"b"}"#,
        r#"{"model":"a","ſtream":true}"#,
        r#"{"model":"a","max_toKens":1}"#,
    ] {
        assert_eq!(
            read(Api::OllamaChat, body),
            Err(Unreadable::Ambiguous),
            "{body}"
        );
    }
}

#[test]
fn what_is_no_object_of_these_members_is_refused() {
    for body in [
        "",
        "[]",
        r#"["a"]"#,
        "{",
        r#"{"model":1}"#,
        r#"{"stream":"yes"}"#,
        "{} x",
        "null",
    ] {
        assert_eq!(read(Api::Chat, body), Err(Unreadable::NotJson), "{body}");
    }
    assert_eq!(read(Api::Chat, "{}").unwrap().model, None);
    assert_eq!(read(Api::Chat, r#"{"model":null}"#).unwrap().model, None);
}

#[test]
fn many_answers_and_work_in_the_background_are_seen() {
    let asked = read(Api::Completions, r#"{"n":2,"best_of":4,"background":true}"#).unwrap();
    assert_eq!((asked.n, asked.background), (4, true));
    let asked = read(Api::Responses, r#"{"n":null,"background":false}"#).unwrap();
    assert_eq!((asked.n, asked.background), (1, false));
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "\\PC*".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::btree_map("x\\PC*", inner, 0..4)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #[test]
    fn another_model_touches_no_other_byte(
        before in proptest::collection::btree_map("a\\PC*", json(), 0..4),
        after in proptest::collection::btree_map("z\\PC*", json(), 0..4),
        (model, to) in ("\\PC*", "\\PC*"),
        space in "[ \\n\\t]{0,3}",
    ) {
        let members = |map: &std::collections::BTreeMap<String, serde_json::Value>| -> Vec<String> {
            map.iter().map(|(key, value)| format!("{}:{space}{value}", serde_json::Value::from(key.as_str()))).collect()
        };
        let with = |model: &str| {
            let mut all = members(&before);
            all.push(format!("\"model\"{space}:{space}{}", serde_json::Value::from(model)));
            all.extend(members(&after));
            format!("{space}{{{}}}{space}", all.join(","))
        };
        let body = with(&model);
        let asked = read(Api::Chat, &body).unwrap();
        prop_assert_eq!(asked.model.as_deref(), Some(model.as_str()));
        prop_assert_eq!(asked.renamed(body.as_bytes(), &to), with(&to).into_bytes());
    }
}
