use super::*;
use net_model::{Consumer, KeyHash, ModelPattern, Route, RouteTable, Target};
use std::sync::Arc;

fn wanted(routes: &[&str], consumers: &[(&str, &str)]) -> Wanted {
    let target = Target::new(
        "box".parse().unwrap(),
        kill_wire::Class::Local,
        "http://127.0.0.1:1".parse().unwrap(),
    );
    let route = |name: &&str| Route {
        name: name.parse().unwrap(),
        kind: kill_wire::RouteKind::Llm,
        models: vec![ModelPattern::new("*").unwrap()],
        targets: vec![0],
    };
    let consumer = |(name, key): &(&str, &str)| {
        let key = KeyHash::of(key.as_bytes());
        Consumer::new(name.parse().unwrap(), key, vec![0])
    };
    let table = RouteTable::new(
        vec![target],
        routes.iter().map(route).collect(),
        consumers.iter().map(consumer).collect(),
    );
    let key = |(name, key): &(&str, &str)| (name.parse().unwrap(), Secret::new(key).unwrap());
    Wanted {
        table: Arc::new(table.unwrap()),
        keys: consumers.iter().map(key).collect(),
        ..Wanted::default()
    }
}

fn of(wanted: &Wanted) -> Text {
    compile(wanted, Path::new("/etc/nginx/portcullis"))
}

#[test]
fn routes_are_told_by_the_path_and_consumers_by_their_key() {
    let two = of(&wanted(
        &["chat", "rag.api"],
        &[("claw", "sk-1"), ("paw", "sk-2")],
    ));
    let told = told(&two.text);
    assert_eq!(
        told.iter().map(String::as_str).collect::<Vec<_>>(),
        [
            "consumer claw",
            "consumer paw",
            "route chat",
            "route rag.api"
        ]
    );
    assert!(
        two.text.contains(r#"if ($uri ~ "^/rag\.api(?:/|$)")"#),
        "{}",
        two.text
    );
    assert!(
        two.text.contains(r#"if ($uri ~ "^/(?:v1|chat)(?:/|$)")"#),
        "{}",
        two.text
    );
    let one = of(&wanted(&["chat"], &[]));
    assert!(one.text.contains("set $portcullis_route chat;\n"));
    assert!(
        !one.text.contains("if ($uri"),
        "the only one has every path"
    );
}

#[test]
fn a_file_knows_its_own_id_and_another_has_another() {
    let (one, two) = (of(&wanted(&["chat"], &[])), of(&wanted(&["side"], &[])));
    assert_eq!(id_of(&one.text), Some(one.id.as_str()));
    assert_eq!(id_of("server { listen 80; }"), None);
    assert!(one.text.contains(&one.id) && !one.text.contains(OWN));
    assert_ne!(one.id, two.id);
    assert_eq!(one, of(&wanted(&["chat"], &[])));
}

#[test]
fn a_key_that_nginx_would_read_as_something_else_is_not_put_there() {
    let odd = wanted(
        &["chat"],
        &[("claw", "sk-$host"), ("paw", "sk-\"x"), ("tame", "sk-3")],
    );
    let text = of(&odd).text;
    assert!(!text.contains("$host") && !text.contains("sk-\"x"));
    assert_eq!(untold(&odd), ["claw", "paw"]);
    assert_eq!(told(&text).len(), 2);
}

#[test]
fn a_refusal_says_what_every_gateway_says() {
    let text = of(&Wanted::default()).text;
    let cut = refusal(&Closing {
        all: Some(Incident::try_from(7).ok()),
        ..Closing::default()
    });
    let body = quoted(&cut.body.replace('7', "$portcullis_cut"));
    assert!(text.contains(&format!("return 503 {body};")), "{text}");
    assert!(text.contains("add_header x-portcullis-incident $portcullis_cut always;"));
    assert!(text.contains("add_header retry-after '30' always;"));
    assert_eq!(quoted(r"it's a \"), r"'it\'s a \\'");
}
