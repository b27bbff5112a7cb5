//! The access log: one line for each answer, which agrees with the ledger and holds no secret.

use crate::support::{CLAW, LIMIT, RAG, Site, whole};
use gateway::{LinesFile, Operating};
use net_model::UsageRecord;
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::{Instant, sleep};

fn logging(site: &Site) -> PathBuf {
    let path = site.dir.path().join("access.jsonl");
    site.gateway.operate(to(&path, 1 << 20));
    path
}

fn to(path: &Path, max_bytes: u64) -> Operating {
    Operating {
        access_log: Some(LinesFile {
            path: Some(path.to_owned()),
            max_bytes,
            keep: 1,
        }),
        ..Operating::default()
    }
}

/// Waits until the log has this many lines.
async fn lines(path: &Path, count: usize) -> Vec<Value> {
    let until = Instant::now() + LIMIT;
    loop {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let lines: Vec<Value> = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'))
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        if lines.len() >= count {
            return lines;
        }
        assert!(Instant::now() < until, "only {} lines in time", lines.len());
        sleep(Duration::from_millis(3)).await;
    }
}

/// Holds a line against the row of the ledger.
fn agrees(line: &Value, row: &UsageRecord) {
    let row = serde_json::to_value(row).unwrap();
    assert_eq!(line.get("request_id"), row.get("id"));
    assert!(line.get("took_ms").is_some_and(Value::is_u64), "{line}");
    for same in [
        "consumer",
        "route",
        "target",
        "class",
        "api",
        "model",
        "stream",
        "status",
        "prompt_tokens",
        "completion_tokens",
        "cached_tokens",
        "reasoning_tokens",
        "estimated",
        "cost",
        "first_byte_ms",
        "ended",
        "incident",
        "fell_back_from",
    ] {
        // What is unknown is `null` in the one and absent in the other.
        let of = |it: &Value| it.get(same).cloned().unwrap_or_default();
        assert_eq!(of(line), of(&row), "{same} of {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_leaves_one_line_that_agrees_with_the_ledger() {
    let site = Site::open().await;
    let path = logging(&site);
    site.post(CLAW, r#"{"model":"steady"}"#).await;
    site.post(CLAW, r#"{"model":"steady","stream":true}"#).await;
    site.post(CLAW, r#"{"model":"nousage"}"#).await;
    let rows = site.until_spooled(3).await;
    let lines = lines(&path, 3).await;
    assert_eq!(lines.len(), 3);
    for row in &rows {
        let mut of = lines.iter().filter(|line| line["request_id"] == row.id);
        let line = of.next().unwrap();
        assert!(of.next().is_none(), "twice: {line}");
        agrees(line, row);
        assert_eq!(line["client"], "127.0.0.1");
        assert_eq!(line["method"], "POST");
        assert_eq!(line["path"], "/v1/chat/completions");
        assert_eq!(line["version"], "HTTP/1.1");
        assert!(line["bytes"].as_u64() > Some(0), "{line}");
        assert!(line["time"].as_str().unwrap().ends_with('Z'), "{line}");
    }
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("pck_") && !text.contains("sk-"), "{text}");
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_and_cuts_are_in_it_with_their_code_and_incident() {
    let site = Site::open().await;
    let path = logging(&site);
    site.post("pck_nobody", r#"{"model":"steady"}"#).await;
    site.post(CLAW, r#"{"model":"unheard-of"}"#).await;
    site.get(CLAW, "/nowhere?key=pck_query").await;
    let open = site.stream(CLAW, "slow").await;
    site.until_open(1).await;
    site.apply(2, &["LLM"]).await;
    whole(open).await;
    site.post(RAG, r#"{"model":"steady"}"#).await;
    let lines = lines(&path, 5).await;
    let of = |code: &str| {
        let found = lines.iter().find(|line| line["code"] == code);
        found.unwrap_or_else(|| panic!("no {code} in {lines:?}"))
    };
    assert_eq!(of("invalid_api_key")["status"], 401);
    assert!(of("invalid_api_key").get("consumer").is_none());
    let unknown = of("model_not_found");
    assert_eq!(
        (&unknown["consumer"], &unknown["model"], &unknown["ended"]),
        (&"claw".into(), &"unheard-of".into(), &"refused".into())
    );
    assert_eq!(of("unknown_path")["path"], "/nowhere");
    let cut = lines.iter().find(|line| line["ended"] == "cut").unwrap();
    assert_eq!((&cut["status"], &cut["incident"]), (&200.into(), &7.into()));
    let refused = of("cut");
    assert_eq!(
        (&refused["status"], &refused["incident"]),
        (&503.into(), &7.into())
    );
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.contains("pck_"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_hangs_delays_neither_answers_nor_a_cut() {
    let site = Site::open().await;
    let pipe = site.dir.path().join("pipe");
    // Opening a named pipe that nobody reads hangs for ever.
    let mode = rustix::fs::Mode::RWXU;
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).unwrap();
    site.gateway.operate(to(&pipe, 1 << 20));
    for _ in 0..20 {
        assert_eq!(site.post(CLAW, r#"{"model":"steady"}"#).await.status, 200);
    }
    let open = site.stream(CLAW, "slow").await;
    site.until_open(1).await;
    assert_eq!(site.apply(2, &["LLM"]).await, 1);
    whole(open).await;
    let drained = site.gateway.drain(Duration::ZERO).await;
    assert_eq!(drained.cut_off, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_full_costs_lines_and_says_how_many() {
    let site = Site::open().await;
    site.gateway.operate(to(Path::new("/dev/full"), u64::MAX));
    for _ in 0..3 {
        assert_eq!(site.post(CLAW, r#"{"model":"steady"}"#).await.status, 200);
    }
    let dropped = |line: &str| {
        let figure = line.strip_prefix("portcullis_gateway_access_log_dropped_total ")?;
        figure.parse::<u64>().ok()
    };
    site.until_metrics(|metrics| metrics.lines().find_map(dropped).unwrap() >= 3)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_no_longer_wanted_is_no_longer_written() {
    let site = Site::open().await;
    let path = logging(&site);
    site.post(CLAW, r#"{"model":"steady"}"#).await;
    lines(&path, 1).await;
    site.gateway.operate(Operating::default());
    let other = site.dir.path().join("other.jsonl");
    site.post(CLAW, r#"{"model":"steady"}"#).await;
    site.gateway.operate(to(&other, 1 << 20));
    site.post(CLAW, r#"{"model":"steady"}"#).await;
    assert_eq!(lines(&other, 1).await.len(), 1);
    assert_eq!(lines(&path, 1).await.len(), 1);
}
