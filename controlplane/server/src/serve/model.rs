//! What answers model calls when the configuration names no target: Ollama on this machine, else the demo model.

use crate::config::Fallback;
use crate::demo_model::DemoModel;
use crate::http;
use anyhow::Context as _;
use kill_wire::Class;
use net_model::{BaseUrl, KeyHash, Target};
use serde::Deserialize;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

const OLLAMA: &str = "http://127.0.0.1:11434";

/// How long Ollama may take to say that it is there.
const LIMIT: Duration = Duration::from_millis(500);

/// What answers.
#[derive(Debug)]
pub(super) enum Model {
    /// The configuration's targets.
    Configured,
    /// Ollama; the first model it lists.
    Ollama {
        /// For the line to copy.
        first: Option<String>,
    },
    /// The built-in demo model, running in this process.
    Demo(DemoModel),
}

impl Model {
    /// For scripts.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Configured => "configured",
            Self::Ollama { .. } => "ollama",
            Self::Demo(_) => "demo",
        }
    }

    /// Looks what there is; starts the demo model if nothing answers and `demo` allows it.
    pub(super) async fn find(
        configured: bool,
        demo: bool,
        key: KeyHash,
    ) -> anyhow::Result<(Self, Fallback)> {
        let ollama = format!("{OLLAMA}/v1");
        if configured {
            return Ok((Self::Configured, fallback("ollama", &ollama, key)?));
        }
        let first = first_model().await;
        if demo && first.is_none() {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .context("cannot find a port for the demo model")?;
            let base = format!("http://{}/v1", listener.local_addr()?);
            let model = DemoModel::start(listener).context("cannot start the demo model")?;
            return Ok((Self::Demo(model), fallback("demo", &base, key)?));
        }
        if first.is_none() {
            tracing::warn!(
                "No target is configured and no Ollama answers at {OLLAMA}; calls fail until it does."
            );
        }
        let first = first.flatten();
        Ok((Self::Ollama { first }, fallback("ollama", &ollama, key)?))
    }
}

fn fallback(name: &str, base: &str, key: KeyHash) -> anyhow::Result<Fallback> {
    Ok(Fallback {
        target: Target::new(name.parse()?, Class::Local, base.parse::<BaseUrl>()?),
        key,
    })
}

#[derive(Deserialize)]
struct Tags {
    models: Vec<Tag>,
}

#[derive(Deserialize)]
struct Tag {
    name: String,
}

/// `None`: no Ollama. `Some(None)`: one without models.
async fn first_model() -> Option<Option<String>> {
    let client = http::client(LIMIT).ok()?;
    let version = client
        .get(format!("{OLLAMA}/api/version"))
        .send()
        .await
        .ok()?;
    if !version.status().is_success() {
        return None;
    }
    let tags = client.get(format!("{OLLAMA}/api/tags")).send().await.ok();
    let body = match tags {
        Some(answer) => http::body(answer).await.unwrap_or_default(),
        None => Vec::new(),
    };
    let tags = serde_json::from_slice::<Tags>(&body).ok();
    Some(
        tags.and_then(|tags| tags.models.into_iter().next())
            .map(|tag| tag.name),
    )
}
