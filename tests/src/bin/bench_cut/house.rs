//! Starts the programs that are measured, each on free ports with files of its own.

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use site_tests::bench::clock::{mark, ms};
use site_tests::bench::configured;
use site_tests::bench::process::used;
use site_tests::bench::running::{LIMIT, Running, await_answer, command, copy, free_ports};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tempfile::TempDir;

/// A state folder set up once, so that every round starts from the same.
#[derive(Debug)]
pub(crate) struct Template {
    bin: PathBuf,
    folder: TempDir,
}

/// Where everything listens.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) gateway: SocketAddr,
    pub(crate) kill_switch: SocketAddr,
    pub(crate) upstream_log: PathBuf,
    /// From starting the process to all parts answering, milliseconds.
    pub(crate) start_ms: f64,
    folder: TempDir,
    bin: PathBuf,
    portcullis: Running,
    _upstream: Running,
}

impl Template {
    /// Sets a state folder up by a first start.
    pub(crate) fn make(bin: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("pc-bench-").tempdir()?;
        let template = Self {
            bin: bin.to_owned(),
            folder,
        };
        let house = template.start_in(tempfile::Builder::new().prefix("pc-bench-").tempdir()?)?;
        house.await_canaries()?;
        copy(
            &house.folder.path().join("d"),
            &template.folder.path().join("d"),
        )?;
        Ok(template)
    }

    /// Starts a house on a fresh copy.
    pub(crate) fn start(&self) -> anyhow::Result<House> {
        let folder = tempfile::Builder::new().prefix("pc-bench-").tempdir()?;
        copy(&self.folder.path().join("d"), &folder.path().join("d"))?;
        self.start_in(folder)
    }

    fn start_in(&self, folder: TempDir) -> anyhow::Result<House> {
        let [dash, kill_switch, gateway, agent, upstream] = free_ports()?;
        let config = configured::write(
            folder.path(),
            [kill_switch, agent, gateway, upstream],
            &format!("[controlplane]\nlisten = \"{dash}\"\n"),
        )?;
        let upstream_log = folder.path().join("upstream.jsonl");
        let up = Running::start(
            command(&self.bin.join("scripted_upstream"))
                .args(["--listen", &upstream.to_string(), "--log"])
                .arg(&upstream_log)
                .stdout(Stdio::null()),
        )?;
        await_answer(upstream, "/v1/models")?;
        let began = mark();
        let portcullis = Running::start(
            command(&self.bin.join("portcullis"))
                .arg("--data")
                .arg(folder.path().join("d"))
                .arg("--config")
                .arg(config)
                .arg("up")
                .stdout(Stdio::null()),
        )?;
        for part in [kill_switch, agent, gateway, dash] {
            await_answer(part, "/healthz")?;
        }
        let start_ms = ms(began, mark());
        Ok(House {
            gateway,
            kill_switch,
            upstream_log,
            start_ms,
            folder,
            bin: self.bin.clone(),
            portcullis,
            _upstream: up,
        })
    }
}

impl House {
    /// Waits until every way through has been seen to work: only then can a cut be proven.
    pub(crate) fn await_canaries(&self) -> anyhow::Result<()> {
        let began = mark();
        while ms(began, mark()) < LIMIT.as_secs_f64() * 1000.0 {
            let state = self.ask(r#"{"ask":"state"}"#)?;
            let figure = |key: &str| state.pointer(key).and_then(Value::as_u64);
            let points = figure("/canaries/points").unwrap_or(0);
            if points > 0 && figure("/canaries/good") == Some(points) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("the canaries did not become good")
    }

    fn ask(&self, request: &str) -> anyhow::Result<Value> {
        let mut lever = UnixStream::connect(self.folder.path().join("d/killswitch/lever.sock"))?;
        writeln!(lever, "{request}")?;
        let mut line = String::new();
        BufReader::new(lever).read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }

    /// The present KILL code, as the owner's own command tells it.
    pub(crate) fn kill_code(&self) -> anyhow::Result<String> {
        let told = command(&self.bin.join("portcullis"))
            .arg("--data")
            .arg(self.folder.path().join("d"))
            .args(["codes", "now", "--json"])
            .output()?;
        ensure!(told.status.success(), "codes now: {}", told.status);
        let codes: Value = serde_json::from_slice(&told.stdout)?;
        let code = codes.pointer("/people/0/kill").and_then(Value::as_str);
        Ok(code.context("no KILL code")?.to_owned())
    }

    /// Secret of the generic channel.
    pub(crate) fn channel_secret(&self) -> anyhow::Result<String> {
        let path = self
            .folder
            .path()
            .join("d/killswitch/channels/local.secret");
        Ok(std::fs::read_to_string(path)?.trim().to_owned())
    }

    /// The journal as it stands on disk.
    pub(crate) fn journal(&self) -> anyhow::Result<String> {
        let path = self.folder.path().join("d/killswitch/journal.jsonl");
        Ok(std::fs::read_to_string(path)?)
    }

    /// Resident memory in MB (10^6 bytes).
    pub(crate) fn memory_mb(&self) -> anyhow::Result<f64> {
        Ok(used(self.portcullis.id())?.memory_mb)
    }
}
