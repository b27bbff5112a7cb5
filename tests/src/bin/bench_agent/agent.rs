//! The agent that is weighed: invited, joined and started as on any host.

use anyhow::{Context as _, ensure};
use serde_json::Value;
use site_tests::bench::configured::private;
use site_tests::bench::controlplane::House;
use site_tests::bench::running::{Running, command, free_ports};
use std::path::Path;
use std::process::Stdio;
use tempfile::TempDir;

/// What it is called.
pub(crate) const NAME: &str = "soak1";

/// A running agent; ended when dropped.
#[derive(Debug)]
pub(crate) struct Agent {
    running: Running,
    _folder: TempDir,
}

impl Agent {
    pub(crate) fn start(house: &House, program: &Path, beat_ms: u64) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("pc-agent-").tempdir()?;
        let [orders, called] = free_ports()?;
        let text = format!(
            "[agent]\nname = \"{NAME}\"\nlisten = \"{orders}\"\nstate = \"state\"\n[uplink]\nlisten = \"{called}\"\n"
        );
        let config = private(folder.path(), "node-agent.toml", &text)?;
        let state = folder.path().join("state");
        let invited = house.told(&[
            "hosts", "invite", NAME, "--zone", "red", "--role", "other", "--json",
        ])?;
        let token = invited.get("token").and_then(Value::as_str);
        let token = private(folder.path(), "token", token.context("no token")?)?;
        let joined = command(program)
            .arg("join")
            .arg(token)
            .arg("--state")
            .arg(&state)
            .output()?;
        let why = String::from_utf8_lossy(&joined.stderr);
        ensure!(joined.status.success(), "the agent does not join: {why}");
        let running = Running::start(
            command(program)
                .args(["run", "--beat-ms", &beat_ms.to_string(), "--config"])
                .arg(&config)
                .stdout(Stdio::null()),
        )?;
        Ok(Self {
            running,
            _folder: folder,
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.running.id()
    }
}
