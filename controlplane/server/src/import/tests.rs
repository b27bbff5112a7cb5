use super::found::{Found, FoundTarget, SecretFile};
use super::*;
use serde_json::json;

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

fn of_litellm(text: &str) -> Found {
    let mut found = Found::default();
    litellm::read(
        &yaml(text),
        &"http://127.0.0.1:4000/v1".parse().unwrap(),
        &mut found,
    );
    found
}

fn target<'a>(found: &'a Found, name: &str) -> &'a FoundTarget {
    let names: Vec<&str> = found.targets.iter().map(|it| it.name.as_str()).collect();
    found
        .targets
        .iter()
        .find(|it| it.name.as_str() == name)
        .unwrap_or_else(|| panic!("{name} in {names:?}"))
}

const LITELLM: &str = r#"
model_list:
  - model_name: chat
    litellm_params:
      model: ollama_chat/qwen2.5:14b
      api_base: http://10.0.20.5:11434
  - model_name: chat
    litellm_params:
      model: openai/gpt-4o
      api_key: sk-written-in-the-file-0123456789
      rpm: 60
  - model_name: gemini-2.5-flash
    litellm_params:
      model: gemini/gemini-2.5-flash
      api_key: os.environ/GEMINI_API_KEY
  - model_name: backup
    litellm_params:
      model: openai/llama
      api_base: http://gpu.lan:8000/v1
      api_key: none
general_settings:
  master_key: sk-a-master-key-0123456789
  database_url: postgres://somebody:secret-password@db/litellm
litellm_settings:
  fallbacks: [{"chat": ["backup"]}]
  drop_params: true
router_settings:
  routing_strategy: least-busy
"#;

#[test]
fn a_litellm_s_file_becomes_targets_routes_and_reasons() {
    let found = of_litellm(LITELLM);
    let chat = found
        .routes
        .iter()
        .find(|it| it.name.as_str() == "chat")
        .unwrap();
    let leads: Vec<&str> = chat.targets.iter().map(kill_wire::Name::as_str).collect();
    assert_eq!(leads, ["ollama", "openai", "to-gpu.lan"]);
    let ollama = target(&found, "ollama");
    assert_eq!(ollama.base_url, "http://10.0.20.5:11434/v1");
    assert_eq!(
        (ollama.class, &ollama.models[..]),
        (
            kill_wire::Class::Local,
            &["chat=qwen2.5:14b".to_owned()][..]
        )
    );
    assert_eq!(target(&found, "openai").models, ["chat=gpt-4o"]);
    // The fallback answers for both groups, by the name that each asks for.
    assert_eq!(
        target(&found, "to-gpu.lan").models,
        ["chat=llama", "backup=llama"]
    );
    // What this gateway does not speak stays behind LiteLLM.
    assert_eq!(
        target(&found, "litellm").kind,
        net_model::TargetKind::Litellm
    );
    let left: Vec<&str> = found.left.iter().map(|it| it.what.as_str()).collect();
    for what in [
        "general_settings.master_key",
        "general_settings.database_url",
        "litellm_settings.drop_params",
        "router_settings.routing_strategy",
        "rpm of model chat",
        "model gemini-2.5-flash (gemini/gemini-2.5-flash)",
    ] {
        assert!(left.contains(&what), "{what}: {left:?}");
    }
    assert!(found.left.iter().all(|it| !it.why.is_empty()));
}

