//! The house that is looked at: set up, filled, and only then started, as it is after a year.

use crate::asked::Asked;
use crate::fleet::ZONES;
use crate::ledger::{CONSUMERS, ROUTES, TARGETS};
use crate::{fleet, journal, ledger};
use anyhow::{Context as _, ensure};
use kill_wire::Timestamp;
use serde_json::Value;
use site_tests::bench::clock::wall_ms;
use site_tests::bench::configured::private;
use site_tests::bench::process::peak_mb;
use site_tests::bench::running::{Running, await_answer, command, free_ports};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use store::Store;
use tempfile::TempDir;

/// A running house; ended when dropped.
#[derive(Debug)]
pub(crate) struct House {
    /// Where its pages are.
    pub(crate) dash: SocketAddr,
    program: PathBuf,
    config: PathBuf,
    // Ended before its folder goes.
    portcullis: Running,
    _upstream: Running,
    folder: TempDir,
}

impl House {
    /// Sets it up, fills it, starts it and waits until it answers.
    pub(crate) async fn start(asked: &Asked) -> anyhow::Result<Self> {
        let bin = asked.bin()?;
        let folder = tempfile::Builder::new().prefix("pc-bench-").tempdir()?;
        let ports: [SocketAddr; 6] = free_ports()?;
        let [dash, kill_switch, gateway, agent, _hosts, upstream] = ports;
        let config = private(folder.path(), "portcullis.toml", &text(&folder, ports)?)?;
        let program = bin.join("portcullis");
        let init = said(&program, folder.path(), &config)
            .arg("init")
            .output()?;
        let why = String::from_utf8_lossy(&init.stderr);
        ensure!(init.status.success(), "portcullis init: {why}");
        // The house's authority is made where no host has joined yet.
        let first = Running::start(
            said(&program, folder.path(), &config)
                .args(["serve", "controlplane"])
                .stdout(Stdio::null()),
        )?;
        await_answer(dash, "/healthz")?;
        drop(first);
        fill(&folder.path().join("d"), asked).await?;
        let up = Running::start(
            command(&bin.join("scripted_upstream"))
                .args(["--listen", &upstream.to_string()])
                .stdout(Stdio::null()),
        )?;
        await_answer(upstream, "/v1/models")?;
        let portcullis = Running::start(
            said(&program, folder.path(), &config)
                .arg("serve")
                .stdout(Stdio::null()),
        )?;
        for part in [kill_switch, agent, gateway, dash] {
            await_answer(part, "/healthz")?;
        }
        Ok(Self {
            dash,
            folder,
            program,
            config,
            portcullis,
            _upstream: up,
        })
    }

    /// The token of a fresh link to its pages.
    pub(crate) fn sign_in_token(&self) -> anyhow::Result<String> {
        let told = said(&self.program, self.folder.path(), &self.config)
            .args(["sign-in", "--json"])
            .output()?;
        let why = String::from_utf8_lossy(&told.stderr);
        ensure!(told.status.success(), "portcullis sign-in: {why}");
        let told: Value = serde_json::from_slice(&told.stdout)?;
        let link = told.get("link").and_then(Value::as_str);
        let (_, token) = link
            .and_then(|link| link.split_once("token="))
            .context("no link")?;
        Ok(token.to_owned())
    }

    /// The most memory it ever had, in MB (10^6 bytes).
    pub(crate) fn peak_mb(&self) -> anyhow::Result<f64> {
        peak_mb(self.portcullis.id())
    }

    /// A folder for whoever works beside it.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }
}

async fn fill(data: &Path, asked: &Asked) -> anyhow::Result<()> {
    let now = Timestamp::from_millis(wall_ms());
    let journal = data.join("killswitch/journal.jsonl");
    journal::fill(&journal, asked.incidents, now)?;
    let store = Store::open(&data.join("controlplane/portcullis.db")).await?;
    ledger::fill(&store, asked.usage, now).await?;
    ledger::fill_besides(&store, now).await?;
    fleet::fill(&store, asked.hosts, now).await?;
    store.close().await;
    Ok(())
}

fn text(folder: &TempDir, ports: [SocketAddr; 6]) -> anyhow::Result<String> {
    let [dash, kill_switch, gateway, agent, hosts, upstream] = ports;
    let mut text = format!(
        "[killswitch]\nlisten = \"{kill_switch}\"\nagents = [\"{agent}\"]\n\
         [agent]\nlisten = \"{agent}\"\n\
         [controlplane]\nlisten = \"{dash}\"\n\
         [hosts]\nlisten = \"{hosts}\"\n\
         [gateway]\nlisten = \"{gateway}\"\n"
    );
    for zone in 0..ZONES {
        let vlan = zone + 10;
        write!(
            text,
            "[zones.zone{zone}]\ntier = \"service\"\nvlan = {vlan}\nnets = [\"198.18.{zone}.0/24\"]\n"
        )?;
    }
    for target in 0..TARGETS {
        let class = if target < TARGETS / 2 {
            "local"
        } else {
            "cloud"
        };
        write!(
            text,
            "[[gateway.targets]]\nname = \"target{target}\"\nclass = \"{class}\"\nbase_url = \"http://{upstream}/v1\"\n"
        )?;
    }
    for route in 0..ROUTES {
        let (first, next) = (route % TARGETS, (route + 1) % TARGETS);
        write!(
            text,
            "[[gateway.routes]]\nname = \"route{route}\"\nkind = \"llm\"\nmodels = [\"model-{route}*\"]\ntargets = [\"target{first}\", \"target{next}\"]\n"
        )?;
    }
    for consumer in 0..CONSUMERS {
        let key = format!(
            "pck_bench{consumer:02}_bench{consumer:02}_bench{consumer:02}_bench{consumer:02}"
        );
        let file = private(folder.path(), &format!("agent{consumer}.key"), &key)?;
        write!(
            text,
            "[[gateway.consumers]]\nname = \"agent{consumer}\"\nkey_file = \"{}\"\nroutes = [\"route{}\"]\n",
            file.display(),
            consumer % ROUTES
        )?;
    }
    for budget in 0..20 {
        write!(
            text,
            "[[gateway.budgets]]\nname = \"day{budget}\"\nconsumer = \"agent{budget}\"\nwindow = \"day\"\ntokens = 1000000000000\n"
        )?;
    }
    Ok(text)
}

fn said(program: &Path, folder: &Path, config: &Path) -> Command {
    let mut command = command(program);
    command.arg("--data").arg(folder.join("d"));
    command.arg("--config").arg(config);
    command
}
