//! liter-llm: one virtual key with limits and a budget, its own budget over all, and cost tracking.

use super::{KEY, MODELS, Place, Started};
use site_tests::bench::{configured::private, running::command};
use std::process::Stdio;

pub(super) fn start(place: &Place<'_>) -> anyhow::Result<Started> {
    let (folder, at, upstream) = (place.folder, place.at, place.upstream);
    // Its outbound policy keeps it from loopback addresses unless it is off.
    let mut text = format!(
        "[general]\nmaster_key = \"{KEY}-master\"\nenable_cost_tracking = true\n\
         [security]\noutbound_policy = \"off\"\n\
         [budget]\nglobal_limit = 1000.0\n\
         [[keys]]\nkey = \"{KEY}\"\nmodels = {MODELS:?}\nrpm = 100000000\ntpm = 1000000000000\nbudget_limit = 1000.0\n"
    );
    for model in MODELS {
        text.push_str(&format!(
            "[[models]]\nname = \"{model}\"\nprovider_model = \"openai/{model}\"\napi_key = \"none\"\nbase_url = \"http://{upstream}/v1\"\n"
        ));
    }
    let config = private(folder, "liter-llm.toml", &text)?;
    Started::by(
        command(&place.asked.liter_llm)
            .args(["api", "--config"])
            .arg(&config)
            .args(["--host", "127.0.0.1", "--port", &at.port().to_string()])
            .stderr(Stdio::null()),
        at,
        KEY,
    )
}