#[test]
fn no_secret_of_the_source_is_ever_written_or_shown() {
    let found = of_litellm(LITELLM);
    let (toml, shown) = (
        toml_of(&found).unwrap(),
        serde_json::to_string(&found).unwrap(),
    );
    for text in [&toml, &shown] {
        for secret in [
            "sk-written-in-the-file",
            "sk-a-master-key",
            "secret-password",
        ] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    let wanted = SecretFile {
        file: "secrets/openai.key".to_owned(),
        from: "LiteLLM's file: api_key of openai".to_owned(),
    };
    assert!(found.secrets.contains(&wanted), "{:?}", found.secrets);
    assert!(
        toml.contains("secret_file = \"secrets/openai.key\""),
        "{toml}"
    );
}

/// Writes what was found, makes the files it names, and has it checked as `config check` does.
fn checks(found: &Found) -> crate::config::Config {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portcullis.toml");
    assert!(!write(&path, false, found).unwrap());
    std::fs::create_dir(folder.path().join("secrets")).unwrap();
    for secret in &found.secrets {
        std::fs::write(
            folder.path().join(&secret.file),
            format!("made-for-{}", secret.file),
        )
        .unwrap();
    }
    crate::config::read(Some(&path))
        .unwrap_or_else(|why| panic!("{why}\n{}", std::fs::read_to_string(&path).unwrap()))
}

#[test]
fn what_is_written_passes_the_check() {
    let mut found = of_litellm(LITELLM);
    litellm::keys(
        &[
            json!({"token": "a".repeat(64), "key_alias": "Team Research", "models": [], "max_budget": 10.0}),
            json!({"token": "b".repeat(64), "key_alias": "chat", "models": ["chat"]}),
            json!({"token": "c".repeat(64), "key_alias": "gone", "blocked": true}),
            json!({"token": "no-hash", "key_alias": "odd"}),
        ],
        &mut found,
    );
    assert_eq!(found.consumers.len(), 2);
    assert_eq!(found.consumers[0].routes.len(), 3);
    // A name that a route has already.
    assert_eq!(found.consumers[1].name.as_str(), "chat-2");
    assert_eq!(found.consumers[1].routes.len(), 1);
    let left: Vec<&str> = found.left.iter().map(|it| it.what.as_str()).collect();
    assert!(
        left.contains(&"max_budget of key Team Research") && left.contains(&"key gone"),
        "{left:?}"
    );
    checks(&found);
}

#[test]
fn a_file_that_is_there_is_written_over_only_when_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("portcullis.toml");
    std::fs::write(&path, "mine").unwrap();
    let found = of_litellm(LITELLM);
    let why = write(&path, false, &found).unwrap_err().to_string();
    assert!(why.contains("is there already"), "{why}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    assert!(write(&path, true, &found).unwrap());
    assert!(
        std::fs::read_to_string(&path)
            .unwrap()
            .contains("[[gateway.routes]]")
    );
}

#[test]
fn an_apisix_s_objects_become_targets_routes_and_consumers() {
    let all = json!({
        "routes": [
            {
                "id": "1", "name": "chat", "uri": "/v1/*", "upstream_id": 7,
                "plugins": {"key-auth": {}, "limit-count": {"count": 10}}
            },
            {
                "id": "2", "name": "ai", "uri": "/anything", "service_id": "s",
                "vars": [["post_arg.model", "==", "gpt-4o"]],
                "plugins": {
                    "consumer-restriction": {"whitelist": ["jack"]},
                    "ai-proxy-multi": {"instances": [
                        {"name": "far", "provider": "openai", "priority": 0, "auth": {"header": {"Authorization": "Bearer sk-hush"}}},
                        {"name": "near", "provider": "openai-compatible", "priority": 1,
                         "override": {"endpoint": "http://10.0.20.5:8000/v1/chat/completions"}},
                        {"name": "odd", "provider": "vertex-ai"}
                    ]}
                }
            },
            {"id": "3", "name": "web", "uri": "/shop/*", "upstream": {"nodes": {"127.0.0.1:80": 1}}},
            {"id": "portcullis-chat", "name": "ours", "uri": "/v1/*"},
            {"id": "5", "name": "off", "status": 0, "uri": "/v1/*"}
        ],
        "services": [{"id": "s", "plugins": {"key-auth": {}}}],
        "upstreams": [{"id": "7", "nodes": [
            {"host": "10.0.20.6", "port": 11434, "weight": 1, "priority": 1},
            {"host": "api.example.com", "port": 443, "weight": 1}
        ]}],
        "consumers": [
            {"username": "jack", "plugins": {"key-auth": {"key": "Bearer sk-of-jack"}}},
            {"username": "jill", "credentials": [{"plugins": {"key-auth": {"key": "k"}}}]},
            {"username": "basic", "plugins": {"basic-auth": {}}},
            {"username": "portcullis_claw", "plugins": {"key-auth": {"key": "x"}}}
        ],
        "ssls": [{"id": "9"}], "global_rules": [{"id": "portcullis-cut"}, {"id": "theirs"}]
    });
    let mut found = Found::default();
    apisix::read(&all, &mut found);
    let routes: Vec<(&str, Vec<&str>)> = found
        .routes
        .iter()
        .map(|it| {
            (
                it.name.as_str(),
                it.targets.iter().map(kill_wire::Name::as_str).collect(),
            )
        })
        .collect();
    assert_eq!(
        routes,
        [
            ("chat", vec!["to-10.0.20.6", "to-api.example.com"]),
            ("ai", vec!["near", "far"])
        ]
    );
    assert_eq!(found.routes[1].models, ["gpt-4o"]);
    assert_eq!(target(&found, "near").base_url, "http://10.0.20.5:8000/v1");
    assert_eq!(
        target(&found, "far").secret_file.as_deref(),
        Some("secrets/far.key")
    );
    let consumers: Vec<(&str, usize)> = found
        .consumers
        .iter()
        .map(|it| (it.name.as_str(), it.routes.len()))
        .collect();
    assert_eq!(consumers, [("jack", 2), ("jill", 1)]);
    let shown = serde_json::to_string(&found).unwrap();
    assert!(!shown.contains("sk-"), "{shown}");
    for what in [
        "route web",
        "route ours",
        "route off",
        "plugin limit-count of route chat",
        "provider vertex-ai of route ai",
        "consumer basic",
        "consumer portcullis_claw",
        "ssls 9",
        "global_rules theirs",
    ] {
        assert!(
            found.left.iter().any(|it| it.what == what),
            "{what}: {:?}",
            found.left
        );
    }
    checks(&found);
}

#[test]
fn a_standalone_s_file_is_read_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("apisix.yaml");
    let text = "routes:\n  - id: 1\n    uri: /v1/chat/completions\n    plugins:\n      key-auth: {}\n    upstream:\n      scheme: https\n      nodes:\n        \"llm.example.com:443\": 1\nconsumers:\n  - username: jack\n    plugins:\n      key-auth:\n        key: hush\n#END\n";
    std::fs::write(&path, text).unwrap();
    let mut found = Found::default();
    apisix::read(&source::file(&path).unwrap(), &mut found);
    assert_eq!(found.targets[0].base_url, "https://llm.example.com:443/v1");
    assert_eq!((found.routes.len(), found.consumers.len()), (1, 1));
    checks(&found);
}

