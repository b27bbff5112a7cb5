//! Bodies are captured only when asked for, of one consumer, without secrets, and not for ever.

use crate::support::{CLAW, LIMIT, RAG, Site};
use net_model::{CaptureAsk, CaptureView, ControlReply, ControlRequest};
use serde_json::Value;
use std::{os::unix::fs::PermissionsExt as _, path::Path, time::Duration};
use tokio::time::{Instant, sleep};

async fn ask(site: &Site, request: &ControlRequest) -> Result<Option<CaptureView>, String> {
    match site.control(&serde_json::to_string(request).unwrap()).await {
        ControlReply::Capture { capture } => Ok(capture),
        ControlReply::Refused { message } => Err(message),
        other @ (ControlReply::Applied { .. }
        | ControlReply::Observed(_)
        | ControlReply::Tested(_)) => panic!("{other:?}"),
    }
}

fn of_claw(seconds: u64, max_bytes: u64) -> ControlRequest {
    ControlRequest::Capture(CaptureAsk {
        consumer: "claw".parse().unwrap(),
        model: Some("steady".to_owned()),
        seconds,
        max_bytes,
        by: "ada".to_owned(),
    })
}

async fn start(site: &Site, seconds: u64, max_bytes: u64) -> CaptureView {
    let started = ask(site, &of_claw(seconds, max_bytes)).await;
    started.unwrap().unwrap()
}

async fn status(site: &Site) -> Option<CaptureView> {
    ask(site, &ControlRequest::CaptureStatus).await.unwrap()
}

async fn until_over(site: &Site) {
    let until = Instant::now() + LIMIT;
    while status(site).await.is_some() {
        assert!(Instant::now() < until, "it does not end");
        sleep(Duration::from_millis(5)).await;
    }
}

async fn lines(view: &CaptureView, count: usize) -> Vec<Value> {
    let until = Instant::now() + LIMIT;
    loop {
        let text = std::fs::read_to_string(&view.path).unwrap_or_default();
        let lines: Vec<Value> = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect();
        if lines.len() >= count {
            return lines;
        }
        assert!(Instant::now() < until, "only {lines:?}");
        sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_is_captured_without_secrets_and_nothing_else() {
    let site = Site::open().await;
    let secret = r#"{"model":"steady","messages":[{"role":"user","content":"before"}]}"#;
    site.post(CLAW, secret).await;
    let view = start(&site, 600, 1_000_000).await;
    assert_eq!(view.by, "ada");
    let told = format!(
        r#"{{"model":"steady","messages":[{{"role":"user","content":"keys {CLAW} sk-home sk-away"}}]}}"#
    );
    let answer = site.post(CLAW, told).await;
    site.post(RAG, r#"{"model":"steady","messages":["of rag"]}"#)
        .await;
    site.post(CLAW, r#"{"model":"nousage"}"#).await;
    let rows = site.until_spooled(4).await;
    let lines = lines(&view, 1).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = &lines[0];
    assert!(rows.iter().any(|row| line["id"] == row.id));
    assert_eq!(line["consumer"], "claw");
    let request = line["request"].as_str().unwrap();
    assert!(
        request.contains("keys [secret] [secret] [secret]"),
        "{request}"
    );
    assert_eq!(line["answer"].as_str().unwrap().as_bytes(), &*answer.body);
    assert_eq!(line["whole"], true);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let file = Path::new(&view.path);
    assert_eq!((mode(file), mode(file.parent().unwrap())), (0o600, 0o700));
    let notices = site.observed().await.notices;
    assert!(
        notices
            .iter()
            .any(|it| it.contains("`claw`") && it.contains("ada")),
        "{notices:?}"
    );
    let figures = site.metrics().await;
    assert!(
        figures.contains("\nportcullis_gateway_capturing 1\n"),
        "{figures}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_by_time_and_what_comes_later_is_not_in_it() {
    let site = Site::open().await;
    let view = start(&site, 1, 1_000_000).await;
    site.post(CLAW, r#"{"model":"steady"}"#).await;
    lines(&view, 1).await;
    until_over(&site).await;
    site.post(CLAW, r#"{"model":"steady"}"#).await;
    site.until_spooled(2).await;
    assert_eq!(lines(&view, 1).await.len(), 1);
    assert!(site.observed().await.notices.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_by_size_and_says_what_is_not_whole() {
    let site = Site::open().await;
    let body = r#"{"model":"steady"}"#;
    let view = start(&site, 600, body.len() as u64 + 10).await;
    let answer = site.post(CLAW, body).await;
    assert_eq!(answer.status, 200);
    until_over(&site).await;
    let lines = lines(&view, 1).await;
    assert_eq!(
        (&lines[0]["request"], &lines[0]["whole"]),
        (&body.into(), &false.into())
    );
    let bytes = std::fs::metadata(&view.path).unwrap().len();
    assert!(bytes < 2000, "{bytes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_runs_at_a_time_until_it_is_stopped_and_none_is_of_nobody() {
    let site = Site::open().await;
    let view = start(&site, 600, 1000).await;
    assert!(ask(&site, &of_claw(1, 1)).await.is_err());
    let stopped = ask(&site, &ControlRequest::StopCapture).await.unwrap();
    assert_eq!(stopped.unwrap().path, view.path);
    assert_eq!(status(&site).await, None);
    for (seconds, bytes) in [(0, 1), (100_000, 1), (1, 0), (1, u64::MAX)] {
        assert!(ask(&site, &of_claw(seconds, bytes)).await.is_err());
    }
    let nobody = ControlRequest::Capture(CaptureAsk {
        consumer: "nobody".parse().unwrap(),
        model: None,
        seconds: 1,
        max_bytes: 1,
        by: String::new(),
    });
    assert!(ask(&site, &nobody).await.unwrap_err().contains("nobody"));
}
