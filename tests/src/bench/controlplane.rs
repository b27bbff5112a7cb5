//! The control plane that is measured: `portcullis serve controlplane` on free ports, with a folder of its own.

use crate::bench::configured::private;
use crate::bench::process::{Used, peak_mb, used};
use crate::bench::running::{Running, await_answer, command, free_ports};
use anyhow::{Context as _, ensure};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A running control plane; ended when dropped.
#[derive(Debug)]
pub struct House {
    /// Where hosts report.
    pub hosts: SocketAddr,
    /// Where its pages are.
    pub dash: SocketAddr,
    folder: TempDir,
    program: PathBuf,
    config: PathBuf,
    portcullis: Running,
}

impl House {
    /// Starts it and waits until it answers; its programs stand in `bin`.
    pub fn start(bin: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("pc-bench-").tempdir()?;
        let [dash, hosts] = free_ports()?;
        let text = format!("[controlplane]\nlisten = \"{dash}\"\n[hosts]\nlisten = \"{hosts}\"\n");
        let config = private(folder.path(), "portcullis.toml", &text)?;
        let program = bin.join("portcullis");
        let portcullis = Running::start(
            said(&program, folder.path(), &config)
                .args(["serve", "controlplane", "--init"])
                .stdout(Stdio::null()),
        )?;
        await_answer(dash, "/healthz")?;
        Ok(Self {
            hosts,
            dash,
            folder,
            program,
            config,
            portcullis,
        })
    }

    /// Its database.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("d/controlplane/portcullis.db")
    }

    /// What the program says to these words, beside the control plane that runs.
    pub fn told(&self, words: &[&str]) -> anyhow::Result<Value> {
        let told = said(&self.program, self.folder.path(), &self.config)
            .args(words)
            .output()?;
        let why = String::from_utf8_lossy(&told.stderr);
        ensure!(told.status.success(), "{words:?}: {}: {why}", told.status);
        Ok(serde_json::from_slice(&told.stdout)?)
    }

    /// The token of a fresh link to its pages.
    pub fn sign_in_token(&self) -> anyhow::Result<String> {
        let told = self.told(&["sign-in", "--json"])?;
        let link = told.get("link").and_then(Value::as_str);
        let (_, token) = link
            .and_then(|link| link.split_once("token="))
            .context("no link")?;
        Ok(token.to_owned())
    }

    /// What it has used so far.
    pub fn used(&self) -> anyhow::Result<Used> {
        used(self.portcullis.id())
    }

    /// The most memory it ever had, in MB (10^6 bytes).
    pub fn peak_mb(&self) -> anyhow::Result<f64> {
        peak_mb(self.portcullis.id())
    }
}

fn said(program: &Path, folder: &Path, config: &Path) -> Command {
    let mut command = command(program);
    command.arg("--data").arg(folder.join("d"));
    command.arg("--config").arg(config);
    command
}
