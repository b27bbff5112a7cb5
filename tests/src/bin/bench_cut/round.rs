//! One round: open the streams, text the code, take the times.

use crate::figures::Figures;
use crate::house::{House, Template};
use crate::http::{exchange, stream};
use crate::prober::Prober;
use crate::volley::Volley;
use anyhow::{Context as _, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use site_tests::bench::clock::{mark, ms, wall_ms};
use site_tests::bench::configured::KEY;
use site_tests::bench::http::post;
use std::time::Duration;
use tokio::{sync::watch, task::JoinSet, time::timeout};

/// How long the house stands idle before its memory is read.
const IDLE: Duration = Duration::from_secs(2);
/// Until anything that is waited for must have happened.
const LIMIT: Duration = Duration::from_secs(30);

/// Plays one round from start to end.
pub(crate) async fn play(
    template: &Template,
    streams: usize,
    model: &str,
) -> anyhow::Result<Figures> {
    let house = template.start()?;
    house.await_canaries()?;
    tokio::time::sleep(IDLE).await;
    let mut figures = Figures {
        start: vec![house.start_ms],
        idle_mb: vec![house.memory_mb()?],
        ..Figures::default()
    };

    let (running, mut count) = watch::channel(0);
    let mut readers = JoinSet::new();
    let bearer = format!("Bearer {KEY}");
    let request = long_stream(model, &bearer);
    for _ in 0..streams {
        readers.spawn(stream(house.gateway, request.clone(), running.clone()));
    }
    timeout(LIMIT, count.wait_for(|count| *count == streams))
        .await
        .context("the streams did not all begin to flow")??;
    figures.busy_mb.push(house.memory_mb()?);

    let text = signed_text(&house)?;
    let models =
        format!("GET /v1/models HTTP/1.1\r\nhost: bench\r\nauthorization: {bearer}\r\n\r\n");
    let prober = Prober::start(house.gateway, &models)?;
    while prober.passed() < 20 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let volley = Volley::fire(house.gateway, &models)?;
    let (wall, sent) = (wall_ms(), mark());
    let texting = exchange(house.kill_switch, &text);
    let reading = async {
        let mut ends = Vec::new();
        while let Some(end) = readers.join_next().await {
            ends.push(end??);
        }
        anyhow::Ok(ends)
    };
    let texting = async {
        let answer = texting.await;
        (answer, mark())
    };
    let ((answer, replied), ends) = timeout(LIMIT, async { tokio::join!(texting, reading) })
        .await
        .context("the streams did not all end")?;
    figures.said = said(answer?)?;
    figures.reply.push(ms(sent, replied));
    figures.refused.push(ms(sent, prober.refused_at()?));
    let passed = volley.shots()?.into_iter().filter(|shot| shot.passed);
    let last = passed.map(|shot| shot.sent).max();
    figures
        .passed
        .push(ms(sent, last.context("nothing passed before the cut")?));
    for end in ends? {
        figures.last_byte.push(ms(sent, end.last_byte));
        figures.reset += usize::from(!end.told);
    }
    figures.upstream = aborted(&house, wall, streams).await?;
    Ok(figures)
}

/// Asks for a stream that goes on until it is cut.
fn long_stream(model: &str, bearer: &str) -> String {
    let body = serde_json::json!({
        "model": model, "stream": true, "max_tokens": 1_000_000,
        "messages": [{"role": "user", "content": "go on"}],
    });
    post(
        "/v1/chat/completions",
        &[("authorization", bearer)],
        &body.to_string(),
    )
}

/// The KILL text as the generic channel takes it: Standard Webhooks, HMAC-SHA256 over id, time and body.
pub(crate) fn signed_text(house: &House) -> anyhow::Result<String> {
    let body = format!(r#"{{"text":"KILL ALL {}"}}"#, house.kill_code()?);
    let (id, at) = ("msg_benchmark", (wall_ms() / 1000).to_string());
    let secret = house.channel_secret()?;
    let secret = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").context("whsec_")?)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret)?;
    mac.update(format!("{id}.{at}.{body}").as_bytes());
    let signature = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
    Ok(post(
        "/v1/inbound/local",
        &[
            ("webhook-id", id),
            ("webhook-timestamp", &at),
            ("webhook-signature", &signature),
            ("connection", "close"),
        ],
        &body,
    ))
}

/// The reply's text; the round counts only when it says CUT with its proof.
pub(crate) fn said((status, answer): (u16, String)) -> anyhow::Result<String> {
    ensure!(status == 200, "the text was answered with {status}");
    let body = answer
        .split_once("\r\n\r\n")
        .map(|(_, body)| body)
        .unwrap_or_default();
    let reply: Value = serde_json::from_str(body).context("the reply's JSON")?;
    let text = reply
        .get("reply")
        .and_then(Value::as_str)
        .context("no reply came")?;
    ensure!(
        text.starts_with("CUT ALL ") && text.contains(" dead"),
        "not proven: {text}"
    );
    Ok(text.to_owned())
}

/// When the upstream saw each stream aborted, from its own log.
async fn aborted(house: &House, sent: u64, streams: usize) -> anyhow::Result<Vec<f64>> {
    let until = mark() + LIMIT;
    loop {
        let log = std::fs::read_to_string(&house.upstream_log)?;
        let ends: Vec<f64> = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|one| one.get("end").and_then(Value::as_str) == Some("aborted"))
            .filter_map(|one| one.get("ended_ms").and_then(Value::as_u64))
            .filter_map(|at| u32::try_from(at.saturating_sub(sent)).ok().map(f64::from))
            .collect();
        if ends.len() >= streams {
            return Ok(ends);
        }
        ensure!(
            mark() < until,
            "the upstream saw {} of {streams} streams end",
            ends.len()
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
