use super::*;
use kill_wire::{Latch, LatchSet, Scope, Timestamp};
use proptest::prelude::*;

fn key(alias: &str, models: &[&str]) -> Key {
    Key {
        token: format!("hash-of-{alias}"),
        key_alias: Some(alias.to_owned()),
        blocked: None,
        models: models.iter().map(|&it| it.to_owned()).collect(),
    }
}

fn model(name: &str, base: &str, db_model: bool) -> Model {
    Model {
        model_name: name.to_owned(),
        litellm_params: Params {
            model: Some(format!("openai/{name}")),
            api_base: Some(base.to_owned()),
        },
        model_info: Info {
            id: format!("id-of-{name}"),
            db_model,
            blocked: None,
        },
    }
}

fn held() -> Held {
    Held {
        keys: vec![
            key("claw", &[]),
            key("home-only", &["llama"]),
            key("outside", &["gpt"]),
            key("grouped", &["some-access-group"]),
        ],
        models: vec![
            model("llama", "http://10.0.0.7:11434", true),
            model("gpt", "https://api.example.com/v1", true),
        ],
        database: true,
    }
}

fn overlay(scopes: &[&str]) -> Overlay {
    let mut latches = LatchSet::default();
    for (number, scope) in (1..).zip(scopes) {
        let latch = Latch {
            incident: number.try_into().unwrap(),
            scope: scope.parse().unwrap(),
            since: Timestamp::from_millis(1),
        };
        latches.push(latch).unwrap();
    }
    Overlay {
        seq: 1,
        latches,
        ..Overlay::default()
    }
}

fn blocked(held: &Held, scopes: &[&str], by: CutBy) -> Vec<String> {
    let blocks = held.blocks(&held.closing(&overlay(scopes)), by);
    let strip = |id: &String| {
        id.trim_start_matches("hash-of-")
            .trim_start_matches("id-of-")
            .to_owned()
    };
    blocks.ids.iter().map(strip).collect()
}

#[test]
fn a_cut_blocks_the_keys_that_could_take_what_it_closes() {
    let held = held();
    for (scopes, wanted) in [
        (
            &["ALL"][..],
            &["claw", "grouped", "home-only", "outside"][..],
        ),
        (&["LLM"], &["claw", "grouped", "home-only", "outside"]),
        (&["claw"], &["claw"]),
        // What leads outside is closed; who can take nothing else but the house goes on.
        (&["CLOUD"], &["claw", "grouped", "outside"]),
        (&["gpt"], &["claw", "grouped", "outside"]),
        (&["TOOLS"], &[]),
        (&["nobody"], &[]),
        (&[], &[]),
    ] {
        assert_eq!(blocked(&held, scopes, CutBy::Keys), wanted, "{scopes:?}");
    }
}

#[test]
fn a_cut_by_models_names_those_that_cannot_be_blocked() {
    let mut held = held();
    assert_eq!(blocked(&held, &["CLOUD"], CutBy::Models), ["gpt"]);
    assert_eq!(blocked(&held, &["LLM"], CutBy::Models), ["gpt", "llama"]);
    assert_eq!(blocked(&held, &["claw"], CutBy::Models), ["gpt", "llama"]);
    held.models.push(model("of-the-file", "", false));
    let blocks = held.blocks(&held.closing(&overlay(&["ALL"])), CutBy::Models);
    assert_eq!(blocks.cannot, ["of-the-file"]);
}

#[test]
fn where_nothing_is_known_of_the_models_any_cut_closes_everything() {
    let unknown = Held {
        models: Vec::new(),
        ..held()
    };
    assert_eq!(blocked(&unknown, &["CLOUD"], CutBy::Keys).len(), 4);
    // Two that a text cannot tell apart: as if nothing was known.
    let mut alike = held();
    alike.models.push(model("l-lama", "http://10.0.0.7", true));
    assert_eq!(blocked(&alike, &["gpt"], CutBy::Keys).len(), 4);
}

#[test]
fn a_pause_blocks_as_a_cut_does() {
    let held = held();
    let paused = Overlay {
        paused: vec![Scope::All],
        ..Overlay::default()
    };
    let blocks = held.blocks(&held.closing(&paused), CutBy::Keys);
    assert_eq!(blocks.ids.len(), 4);
}

proptest! {
    #[test]
    fn whatever_an_overlay_closes_no_key_that_could_take_it_stays_open(
        picked in prop::collection::vec(0..7_usize, 0..4),
    ) {
        let scopes = ["ALL", "LLM", "CLOUD", "AGENTS", "claw", "gpt", "llama"];
        let chosen: BTreeSet<&str> = picked.iter().map(|at| scopes[*at]).collect();
        let chosen: Vec<&str> = chosen.into_iter().collect();
        let (held, overlay) = (held(), overlay(&chosen));
        let table = held.table();
        let ids = held.blocks(&held.closing(&overlay), CutBy::Keys).ids;
        for key in &held.keys {
            let who: Name = key.key_alias.clone().unwrap().parse().unwrap();
            for (at, model) in held.models.iter().enumerate() {
                let may = key.models.is_empty() || key.models.contains(&model.model_name) || key.models[0] == "some-access-group";
                let route: Name = model.model_name.parse().unwrap();
                let subject = kill_wire::Subject {
                    kind: RouteKind::Llm,
                    route: &route,
                    consumer: Some(&who),
                    class: Some(held.models[at].class()),
                };
                if may && overlay.overrules(&subject).is_some() {
                    prop_assert!(ids.contains(&key.token), "{chosen:?}: {who} may still take {route}");
                }
            }
        }
        prop_assert_eq!(table.routes().len(), 2);
    }
}
