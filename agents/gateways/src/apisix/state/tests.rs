use super::*;
use kill_wire::{Class, Latch, LatchSet, Name, RouteKind, Timestamp};
use net_model::{Consumer, ModelPattern, Route, RouteTable, Secret, Target};
use std::sync::Arc;

/// Two routes to models, one of which its fallback serves now, and one to a tool that claw alone may take.
pub(crate) fn wanted() -> Wanted {
    let name = |text: &str| -> Name { text.parse().unwrap() };
    let target = |text, class, url: &str| Target::new(name(text), class, url.parse().unwrap());
    let mut cloud = target("sky", Class::Cloud, "https://api.example/v1");
    cloud.key = Some(Secret::new("key-of-the-house").unwrap());
    let route = |text, kind| Route {
        name: name(text),
        kind,
        models: vec![ModelPattern::new("*").unwrap()],
        targets: vec![0, 1],
    };
    let key = |text: &str| Secret::new(&format!("key-of-{text}")).unwrap();
    let consumer = |text, routes| Consumer::new(name(text), key(text).hash(), routes);
    let table = RouteTable::new(
        vec![
            target("box", Class::Local, "http://127.0.0.1:11434/v1"),
            cloud,
        ],
        vec![
            route("chat", RouteKind::Llm),
            route("far", RouteKind::Llm),
            route("files", RouteKind::Tool),
        ],
        vec![consumer("claw", vec![0, 1, 2]), consumer("paw", vec![0, 1])],
    )
    .unwrap();
    Wanted {
        table: Arc::new(table),
        keys: ["claw", "paw"].map(|one| (name(one), key(one))).into(),
        leads: vec![Some(0), Some(1), Some(0)],
        ..Wanted::default()
    }
}

/// These scopes cut, each by an incident of its own.
pub(crate) fn overlay(latches: &[&str]) -> Overlay {
    let mut set = LatchSet::default();
    for (scope, n) in latches.iter().zip(1_u32..) {
        // The same scope twice is one latch.
        let latch = Latch {
            incident: n.try_into().unwrap(),
            scope: scope.parse().unwrap(),
            since: Timestamp::from_millis(1),
        };
        if set.of(&latch.scope).is_none() {
            set.push(latch).unwrap();
        }
    }
    Overlay {
        seq: 1,
        latches: set,
        ..Overlay::default()
    }
}

fn told(latches: &[&str]) -> State {
    let mut state = State::default();
    state.tell(&overlay(latches));
    state
}

#[test]
fn the_same_words_after_others_are_another_rule() {
    let mut state = told(&["ALL"]);
    let first = state.rule();
    state.tell(&overlay(&["ALL"]));
    assert_eq!(state.rule(), first);
    state.tell(&overlay(&[]));
    assert_eq!(state.rule(), None);
    state.tell(&overlay(&["ALL"]));
    let second = state.expected().unwrap();
    assert!(second.rule.is_some() && second.rule != first && second.mark().is_some());
    assert!(told(&["ALL"]).rule() != first);
}

#[test]
fn a_rule_that_was_taken_away_comes_back_as_another() {
    let mut state = told(&["ALL"]);
    let now = state.expected().unwrap();
    assert_eq!(state.stood(), None, "nobody has read it back");
    state.laid = Some((now.rule.clone().unwrap(), now.shut));
    assert_eq!(state.stood(), now.rule);
    state.disturbed();
    assert_eq!(state.stood(), None);
    let again = state.expected().unwrap();
    assert!(again.rule.is_some() && again.rule != now.rule);
    // The same is told again: it stays the new one.
    state.tell(&overlay(&["ALL"]));
    assert_eq!(state.rule(), again.rule);
}

#[test]
fn until_the_first_wish_is_in_force_any_cut_is_everything() {
    let mut state = told(&["files"]);
    assert!(state.expected().unwrap().shut.all);
    state.want(&wanted());
    assert!(state.expected().unwrap().shut.all);
    state.settled();
    let shut = state.expected().unwrap().shut;
    assert!(!shut.all && shut.routes.len() == 1);
}

#[test]
fn while_a_route_turns_to_the_cloud_it_is_closed_at_both_ends() {
    let mut state = told(&["CLOUD"]);
    state.want(&wanted());
    state.settled();
    let mut turned = wanted();
    turned.leads = vec![Some(1), Some(0), Some(0)];
    state.want(&turned);
    let both: Vec<String> = routes(&state);
    assert_eq!(both, ["chat", "far"]);
    state.settled();
    assert_eq!(routes(&state), ["chat"]);
}

fn routes(state: &State) -> Vec<String> {
    let shut = state.expected().unwrap().shut;
    shut.routes.iter().map(ToString::to_string).collect()
}

#[test]
fn wishes_that_never_come_about_are_not_remembered_for_ever() {
    let mut state = told(&["files"]);
    state.want(&wanted());
    state.settled();
    for _ in 0..MOST_BEFORE {
        state.want(&wanted());
    }
    assert!(!state.expected().unwrap().shut.all);
    state.want(&wanted());
    assert!(state.expected().unwrap().shut.all);
    assert_eq!(state.before.len(), 2);
}

#[test]
fn what_a_gateway_quotes_shows_no_key() {
    let mut state = State::default();
    state.want(&wanted());
    let quoted = "invalid: Bearer key-of-claw, key-of-the-house";
    let why = state.scrubbed(GatewayError::Refused(quoted.to_owned()));
    assert_eq!(why.to_string(), "refused: invalid: …, …");
    assert!(!format!("{state:?}").contains("key-of"));
}
