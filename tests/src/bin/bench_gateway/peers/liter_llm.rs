//! liter-llm: one virtual key with a budget.

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
    let mut text = format!(
        "[general]\nmaster_key = \"{KEY}-master\"\n[security]\noutbound_policy = \"off\"\n\
         [[keys]]\nkey = \"{KEY}\"\nmodels = [\"steady\", \"paced\", \"burst\", \"slow\"]\nbudget_limit = 1000.0\n"
    );
    for model in ["steady", "paced", "burst", "slow"] {
        text.push_str(&format!(
            "[[models]]\nname = \"{model}\"\nprovider_model = \"openai/{model}\"\napi_key = \"none\"\nbase_url = \"http://{upstream}/v1\"\n"
        ));
    }
    let config = write(folder, "liter-llm.toml", &text)?;
    let began = mark();
    let program = Running::start(
        command(&asked.liter_llm)
            .args(["api", "--config"])
            .arg(&config)
            .args(["--host", "127.0.0.1", "--port", &at.port().to_string()])
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null()),
    )?;
    await_answer(at, "/health")?;
    Ok(Started {
        key: KEY.to_owned(),
        start_ms: ms(began, mark()),
        program,
        beside: Vec::new(),
    })
}
