//! The LiteLLM proxy: one worker, no database, one key.

use super::{Started, write};
use crate::asked::Asked;
use site_tests::bench::{
    clock::{mark, ms},
    running::{Running, await_answer, command},
};
use std::{net::SocketAddr, path::Path, process::Stdio};

const KEY: &str = "sk-benchmark-7f3e9a1c5b8d2f60417ae93c";

pub(super) fn start(
    asked: &Asked,
    folder: &Path,
    at: SocketAddr,
    upstream: SocketAddr,
) -> anyhow::Result<Started> {
    let config = write(
        folder,
        "litellm.yaml",
        &format!(
            "model_list:\n  - model_name: \"*\"\n    litellm_params:\n      model: \"openai/*\"\n      api_base: \"http://{upstream}/v1\"\n      api_key: \"none\"\n\
             general_settings:\n  master_key: \"{KEY}\"\n"
        ),
    )?;
    let began = mark();
    let program = Running::start(
        command(&asked.litellm)
            .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
            .arg("--config")
            .arg(&config)
            .args(["--host", "127.0.0.1", "--port", &at.port().to_string()])
            .args(["--telemetry", "False"])
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    )?;
    await_answer(at, "/health/liveliness")?;
    Ok(Started {
        key: KEY.to_owned(),
        start_ms: ms(began, mark()),
        program,
        beside: Vec::new(),
    })
}
