//! What models cost in this house, and what was spent: as the command line sets and shows them.

use crate::house::House;
use kill_wire::{Class, Timestamp};
use net_model::{Api, Ended, MicroDollars, UsageRecord};
use std::time::SystemTime;
use store::{Cursor, Store};

fn refused(house: &House, words: &[&str], why: &str) {
    let done = house.run(words);
    assert_eq!(done.status.code(), Some(1), "{words:?}");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(said.contains(why), "{words:?}: {said}");
}

/// Input and output, in dollars a million tokens, and whose price it is.
fn price(house: &House, model: &str) -> [String; 3] {
    let known = house.json(&["prices", "list", model]);
    let first = &known["prices"][0];
    let sides = [
        &first["price"]["input"],
        &first["price"]["output"],
        &first["origin"],
    ];
    sides.map(|side| side.as_str().unwrap().to_owned())
}

#[test]
fn a_price_is_set_goes_before_the_built_in_one_and_is_forgotten_again() {
    let house = House::set_up();
    let built_in = price(&house, "gpt-5");
    assert_eq!(built_in[2], "built-in");
    house.good(&[
        "prices", "set", "gpt-5", "--input", "7.25", "--output", "30",
    ]);
    let own = ["7.25", "30.00", "own"];
    assert_eq!(price(&house, "gpt-5"), own);
    assert_eq!(price(&house, "openai/gpt-5"), own);
    let listed = house.good(&["prices", "list", "gpt-5"]);
    assert!(
        listed.contains("7.25") && listed.contains(" own"),
        "{listed}"
    );
    assert_eq!(house.json(&["prices", "check"])["models"], 1);
    house.good(&["prices", "unset", "gpt-5"]);
    assert_eq!(price(&house, "gpt-5"), built_in);

    refused(&house, &["prices", "unset", "gpt-5"], "no own price");
    refused(&house, &["prices", "list", "nobody-s"], "is not known");
    let wrong = house.run(&["prices", "set", "m", "--input", "-1", "--output", "2"]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn no_price_is_set_in_a_house_that_never_started() {
    let house = House::new();
    let words = ["prices", "set", "m", "--input", "1", "--output", "2"];
    refused(&house, &words, "holds no keys yet");
    house.start(&["up", "--json"]).stop();
    house.good(&words);
}

#[test]
fn a_table_is_taken_in_and_a_garbled_one_leaves_everything_as_it_was() {
    let house = House::set_up();
    let file = house.path("table.json");
    let table = r#"{"house-model": {"mode": "chat", "litellm_provider": "openai", "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05}}"#;
    std::fs::write(&file, table).unwrap();
    let path = file.to_str().unwrap();
    assert_eq!(house.json(&["prices", "import", path])["models"], 1);
    let taken = ["2.50", "10.00", "own"];
    assert_eq!(price(&house, "house-model"), taken);

    std::fs::write(&file, "{").unwrap();
    refused(&house, &["prices", "import", path], "table.json");
    std::fs::write(&file, "{}").unwrap();
    refused(&house, &["prices", "import", path], "no price by the token");
    assert_eq!(price(&house, "house-model"), taken);

    std::fs::write(house.data().join("gateway/prices.json"), "{").unwrap();
    refused(&house, &["prices", "check"], "prices.json");
}

fn record(id: &str, at: u64, consumer: &str, model: &str, cost: Option<u64>) -> UsageRecord {
    UsageRecord {
        id: id.to_owned(),
        at: Timestamp::from_millis(at),
        consumer: consumer.parse().unwrap(),
        route: "chat".parse().unwrap(),
        target: "sky".parse().unwrap(),
        class: Class::Cloud,
        model: model.to_owned(),
        stream: true,
        status: 200,
        prompt_tokens: 100,
        completion_tokens: 20,
        estimated: false,
        took_ms: 12,
        ended: Ended::Complete,
        incident: None,
        api: Api::Chat,
        cached_tokens: 0,
        reasoning_tokens: 0,
        cost: cost.map(MicroDollars),
        fell_back_from: None,
        first_byte_ms: None,
    }
}

fn ledger(house: &House) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = u64::try_from(now.unwrap().as_millis()).unwrap();
    let records = [
        record("a-1", now - 1000, "claw", "gpt-5", Some(1_250_000)),
        record("a-2", now - 2000, "claw", "nobody-s", None),
        record("a-3", now - 3000, "rag", "gpt-5", Some(250_000)),
        record("a-4", now - 3 * 86_400_000, "rag", "gpt-5", Some(9)),
    ];
    std::fs::create_dir_all(house.data().join("controlplane")).unwrap();
    let path = house.data().join("controlplane/portcullis.db");
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Store::open(&path).await.unwrap();
        store.ingest(&records, &Cursor::default()).await.unwrap();
        store.close().await;
    });
}

#[test]
fn what_was_spent_is_added_up_by_any_side_of_it() {
    let house = House::new();
    refused(&house, &["spend"], "there is no ledger");
    ledger(&house);
    let spent = house.json(&["spend"]);
    assert_eq!(spent["total"]["exchanges"], 3);
    assert_eq!(spent["total"]["cost"], 1_500_000);
    assert_eq!(spent["total"]["unknown_price"], 1);
    let rows = |words: &[&str]| -> Vec<(String, u64)> {
        let spent = house.json(words);
        let rows = spent["rows"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| {
                let name = row["name"].as_str().unwrap().to_owned();
                (name, row["totals"]["cost"].as_u64().unwrap())
            })
            .collect()
    };
    let row = |name: &str, cost| (name.to_owned(), cost);
    assert_eq!(
        rows(&["spend"]),
        [row("claw", 1_250_000), row("rag", 250_000)]
    );
    assert_eq!(
        rows(&["spend", "--by", "model", "--since", "7d"]),
        [row("gpt-5", 1_500_009), row("nobody-s", 0)]
    );
    assert!(rows(&["spend", "--by", "day", "--since", "7d"]).len() >= 2);
    let shown = house.good(&["spend", "--by", "target"]);
    assert!(shown.contains("sky") && shown.contains("1.50"), "{shown}");
    let wrong = house.run(&["spend", "--since", "1w"]);
    assert_eq!(wrong.status.code(), Some(2));
}
