//! Time to dark: `bench_cut`, which texts a KILL code to a whole house and takes the time of each stream's last byte.

use crate::asked::Asked;
use anyhow::{Context as _, ensure};
use serde_json::Value;
use site_tests::bench::running::command;

/// Streams that are open when the text is sent.
const STREAMS: usize = 1000;

/// Milliseconds from before the text was sent until the last byte of a stream, 99th percentile.
pub(crate) fn measure(asked: &Asked) -> anyhow::Result<f64> {
    // A thousand streams at 50 chunks a second each would measure what two cores carry, not how they go dark.
    let (streams, model) = if asked.smoke {
        (20, "steady")
    } else {
        (STREAMS, "slow")
    };
    let run = command(&asked.bin()?.join("bench_cut"))
        .args(["--json", "--rounds", &asked.rounds.to_string()])
        .args(["--streams", &streams.to_string(), "--model", model])
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("starting bench_cut")?;
    ensure!(run.status.success(), "bench_cut: {}", run.status);
    let figures: Vec<Value> = serde_json::from_slice(&run.stdout)?;
    figures
        .iter()
        .find(|one| one.get("what").and_then(Value::as_str) == Some("last byte of a stream, p99"))
        .and_then(|one| one.get("figure")?.as_f64())
        .context("bench_cut tells no last byte")
}
