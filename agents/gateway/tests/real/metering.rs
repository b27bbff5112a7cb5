//! Every exchange leaves exactly one record, whatever ends it.

use crate::{passing::hash, support::*};
use http_body_util::BodyExt as _;
use kill_wire::Class;
use net_model::{Ended, MicroDollars};
use site_tests::upstream::{Script, Upstream};
use std::{collections::BTreeSet, time::Duration};

async fn call(site: &Site, model: &str, stream: bool) {
    let body = format!(
        r#"{{"model":"{model}","max_tokens":6,"stream":{stream},"messages":[{{"role":"user","content":"12345678"}}]}}"#
    );
    assert_eq!(site.post(CLAW, body).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_targets_own_figures_are_recorded_as_they_are() {
    let site = Site::open().await;
    for (model, stream) in [
        ("steady", false),
        ("steady", true),
        ("trickle", true),
        ("liar", true),
    ] {
        call(&site, model, stream).await;
    }
    let records = site.until_spooled(4).await;
    for (record, (model, prompt, completion)) in records.iter().zip([
        ("steady", 11, 6),
        ("steady", 11, 6),
        ("trickle", 11, 6),
        ("liar", 7_000_000, 9_000_000),
    ]) {
        assert_eq!(
            (
                record.model.as_str(),
                record.prompt_tokens,
                record.completion_tokens
            ),
            (model, prompt, completion)
        );
        assert!(!record.estimated);
        assert_eq!((record.status, record.ended), (200, Ended::Complete));
        assert_eq!(
            (
                record.consumer.as_str(),
                record.route.as_str(),
                record.target.as_str()
            ),
            ("claw", "chat", "home")
        );
        assert_eq!((record.class, record.incident), (Class::Local, None));
    }
    assert_eq!(
        records
            .iter()
            .map(|record| record.id.as_str())
            .collect::<BTreeSet<_>>()
            .len(),
        4
    );
    let metrics = site.metrics().await;
    let line = r#"gen_ai_client_token_usage_total{consumer="claw",route="chat",target="home",what="output"} 9000018"#;
    assert!(metrics.contains(line), "{metrics}");
    assert!(metrics.contains("portcullis_gateway_overlay_seq 1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_asked_for_figures_that_the_client_does_not_see() {
    let site = Site::open().await;
    let rest = r#""model":"trickle","max_tokens":3,"stream":true}"#;
    let answer = site.post(CLAW, format!("{{{rest}")).await;
    let said = events(&answer.body);
    // Three words, the end of the text, the end of the stream.
    assert_eq!(said.len(), 5);
    assert!(said.iter().all(|event| event.get("usage").is_none()));
    let served = site.home.ended(1, LIMIT).await.pop().unwrap();
    let asked = format!(r#"{{"stream_options":{{"include_usage":true}},{rest}"#);
    assert_eq!(served.body_sha256, hash(asked.as_bytes()));
    let record = site.until_spooled(1).await.pop().unwrap();
    assert_eq!((record.prompt_tokens, record.completion_tokens), (11, 3));
    assert!(!record.estimated);
    assert_eq!(record.cost, Some(MicroDollars::ZERO));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_refuses_to_be_asked_for_figures_is_asked_once_more_without_and_never_again()
{
    let site = Site::open().await;
    let body = r#"{"model":"plain","max_tokens":3,"stream":true}"#;
    for _ in 0..2 {
        let answer = site.post(RAG, body).await;
        assert_eq!(answer.status, 200);
        // Three words, the end of the text, the end of the stream.
        assert_eq!(events(&answer.body).len(), 5);
    }
    let served = site.home.ended(3, LIMIT).await;
    let asked: Vec<bool> = served
        .iter()
        .map(|served| served.body_sha256 == hash(body.as_bytes()))
        .collect();
    assert_eq!(asked, [false, true, true]);
    let records = site.until_spooled(2).await;
    for record in &records {
        assert_eq!((record.status, record.completion_tokens), (200, 3));
        assert!(record.estimated);
    }
    // A client that asks itself is told what the target says.
    let own = format!(
        r#"{{"stream_options":{{"include_usage":true}},{}"#,
        &body[1..]
    );
    assert_eq!(site.post(RAG, own).await.status, 400);
    assert_eq!(site.home.ended(4, LIMIT).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_without_a_price_costs_an_unknown_sum_in_the_cloud() {
    let site = Site::open_with_home(Script::Error503).await;
    call(&site, "steady", true).await;
    let mut own = prices::Book::default();
    let rates = prices::Rates::new(MicroDollars(1_000_000), MicroDollars(2_500_000));
    own.models
        .insert("steady".to_owned(), prices::Price::flat(rates));
    site.gateway.set_prices(prices::Prices::new(own));
    call(&site, "steady", true).await;
    let records = site.until_spooled(2).await;
    let costs: Vec<Option<MicroDollars>> = records.iter().map(|record| record.cost).collect();
    // 11 of the prompt at 1 and 6 of the answer at 2.5 micro-dollars each.
    assert_eq!(costs, [None, Some(MicroDollars(26))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_figures_the_text_is_counted_and_marked() {
    let site = Site::open().await;
    call(&site, "nousage", true).await;
    call(&site, "nousage", false).await;
    let records = site.until_spooled(2).await;
    // Six deltas; six words of three bytes each where nothing shows how they came. Two tokens of question.
    for (record, completion) in records.iter().zip([6, 5]) {
        let counted = (record.prompt_tokens, record.completion_tokens);
        assert_eq!(counted, (2, completion));
        assert!(record.estimated);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_stream_is_recorded_with_its_incident() {
    let site = Site::open().await;
    let mut response = site.stream(CLAW, "stall").await;
    response.body_mut().frame().await.unwrap().unwrap();
    let waiting = site.post(CLAW, r#"{"model":"silent"}"#);
    let cut = async {
        assert!(site.home.busy(2, LIMIT).await);
        site.apply(2, &["llm"]).await
    };
    let (_, _, applied) = tokio::join!(waiting, whole(response), cut);
    assert_eq!(applied, 2);
    let records = site.until_spooled(2).await;
    for record in &records {
        assert_eq!(record.ended, Ended::Cut);
        assert_eq!(record.incident, Some("7".parse().unwrap()));
        assert!(record.estimated);
    }
    let statuses: BTreeSet<u16> = records.iter().map(|record| record.status).collect();
    assert_eq!(statuses, BTreeSet::from([200, 503]));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_ends_are_told_apart() {
    let site = Site::open().await;
    let mut left = site.stream(CLAW, "stall").await;
    left.body_mut().frame().await.unwrap().unwrap();
    drop(left);
    site.until_spooled(1).await;
    site.post(CLAW, r#"{"model":"truncate","stream":true}"#)
        .await;
    site.until_spooled(2).await;
    site.post(CLAW, r#"{"model":"error500"}"#).await;
    let records = site.until_spooled(3).await;
    let ends: Vec<(Ended, u16)> = records
        .iter()
        .map(|record| (record.ended, record.status))
        .collect();
    assert_eq!(
        ends,
        [
            (Ended::ClientGone, 200),
            (Ended::UpstreamFailed, 200),
            (Ended::Complete, 500)
        ]
    );
    assert_eq!(records[2].completion_tokens, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fallback_is_recorded_once_at_the_target_that_answered() {
    let site = Site::open_with_home(Script::Error503).await;
    call(&site, "steady", false).await;
    let records = site.until_spooled(1).await;
    assert_eq!(
        (records[0].target.as_str(), records[0].class),
        ("away", Class::Cloud)
    );
    let first = records[0].fell_back_from.as_ref();
    assert_eq!(first.map(|name| name.as_str()), Some("home"));
    site.gateway.drain(Duration::ZERO).await;
    assert_eq!(site.spooled().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_leave_no_record() {
    let site = Site::open().await;
    site.post(CLAW, "nonsense").await;
    site.post("pck_nobody", "{}").await;
    site.apply(2, &["all"]).await;
    site.post(CLAW, r#"{"model":"steady"}"#).await;
    site.gateway.drain(Duration::ZERO).await;
    assert_eq!(site.spooled().len(), 0);
}

/// A gateway that found this file in its spool and has written one record since.
async fn found_in_spool(file: &str, holds: &[u8]) -> Site {
    let home = Upstream::start().unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("spool")).unwrap();
    std::fs::write(dir.path().join("spool").join(file), holds).unwrap();
    let gateway = start(
        &dir,
        table(&[
            ("home", Class::Local, &home.base_url()),
            ("away", Class::Cloud, &home.base_url()),
        ]),
    );
    let site = Site {
        gateway,
        away: Upstream::start().unwrap(),
        home,
        dir,
    };
    site.apply(1, &[]).await;
    call(&site, "steady", false).await;
    site.until_spooled(1).await;
    site
}

#[tokio::test(flavor = "multi_thread")]
async fn a_torn_last_line_spoils_no_later_record() {
    let file = "usage-00000000000000000004.jsonl";
    let site = found_in_spool(file, br#"{"id":"old-1","at":1,"consu"#).await;
    let text = std::fs::read_to_string(site.dir.path().join("spool").join(file)).unwrap();
    assert_eq!(text.lines().count(), 2);
    assert!(text.starts_with("{\"id\":\"old-1\",\"at\":1,\"consu\n{\"id\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_file_is_followed_by_the_next() {
    let full = "x".repeat((8 << 20) - 1) + "\n";
    let site = found_in_spool("usage-00000000000000000041.jsonl", full.as_bytes()).await;
    let spool = site.dir.path().join("spool");
    let next = spool.join("usage-00000000000000000042.jsonl");
    assert_eq!(std::fs::read_to_string(next).unwrap().lines().count(), 1);
    let full = spool.join("usage-00000000000000000041.jsonl");
    assert_eq!(std::fs::metadata(full).unwrap().len(), 8 << 20);
}
