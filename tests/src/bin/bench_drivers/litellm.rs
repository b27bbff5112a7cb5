//! LiteLLM: a second layer. The program itself, which has no database here, ends what runs and refuses nobody. Its
//! administration is pretended for what needs its database.

use crate::round::overlay;
use crate::table::{Figures, Gateway};
use anyhow::{Context as _, ensure};
use gateways::{Driver, Gateway as _, LitellmCutBy, LitellmSettings};
use net_model::Secret;
use site_tests::bench::clock::{mark, ms};
use site_tests::bench::configured::private;
use site_tests::bench::http::post;
use site_tests::bench::running::{Running, await_reply, command, free_ports};
use site_tests::driven::{Answer, Door};
use site_tests::litellm::{Double, Fault, MASTER, Trouble};
use site_tests::upstream::Upstream;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

const PATH: &str = "/v1/chat/completions";
/// Until a stream must have ended.
const LIMIT: Duration = Duration::from_secs(10);
/// How long the real one was seen to take for a call of its administration.
const CALL: Duration = Duration::from_millis(20);
/// Keys that are blocked with each cut of the pretended one.
const KEYS: usize = 4;

fn driver(at: SocketAddr, cut_by: LitellmCutBy) -> anyhow::Result<Driver> {
    Ok(Driver::Litellm(gateways::Litellm::new(LitellmSettings {
        at,
        master_key: Secret::new(MASTER)?,
        cut_by,
        sever: true,
    })))
}

/// The program, with one worker.
pub(crate) async fn real(program: &Path, rounds: u32) -> anyhow::Result<Gateway> {
    let upstream = Upstream::start()?;
    let folder = tempfile::Builder::new().prefix("pc-bench-").tempdir()?;
    let [at] = free_ports()?;
    let _running = start(program, folder.path(), at, &upstream.base_url())?;
    let driver = driver(at, LitellmCutBy::None)?;
    let door = Door::at(at, MASTER, PATH);
    let (mut ended, mut told) = (Vec::new(), Vec::new());
    for round in 0..u64::from(rounds) {
        driver.apply(&overlay(round * 2 + 1, false)?).await?;
        let mut stream = door.stream().await?;
        let begun = mark();
        let cut = overlay(round * 2 + 2, true)?;
        let (answered, end) = tokio::join!(async { (driver.apply(&cut).await, mark()) }, async {
            (stream.ends(LIMIT).await, mark())
        },);
        answered.0?;
        told.push(ms(begun, answered.1));
        ended.extend(end.0.then(|| ms(begun, end.1)));
        let after = door.client().await?.ask().await;
        ensure!(after == Answer::Served, "it refuses by itself: {after:?}");
        if ended.is_empty() {
            // Nobody here may end them: the other rounds would only wait.
            break;
        }
    }
    Ok(Gateway {
        name: "LiteLLM (the program, no database)",
        figures: vec![
            (
                "every connection refused",
                Figures::Said("not by itself: what stands before it refuses"),
            ),
            ("stream ended", Figures::Measured(ended)),
            ("the driver's answer", Figures::Measured(told)),
        ],
    })
}

fn start(program: &Path, folder: &Path, at: SocketAddr, base: &str) -> anyhow::Result<Running> {
    let models = ["steady", "paced"].map(|model| {
        format!(
            "  - model_name: {model}\n    litellm_params:\n      model: openai/{model}\n      api_base: \"{base}\"\n      api_key: none\n"
        )
    });
    let models = models.concat();
    let text = format!(
        "model_list:\n{models}general_settings:\n  master_key: \"{MASTER}\"\nlitellm_settings:\n  num_retries: 0\n  telemetry: false\n"
    );
    let config = private(folder, "litellm.yaml", &text)?;
    let running = Running::start(
        command(&std::path::absolute(program)?)
            .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
            .env("LITELLM_LOG", "ERROR")
            .arg("--config")
            .arg(&config)
            .args(["--host", "127.0.0.1", "--port", &at.port().to_string()])
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    )?;
    let bearer = format!("Bearer {MASTER}");
    let question = post(
        PATH,
        &[("authorization", &bearer)],
        r#"{"model":"steady","max_tokens":1,"messages":[{"role":"user","content":"hi"}]}"#,
    );
    await_reply(at, &question).context("LiteLLM does not serve")?;
    Ok(running)
}

/// Its administration with a database, each call as slow as the real one's.
pub(crate) async fn pretended(rounds: u32) -> anyhow::Result<Gateway> {
    let double = Double::start().await;
    for at in 0..KEYS {
        double.key(&format!("agent-{at}"));
    }
    double.model("llama", "http://127.0.0.1:1/v1", true);
    double.fault(Fault {
        trouble: Trouble::Slow(CALL),
        writes: false,
        spares: 0,
        times: u32::MAX,
    });
    let driver = driver(double.at, LitellmCutBy::Keys)?;
    let (mut blocked, mut restored) = (Vec::new(), Vec::new());
    for round in 0..u64::from(rounds) {
        let (cut, open) = (
            overlay(round * 2 + 1, true)?,
            overlay(round * 2 + 2, false)?,
        );
        let begun = mark();
        driver.apply(&cut).await?;
        blocked.push(ms(begun, mark()));
        ensure!(double.blocked().len() == KEYS, "not every key is blocked");
        let begun = mark();
        driver.apply(&open).await?;
        restored.push(ms(begun, mark()));
        ensure!(double.blocked().is_empty(), "a key is still blocked");
    }
    Ok(Gateway {
        name: "LiteLLM (administration pretended)",
        figures: vec![
            ("4 keys blocked and read back", Figures::Measured(blocked)),
            (
                "every connection refused",
                Figures::Said("up to 60 s later: each worker keeps a key it knows"),
            ),
            (
                "restore: 4 keys unblocked and read back",
                Figures::Measured(restored),
            ),
        ],
    })
}
