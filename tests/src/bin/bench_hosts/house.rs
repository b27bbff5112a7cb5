//! The control plane that is measured: `portcullis serve controlplane` on free ports, with a folder of its own.

use anyhow::{Context as _, ensure};
use serde_json::Value;
use site_tests::bench::configured::private;
use site_tests::bench::process::{Used, peak_mb, used};
use site_tests::bench::running::{Running, await_answer, command, free_ports};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A running control plane; ended when dropped.
#[derive(Debug)]
pub(crate) struct House {
    /// Where hosts report.
    pub(crate) hosts: SocketAddr,
    /// Where its pages are.
    pub(crate) dash: SocketAddr,
    folder: TempDir,
    program: PathBuf,
    config: PathBuf,
    portcullis: Running,
}

impl House {
    pub(crate) fn start(bin: &Path) -> anyhow::Result<Self> {
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
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("d/controlplane/portcullis.db")
    }

    /// The token of a fresh link to its pages.
    pub(crate) fn sign_in_token(&self) -> anyhow::Result<String> {
        let told = said(&self.program, self.folder.path(), &self.config)
            .args(["sign-in", "--json"])
            .output()?;
        ensure!(told.status.success(), "sign-in: {}", told.status);
        let told: Value = serde_json::from_slice(&told.stdout)?;
        let link = told.get("link").and_then(Value::as_str);
        let (_, token) = link
            .and_then(|link| link.split_once("token="))
            .context("no link")?;
        Ok(token.to_owned())
    }

    /// What it has used so far.
    pub(crate) fn used(&self) -> anyhow::Result<Used> {
        used(self.portcullis.id())
    }

    /// The most memory it ever had, in MB (10^6 bytes).
    pub(crate) fn peak_mb(&self) -> anyhow::Result<f64> {
        peak_mb(self.portcullis.id())
    }
}

fn said(program: &Path, folder: &Path, config: &Path) -> Command {
    let mut command = command(program);
    command.arg("--data").arg(folder.join("d"));
    command.arg("--config").arg(config);
    command
}
