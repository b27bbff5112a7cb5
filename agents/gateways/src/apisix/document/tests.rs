use super::*;

fn document() -> Document {
    Document::of(Some(json!({
        "X-Digest": "theirs", "X-Last-Modified": 5,
        "routes": [{ "id": "theirs" }], "routes_conf_version": 7,
        "global_rules": [{ "id": 1, "plugins": {} }], "global_rules_conf_version": 3,
        "ssls_conf_version": 2,
    })))
}

#[test]
fn what_is_not_written_keeps_its_number_and_is_not_sent() {
    let rules = replaced(
        document().section("global_rules"),
        "id",
        "ours",
        Some(json!({ "id": "ours" })),
    );
    let (body, mark) = document().with(&[("global_rules", rules)]);
    assert_eq!(body["routes_conf_version"], 7);
    assert_eq!(body["ssls_conf_version"], 2);
    assert!(body.get("routes").is_none());
    assert_eq!(body["global_rules_conf_version"], 4);
    assert_eq!(
        body["global_rules"],
        json!([{ "id": 1, "plugins": {} }, { "id": "ours" }])
    );
    assert_eq!(mark, "portcullis-13");
    assert!(body.get("X-Digest").is_none());
}

#[test]
fn a_node_that_holds_nothing_is_known_as_such() {
    assert!(!document().is_empty());
    let fresh = json!({ "routes_conf_version": 0, "X-Digest": "d", "routes": [] });
    assert!(Document::of(Some(fresh)).is_empty());
    assert!(Document::of(None).is_empty());
    let (body, _) = Document::of(None).with(&[("global_rules", Vec::new())]);
    assert_eq!(body["global_rules_conf_version"], 1);
    assert_eq!(body["routes_conf_version"], 0);
}

#[test]
fn an_entry_is_replaced_by_its_name() {
    let items = vec![json!({ "id": "a" }), json!({ "id": "b", "x": 1 })];
    let with = replaced(items.clone(), "id", "b", Some(json!({ "id": "b", "x": 2 })));
    assert_eq!(with, [json!({ "id": "a" }), json!({ "id": "b", "x": 2 })]);
    assert_eq!(replaced(items, "id", "b", None), [json!({ "id": "a" })]);
}
