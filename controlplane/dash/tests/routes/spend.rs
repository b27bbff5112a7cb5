//! What was spent, as page and as file; and how targets answered.

use crate::house::{House, text};
use axum::http::{StatusCode, header};
use kill_wire::Class;
use net_model::{Api, Ended, MicroDollars, UsageRecord};
use store::Cursor;

const DAY: u64 = 86_400_000;

pub(crate) async fn with_usage() -> House {
    let house = House::new().await;
    let now = house.now().millis();
    let record = |id: &str, model: &str, ago: u64, cost: Option<u64>| UsageRecord {
        id: id.to_owned(),
        at: kill_wire::Timestamp::from_millis(now - ago),
        consumer: "claw".parse().unwrap(),
        route: "chat".parse().unwrap(),
        target: "sky".parse().unwrap(),
        class: Class::Cloud,
        model: model.to_owned(),
        stream: true,
        status: 200,
        prompt_tokens: 1_000,
        completion_tokens: 500,
        estimated: false,
        took_ms: 900,
        ended: Ended::Complete,
        incident: None,
        api: Api::Chat,
        cached_tokens: 0,
        reasoning_tokens: 0,
        cost: cost.map(MicroDollars),
        fell_back_from: None,
        first_byte_ms: Some(120),
    };
    let all = [
        record("a-1", "=cmd|' /C calc'!A0", 0, Some(1_500_000)),
        record("a-2", "small", 1_000, None),
        record("a-3", "small", 3 * DAY, Some(250_000)),
        record("a-4", "small", 40 * DAY, Some(9_000_000)),
    ];
    house.store.ingest(&all, &Cursor::default()).await.unwrap();
    // Told again: counted once.
    house.store.ingest(&all, &Cursor::default()).await.unwrap();
    house
}

#[tokio::test]
async fn spending_is_added_up_by_what_is_asked_and_over_the_days_that_are_asked() {
    let house = with_usage().await;
    let session = house.session().await;
    let week = text(house.get("/spend?by=model&span=7d", &session).await).await;
    for words in [
        "<strong>$1.75</strong>",
        "and 1 exchange of unknown price",
        "=cmd|&#39; /C calc&#39;!A0",
        "$0.25",
    ] {
        assert!(week.contains(words), "`{words}`: {week}");
    }
    assert_eq!(
        week.matches("<rect x=").count(),
        2,
        "one bar for each day that has something"
    );
    let year = text(house.get("/spend?by=consumer&span=365d", &session).await).await;
    assert!(
        year.contains("<strong>$10.75</strong>") && year.contains("claw"),
        "{year}"
    );
    let wrong = house.get("/spend?by=password", &session).await;
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_file_for_spreadsheets_holds_no_formula() {
    let house = with_usage().await;
    let session = house.session().await;
    let answer = house.get("/spend.csv?by=model&span=7d", &session).await;
    assert_eq!(
        answer.headers()[header::CONTENT_TYPE],
        "text/csv; charset=utf-8"
    );
    let file = text(answer).await;
    assert!(
        file.contains("\"'=cmd|' /C calc'!A0\",\"1.50\",\"0\",\"1000\",\"500\",\"1\",\"0\"\r\n"),
        "{file}"
    );
    assert_eq!(file.lines().count(), 3, "{file}");
}

#[tokio::test]
async fn targets_show_how_they_answered_in_the_last_hour() {
    let house = with_usage().await;
    let session = house.session().await;
    let page = text(house.get("/targets", &session).await).await;
    for words in [
        "sky: 3,000 tokens in the last hour, first byte after 120 ms",
        "data-label=\"Leads to\" class=\"break\">box (local)",
    ] {
        assert!(page.contains(words), "`{words}`: {page}");
    }
}
