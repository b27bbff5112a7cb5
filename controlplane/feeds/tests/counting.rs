//! What counters of an APISIX grew by becomes lines of the ledger: no token lost, none twice, calls counted where they are.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kill_wire::{Class, Name, Timestamp};
use net_model::{Ended, MicroDollars, ModelPattern};
use prices::Prices;
use proptest::prelude::*;
use usage_feeds::{CountedLine, Grew, Known, Reading, Whose, counted};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn lines(grew: &[(Whose<'_>, Grew)]) -> Vec<CountedLine> {
    let (source, prices): (Name, _) = ("edge".parse().unwrap(), Prices::default());
    let with = Reading {
        source: &source,
        prices: &prices,
        now: NOW,
    };
    let known = Known {
        local: ["ollama", "qwen*"]
            .map(|it| ModelPattern::new(it).unwrap())
            .into(),
        first: [("chat".parse().unwrap(), "ollama".parse().unwrap())].into(),
    };
    counted(grew.iter().copied(), &known, &with)
}

fn whose<'a>(node: &'a str, model: &'a str) -> Whose<'a> {
    Whose {
        route: "portcullis-chat-MODELS",
        consumer: "portcullis_claw",
        node,
        kind: "ai_stream",
        asked: "good",
        model,
    }
}

#[test]
fn one_line_stands_for_the_calls_of_one_status() {
    let sky = whose("sky", "gpt-x");
    let found = lines(&[
        (sky, Grew::Answers(502, 2)),
        (sky, Grew::Prompt(700)),
        (sky, Grew::Answers(200, 3)),
        (sky, Grew::Completion(41)),
        (sky, Grew::Answers(429, 0)),
    ]);
    let [served, failed] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!((served.calls, served.record.status), (3, 200));
    assert_eq!(
        (served.record.prompt_tokens, served.record.completion_tokens),
        (700, 41)
    );
    assert_eq!(
        (
            served.record.consumer.as_str(),
            served.record.route.as_str(),
            served.record.target.as_str(),
            served.record.model.as_str()
        ),
        ("claw", "chat", "sky", "good")
    );
    assert_eq!((served.record.at, served.record.stream), (NOW, true));
    assert_eq!(
        (served.record.class, served.record.cost),
        (Class::Cloud, None)
    );
    assert_eq!(
        (failed.calls, failed.record.status, failed.record.ended),
        (2, 502, Ended::UpstreamFailed)
    );
    assert_eq!(
        (failed.record.prompt_tokens, failed.record.completion_tokens),
        (0, 0)
    );
    assert_ne!(served.record.id, failed.record.id);
}

#[test]
fn a_line_says_in_whose_place_another_instance_answered() {
    let of = |whose: Whose<'_>, status: u16| {
        let found = lines(&[(whose, Grew::Answers(status, 2)), (whose, Grew::Prompt(5))]);
        let from = found[0].record.fell_back_from.clone();
        (found.len(), from.map(|name| name.to_string()))
    };
    let from = |whose, status| of(whose, status).1;
    let ollama = Some("ollama".to_owned());
    assert_eq!(of(whose("sky", "gpt-x"), 200), (1, ollama.clone()));
    assert_eq!(from(whose("sky", "gpt-x"), 502), ollama);
    assert_eq!(from(whose("ollama", "x"), 200), None);
    // Nobody was asked, or nobody says who.
    assert_eq!(from(whose("sky", "gpt-x"), 429), None);
    assert_eq!(from(whose("", "gpt-x"), 503), None);
    assert_eq!(from(whose("10.0.0.1", "gpt-x"), 200), None);
    // A route of somebody else's, and one of which nothing is known.
    for route in ["chat", "portcullis-other-MODELS", "portcullis-"] {
        let theirs = Whose {
            route,
            ..whose("sky", "gpt-x")
        };
        assert_eq!(from(theirs, 200), None, "{route}");
    }
}

#[test]
fn what_stands_in_the_house_costs_nothing_by_its_instance_or_its_model() {
    for whose in [whose("ollama", "x"), whose("10.0.0.1", "qwen2.5:14b")] {
        let found = lines(&[(whose, Grew::Prompt(5))]);
        assert_eq!(found[0].record.class, Class::Local);
        assert_eq!(found[0].record.cost, Some(MicroDollars::ZERO));
    }
}

#[test]
fn tokens_of_a_version_that_counts_no_calls_by_model_stand_as_one_call() {
    let nobody = Whose {
        consumer: "",
        node: "",
        ..whose("", "m")
    };
    let found = lines(&[(nobody, Grew::Completion(9)), (nobody, Grew::Prompt(0))]);
    assert_eq!((found.len(), found[0].calls), (1, 1));
    let record = &found[0].record;
    assert_eq!(
        (record.consumer.as_str(), record.target.as_str()),
        ("edge", "edge")
    );
    assert!(lines(&[(nobody, Grew::Prompt(0))]).is_empty());
}

proptest! {
    #[test]
    fn no_token_and_no_call_is_lost_or_doubled(all in prop::collection::vec((0..3_usize, 0..4_u8, 0..1000_u64), 0..40)) {
        let names = ["sky", "ollama", ""];
        let grew: Vec<(Whose<'_>, Grew)> = all.iter().map(|(who, what, by)| {
            let grew = match what {
                0 => Grew::Prompt(*by),
                1 => Grew::Completion(*by),
                2 => Grew::Answers(200, *by),
                _ => Grew::Answers(500, *by),
            };
            (whose(names[*who], "m"), grew)
        }).collect();
        let found = lines(&grew);
        let sum = |of: fn(&Grew) -> u64| grew.iter().map(|(_, it)| of(it)).sum::<u64>();
        let prompt = sum(|it| if let Grew::Prompt(by) = it { *by } else { 0 });
        let calls = sum(|it| if let Grew::Answers(_, by) = it { *by } else { 0 });
        prop_assert_eq!(found.iter().map(|it| it.record.prompt_tokens).sum::<u64>(), prompt);
        let told = found.iter().map(|it| it.calls).sum::<u64>();
        prop_assert!(told >= calls && told <= calls + 3);
        let ids: std::collections::BTreeSet<_> = found.iter().map(|it| &it.record.id).collect();
        prop_assert_eq!(ids.len(), found.len());
    }
}
