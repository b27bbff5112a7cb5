use super::*;
use crate::apisix::state::tests::{overlay, wanted};
use kill_wire::{ProbePoint, Scope};
use proptest::prelude::*;

fn shut(latches: &[&str]) -> Shut {
    Shut::of(&overlay(latches), &wanted())
}

fn rule(latches: &[&str]) -> Value {
    let (overlay, wanted) = (overlay(latches), wanted());
    let shut = Shut::of(&overlay, &wanted);
    shut.rule(&words(&overlay, &wanted), &wanted.keys, false)
        .unwrap_or_default()
}

fn abort(latches: &[&str]) -> Value {
    rule(latches)["plugins"][ABORT]["abort"].clone()
}

#[test]
fn everything_is_closed_without_conditions() {
    let abort = abort(&["ALL"]);
    assert_eq!(abort["http_status"], 503);
    assert_eq!(abort["headers"]["x-portcullis-incident"], "1");
    assert!(abort["body"].as_str().unwrap().contains("incident #1"));
    assert!(abort.get("vars").is_none());
}

#[test]
fn routes_are_closed_by_their_ids() {
    let llm = abort(&["LLM"]);
    let ids = json!(["route_id", "in", ["portcullis-chat", "portcullis-far"]]);
    assert_eq!(llm["vars"], json!([[ids]]));
    let one = abort(&["files"]);
    assert_eq!(
        one["vars"],
        json!([[["route_id", "==", "portcullis-files"]]])
    );
}

#[test]
fn a_name_that_stands_for_two_routes_is_closed_at_both() {
    let (overlay, wanted) = (overlay(&["chat"]), wanted());
    let shut = Shut::of(&overlay, &wanted);
    let rule = shut.rule(&words(&overlay, &wanted), &wanted.keys, true);
    let vars = rule.unwrap()["plugins"][ABORT]["abort"]["vars"].clone();
    let ids = json!([
        "route_id",
        "in",
        ["portcullis-chat", "portcullis-chat-MODELS"]
    ]);
    assert_eq!(vars, json!([[ids]]));
}

#[test]
fn one_agent_is_cut_by_naming_who_may_still_pass() {
    let vars = abort(&["claw"])["vars"].clone();
    assert_eq!(
        vars,
        json!([
            // Only claw may take it: nobody is left.
            [["route_id", "==", "portcullis-files"]],
            [
                ["route_id", "in", ["portcullis-chat", "portcullis-far"]],
                ["http_authorization", "~=", "Bearer key-of-paw"]
            ],
        ])
    );
}

#[test]
fn the_fallback_is_closed_where_it_serves_now() {
    let far: Name = "far".parse().unwrap();
    assert_eq!(shut(&["CLOUD"]).routes, BTreeSet::from([far.clone()]));
    let mut nowhere = wanted();
    nowhere.leads.clear();
    let unknown = Shut::of(&overlay(&["CLOUD"]), &nowhere);
    assert!(unknown.routes.len() == 3, "{unknown:?}");
}

#[test]
fn where_nothing_is_known_whatever_is_cut_is_everything() {
    let closed = Shut::of(&overlay(&["claw"]), &Wanted::default());
    assert!(closed.all);
    assert!(Shut::of(&overlay(&[]), &Wanted::default()).is_nothing());
}

#[test]
fn a_consumer_whose_key_is_not_known_does_not_pass() {
    let mut unknown = wanted();
    unknown.keys.clear();
    let closed = Shut::of(&overlay(&["claw"]), &unknown);
    assert!(
        closed.but.is_empty() && closed.routes.len() == 3,
        "{closed:?}"
    );
}

#[test]
fn more_groups_than_the_plugin_takes_close_more() {
    let name = |text: String| -> Name { text.parse().unwrap() };
    let many = Shut {
        but: (0..40)
            .map(|n| {
                (
                    name(format!("r{n}")),
                    BTreeSet::from([name(format!("c{n}"))]),
                )
            })
            .collect(),
        ..Shut::default()
    };
    let tidy = many.clone().tidied();
    assert!(tidy.covers(&many));
    assert_eq!((tidy.but.len(), tidy.routes.len()), (19, 21));
    let vars = tidy.vars(&BTreeMap::new(), false);
    assert_eq!(vars.as_array().unwrap().len(), MOST_GROUPS);
}

fn scope() -> impl Strategy<Value = String> {
    proptest::sample::select(vec![
        "ALL", "LLM", "CLOUD", "AGENTS", "TOOLS", "claw", "paw", "chat", "far", "files",
    ])
    .prop_map(str::to_owned)
}

/// As the gateway reads the rule: whether a request with this key on this route is refused.
fn refused(rule: Option<&Value>, route: &str, key: Option<&str>) -> bool {
    let Some(rule) = rule else { return false };
    let Some(groups) = rule["plugins"][ABORT]["abort"].get("vars") else {
        return true;
    };
    let holds = |condition: &Value| match (condition[0].as_str(), condition[1].as_str()) {
        (Some("route_id"), Some("==")) => condition[2] == route,
        (Some("route_id"), Some("in")) => condition[2].as_array().unwrap().contains(&json!(route)),
        (Some("http_authorization"), Some("~=")) => condition[2].as_str() != key,
        other => panic!("{other:?}"),
    };
    let mut groups = groups.as_array().unwrap().iter();
    groups.any(|group| group.as_array().unwrap().iter().all(holds))
}

proptest! {
    /// Whatever the overlay closes the rule refuses, and nothing beside it but where the words do not reach.
    #[test]
    fn the_rule_refuses_what_the_overlay_closes(latches in proptest::collection::vec(scope(), 0..4)) {
        let latches: Vec<&str> = latches.iter().map(String::as_str).collect();
        let (overlay, wanted) = (overlay(&latches), wanted());
        let shut = Shut::of(&overlay, &wanted);
        let rule = shut.rule(&words(&overlay, &wanted), &wanted.keys, false);
        for point in crate::apisix::live::points(&wanted).points {
            let ProbePoint { consumer, route, .. } = &point;
            let closed = overlay.overrules(&point.subject()).is_some();
            let key = format!("Bearer key-of-{consumer}");
            let id = super::super::names::id(route);
            prop_assert_eq!(refused(rule.as_ref(), &id, Some(&key)), closed, "{:?} {}", point, closed);
            // Nobody who is cut comes round with another key, or with none.
            if closed {
                prop_assert!(refused(rule.as_ref(), &id, Some("Bearer x")));
                prop_assert!(refused(rule.as_ref(), &id, None));
            }
        }
    }

    #[test]
    fn both_together_close_what_either_does(
        a in proptest::collection::vec(scope(), 0..3),
        b in proptest::collection::vec(scope(), 0..3),
    ) {
        let of = |latches: &[String]| shut(&latches.iter().map(String::as_str).collect::<Vec<_>>());
        let (a, b) = (of(&a), of(&b));
        let both = a.clone().and(&b);
        prop_assert!(both.covers(&a) && both.covers(&b));
        prop_assert_eq!(&both, &b.and(&a));
    }
}

#[test]
fn a_pause_refuses_without_an_incident() {
    let mut paused = overlay(&[]);
    paused.paused = vec![Scope::All];
    let wanted = wanted();
    let rule = Shut::of(&paused, &wanted).rule(&words(&paused, &wanted), &wanted.keys, false);
    let abort = rule.unwrap()["plugins"][ABORT]["abort"].clone();
    assert!(abort["headers"].get("x-portcullis-incident").is_none());
    assert!(
        abort["body"]
            .as_str()
            .unwrap()
            .contains("portcullis_paused")
    );
}
