use super::*;
use crate::apisix::state::tests::wanted;
use net_model::Selector;

fn one(wanted: &Wanted, id: &str) -> Value {
    let mut all = objects(wanted).into_iter();
    all.find(|object| object.id == id).unwrap().value
}

#[test]
fn a_route_leads_where_it_is_led_and_takes_its_consumers_only() {
    let wanted = wanted();
    let chat = one(&wanted, "portcullis-chat");
    assert_eq!(chat["uris"], json!(["/v1/*", "/chat/v1/*"]));
    assert_eq!(chat["upstream_id"], "portcullis-box");
    assert_eq!(chat["labels"], json!({ "managed-by": "portcullis" }));
    let plugins = &chat["plugins"];
    assert_eq!(
        plugins["consumer-restriction"]["whitelist"],
        json!(["portcullis_claw", "portcullis_paw"])
    );
    assert_eq!(
        plugins["proxy-rewrite"],
        json!({ "regex_uri": ["^(?:/chat)?/v1/(.*)$", "/v1/$1"] })
    );
    let far = one(&wanted, "portcullis-far");
    assert_eq!(far["uris"], json!(["/far/v1/*"]));
    let set = &far["plugins"]["proxy-rewrite"]["headers"]["set"];
    assert_eq!(set["Authorization"], "Bearer key-of-the-house");
    let files = one(&wanted, "portcullis-files");
    assert_eq!(files["uris"], json!(["/files/*"]));
}

#[test]
fn a_route_that_nothing_may_serve_says_so() {
    let mut wanted = wanted();
    wanted.leads = vec![None];
    let chat = one(&wanted, "portcullis-chat");
    assert!(chat.get("upstream_id").is_none());
    assert_eq!(
        chat["plugins"]["fault-injection"]["abort"]["http_status"],
        503
    );
}

#[test]
fn a_way_that_policy_bars_is_not_open() {
    let mut wanted = wanted();
    for consumer in ["claw", "paw"] {
        let way = (consumer.parse().unwrap(), "chat".parse().unwrap());
        wanted.barred.insert(way);
    }
    let chat = one(&wanted, "portcullis-chat");
    let list = &chat["plugins"]["consumer-restriction"]["whitelist"];
    assert_eq!(*list, json!(["portcullis_"]));
}

#[test]
fn an_upstream_has_a_port_and_is_asked_once() {
    let sky = one(&wanted(), "portcullis-sky");
    assert_eq!(sky["nodes"], json!({ "api.example:443": 1 }));
    assert_eq!(
        (&sky["scheme"], &sky["retries"]),
        (&json!("https"), &json!(0))
    );
}

#[test]
fn limits_are_held_where_they_can_be_said_and_named_where_not() {
    let mut wanted = wanted();
    let limit = |name: &str, of: Selector| Limit {
        name: name.parse().unwrap(),
        of,
        requests_per_minute: Some(30),
        tokens_per_minute: None,
        open: None,
    };
    let of_claw = Selector {
        consumer: Some("claw".parse().unwrap()),
        ..Selector::default()
    };
    let of_chat = Selector {
        route: Some("chat".parse().unwrap()),
        ..Selector::default()
    };
    wanted.limits = vec![
        limit("a", of_claw),
        limit("b", of_chat),
        limit("c", Selector::default()),
    ];
    let claw = one(&wanted, "portcullis_claw");
    assert_eq!(claw["plugins"]["limit-count"]["key"], "consumer_name");
    let chat = one(&wanted, "portcullis-chat");
    assert_eq!(chat["plugins"]["limit-count"]["count"], 30);
    let beyond = beyond(&wanted);
    assert!(
        beyond.len() == 1 && beyond[0].starts_with("limit c "),
        "{beyond:?}"
    );
}
