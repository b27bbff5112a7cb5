//! Drills, check-ins and restores that need two: what the lever and texts do besides cutting.

use crate::gateway::Pair;
use crate::house::{House, PHONE, pulled};
use kill_core::{CheckInRule, Digits, Key, Rules, Then};
use kill_inbound::standard_webhooks::secret_from_random;
use kill_inbound::{Channel, Options};
use kill_wire::{DrillState, LeverReply, LeverRequest, Scope};
use killswitchd::{Settings, Vantage};
use std::time::Duration;

fn local() -> Channel {
    let options = Options {
        secrets: vec![secret_from_random([3; 32])],
        ..Options::default()
    };
    Channel::new("local", "standard-webhooks", options).unwrap()
}

fn drill(house: &House) -> DrillState {
    match house.ask(&LeverRequest::Drill {
        by: "anna".to_owned(),
    }) {
        LeverReply::Drilled { drill } => drill,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_drill_shows_channels_agents_and_probes_and_cuts_nothing() {
    let pair = Pair::up();
    let house = House::up(Settings {
        channels: vec![local()],
        agents: vec![pair.agent],
        vantages: vec![Vantage::own(pair.gateway, "prb_test".to_owned())],
        ..Settings::default()
    });
    house.wait("well", |state| state.canaries.good == 1);
    let found = drill(&house);
    assert_eq!(
        (found.channels, found.agents, found.probes),
        ((1, 1), (1, 1), (1, 1)),
        "{found:?}"
    );
    assert!(found.failed.is_empty() && found.by == "anna");
    let state = house.state();
    assert!(state.latches.is_empty() && state.drill == Some(found));
    let journal = std::fs::read_to_string(house.dir.path().join("journal.jsonl")).unwrap();
    assert!(journal.contains(r#""is":"drilled""#) && !journal.contains(r#""is":"cut""#));
    assert!(!journal.contains(r#""is":"refused""#), "{journal}");
}

#[test]
fn a_drill_names_what_would_not_work() {
    let house = House::up(Settings {
        channels: vec![local(), pulled("telegram", "telegram")],
        agents: vec!["127.0.0.1:9".parse().unwrap()],
        ..Settings::default()
    });
    let found = drill(&house);
    assert_eq!((found.channels, found.agents), ((1, 2), (0, 1)));
    let named = |what: &str| found.failed.iter().any(|failed| failed.contains(what));
    assert!(named("telegram: the courier is not connected") && named("agent 127.0.0.1:9"));
}

#[test]
fn a_drill_by_the_clock_comes_by_itself_and_is_told_to_those_who_wrote() {
    let house = House::up(Settings {
        channels: vec![pulled("telegram", "telegram")],
        drill_every: Some(Duration::from_millis(1)),
        ..Settings::default()
    });
    house.wait("drilled", |state| {
        let drill = state.drill.as_ref();
        drill.is_some_and(|drill| drill.by == "schedule")
    });
    assert!(house.cut().is_empty());
}

fn people_with_check_in() -> String {
    let key = |byte| Key::from_random([byte; 20], Digits::Eight);
    let person = serde_json::json!({
        "name": "owner", "kill": key(1), "restore": key(2), "check_in": key(3), "senders": [PHONE],
    });
    serde_json::json!({"version": 1, "people": [person]}).to_string()
}

#[test]
fn who_checks_in_is_noted_and_answered() {
    let dir = crate::house::fresh();
    std::fs::write(dir.path().join("people.json"), people_with_check_in()).unwrap();
    let rule = CheckInRule {
        every_ms: CheckInRule::SHORTEST_MS,
        warn_ms: CheckInRule::SHORTEST_MS,
        then: Then::Cut(Scope::Llm),
    };
    let house = House::up_in(
        dir,
        Settings {
            channels: vec![pulled("telegram", "telegram")],
            rules: Rules {
                check_in: Some(rule),
                ..Rules::default()
            },
            ..Settings::default()
        },
    );
    let by_lever = house.ask(&LeverRequest::CheckIn {
        by: "anna".to_owned(),
    });
    let LeverReply::CheckedIn {
        check_in: Some(noted),
    } = by_lever
    else {
        panic!("{by_lever:?}");
    };
    assert_eq!(
        (noted.by.as_deref(), noted.cuts),
        (Some("anna"), Some(Scope::Llm))
    );
    let code = Key::from_random([3; 20], Digits::Eight).code_at(crate::house::now().step());
    let mut courier = house.courier();
    courier.text("telegram", "1", &format!("OK {code}"));
    let (_, said) = courier.reply();
    assert!(said.starts_with("OK OW checked in"), "{said}");
    let state = house.state();
    assert_eq!(state.check_in.unwrap().by.as_deref(), Some("owner"));
}

#[test]
fn rules_that_can_be_guessed_do_not_start() {
    let dir = crate::house::fresh();
    let settings = Settings {
        state_dir: dir.path().to_owned(),
        rules: Rules {
            two_person: true,
            ..Rules::default()
        },
        ..Settings::default()
    };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let why = killswitchd::KillSwitch::start(settings, listener).unwrap_err();
    assert!(why.to_string().contains("two_person"), "{why}");
}

#[test]
fn a_text_for_others_goes_to_who_wrote_says_that_it_is_no_answer_and_is_bounded() {
    let dir = crate::house::fresh();
    std::fs::write(dir.path().join("people.json"), people_with_check_in()).unwrap();
    let house = House::up_in(
        dir,
        Settings {
            channels: vec![pulled("telegram", "telegram")],
            ..Settings::default()
        },
    );
    let tell = || {
        house.try_asking(&LeverRequest::Tell {
            by: "inventory".to_owned(),
            text: "CUT ALL 12/12 dead\nby nobody".to_owned(),
        })
    };
    assert!(matches!(tell(), Ok(LeverReply::Told { people: 0 })));
    let mut courier = house.courier();
    courier.text("telegram", "1", "KILL 00000000");
    house.wait("heard", |state| {
        state.channels.iter().any(|channel| channel.heard.is_some())
    });
    let (_, refused) = courier.reply();
    assert!(refused.starts_with("Refused"), "{refused}");
    assert!(matches!(tell(), Ok(LeverReply::Told { people: 1 })));
    let (_, said) = courier.reply();
    assert!(said.starts_with("ALERT: CUT ALL"), "{said}");
    // Two were told; ten a day are allowed.
    let more = (0..20).filter(|_| tell().is_ok()).count();
    assert_eq!(more, 8);
    assert!(house.cut().is_empty());
}
