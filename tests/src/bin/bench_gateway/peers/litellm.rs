//! The `LiteLLM` proxy: one worker and one key. Without a database, which it would want for budgets and records of spend,
//! so that it does less than the others.

use super::{KEY, MODELS, Place, Started};
use site_tests::bench::{configured::private, running::command};
use std::process::Stdio;

pub(super) fn start(place: &Place<'_>) -> anyhow::Result<Started> {
    let (folder, at, upstream) = (place.folder, place.at, place.upstream);
    let models: String = MODELS
        .iter()
        .map(|model| {
            format!(
                "  - model_name: {model}\n    litellm_params:\n      model: openai/{model}\n      api_base: \"http://{upstream}/v1\"\n      api_key: none\n"
            )
        })
        .collect();
    let text = format!(
        "model_list:\n{models}general_settings:\n  master_key: \"{KEY}\"\nlitellm_settings:\n  num_retries: 0\n  telemetry: false\n"
    );
    let config = private(folder, "litellm.yaml", &text)?;
    let program = std::path::absolute(&place.asked.litellm)?;
    Started::by(
        command(&program)
            .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
            .env("LITELLM_LOG", "ERROR")
            .arg("--config")
            .arg(&config)
            .args(["--host", "127.0.0.1", "--port", &at.port().to_string()])
            .current_dir(folder)
            .stderr(Stdio::null()),
        at,
        KEY,
    )
}