#[test]
fn what_is_no_configuration_is_said_by_its_place_and_quotes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.yaml");
    let bomb = format!(
        "a: &a [x]\nb: &b [{}]\nc: [{}]\n",
        "*a,".repeat(2000),
        "*b,".repeat(2000)
    );
    for text in [
        "api_key: [sk-hush\n}: {",
        "- sk-hush",
        "sk-hush",
        "",
        &"[".repeat(100_000),
        &bomb,
    ] {
        std::fs::write(&path, text).unwrap();
        let why = format!("{:#}", source::file(&path).unwrap_err());
        assert!(why.contains("c.yaml") && !why.contains("sk-hush"), "{why}");
    }
}

#[test]
fn a_source_of_any_shape_is_carried_over_or_left_and_never_breaks_it() {
    for odd in [
        json!({"model_list": "x"}),
        json!({"model_list": [1, null, {}, {"model_name": 3}, {"model_name": "m"}]}),
        json!({"model_list": [{"model_name": "a*b*", "litellm_params": {"model": "openai/x", "api_base": "not an address"}}]}),
        json!({"model_list": [{"model_name": "\u{1b}[31m\u{7}", "litellm_params": {"model": "ollama/x"}}], "x\u{1b}": 1}),
        json!({"model_list": vec![json!({"model_name": "m", "litellm_params": {"model": "openai/x"}}); 400]}),
    ] {
        let mut found = Found::default();
        litellm::read(
            &odd,
            &"http://127.0.0.1:4000/v1".parse().unwrap(),
            &mut found,
        );
        let toml = toml_of(&found).unwrap();
        assert!(
            !toml.contains('\u{7}') && toml.parse::<toml::Table>().is_ok(),
            "{toml}"
        );
        let mut found = Found::default();
        apisix::read(&odd, &mut found);
        apisix::read(
            &json!({"routes": [odd, {"uri": 1}, []], "consumers": [odd, 1]}),
            &mut found,
        );
        toml_of(&found).unwrap();
    }
}
