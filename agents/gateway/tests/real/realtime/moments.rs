//! A cut at any moment of a session's life, and by whatever way it came.

use super::*;
use crate::meeting;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_at_any_moment_finds_every_session() {
    let site = Site::open().await;
    let bearer = format!("Bearer {CLAW}");
    let mut opened = 0;
    for round in 0..60_u64 {
        let mut clients = JoinSet::new();
        for _ in 0..6 {
            let (addr, bearer) = (site.addr(), bearer.clone());
            clients.spawn(async move {
                let pairs = [("authorization", bearer.as_str())];
                let mut session = match dial(addr, "model=steady", &pairs).await {
                    Ok(session) => session,
                    Err(refused) => return (refused.status.as_u16(), refused.body, None),
                };
                let asks =
                    json!({"type":"response.create","response":{"max_output_tokens":100_000}})
                        .to_string();
                let _severed = session.socket.send(Message::text(asks)).await;
                let (last, close) = session.rest().await;
                (101, last, close)
            });
        }
        sleep(Duration::from_micros(round * 131 % 9000)).await;
        site.apply(round * 2 + 2, &["llm"]).await;
        while let Some(ended) = clients.join_next().await {
            let (status, last, close) = ended.unwrap();
            assert_eq!(last["error"]["code"], "cut", "{status} {last}");
            if status == 101 {
                assert_eq!(close, said(1008, "cut"));
                opened += 1;
            } else {
                assert_eq!(status, 503);
            }
        }
        site.until_all_is_given_back().await;
        site.apply(round * 2 + 3, &[]).await;
    }
    assert!(
        (1..360).contains(&opened),
        "{opened} were open before the cut"
    );
    // Whoever was with a target has a row, and nobody has two.
    let records = site.until_spooled(opened).await;
    let mut ids: Vec<&str> = records.iter().map(|record| record.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), records.len());
    assert!(records.iter().all(|record| record.ended == Ended::Cut));
}

#[tokio::test(flavor = "multi_thread")]
async fn within_tls_a_session_is_cut_as_in_the_open() {
    let site = Site::open().await;
    let pair = meeting::pair(site.dir.path());
    site.gateway.reload_front(meeting::front(&pair));
    let stream = meeting::meet(site.addr(), &pair.roots, b"http/1.1").await;
    let pairs = [("x-api-key", CLAW)];
    let mut session = dial_over(stream.unwrap(), "model=stall", &pairs)
        .await
        .unwrap();
    session.ask(9).await;
    session.until("response.output_text.delta").await;
    let (severed, (last, close)) = tokio::join!(site.apply(2, &["chat"]), session.rest());
    assert_eq!(
        (severed, &last["error"]["code"], close),
        (1, &json!("cut"), said(1008, "cut"))
    );
    site.until_all_is_given_back().await;
}
