//! `node-agent runtime-helper`: does four things with named containers for an agent that has no right to their engine.

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use host_facts::{EngineSettings, HelperServer, HelperSettings};
use net_model::report::Engine;
use std::path::PathBuf;

pub(super) const EXAMPLES: &str = "\
Examples:
  node-agent runtime-helper --user portcullis-agent --engine docker --container claw
  node-agent runtime-helper --user 991 --engine podman --program /usr/bin/podman --container claw --container web

It is started as whoever may command the engine, and answers root and the one user that is named. It can inspect, freeze, thaw \
and stop the named containers, and nothing else.";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum EngineName {
    Docker,
    Podman,
}

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where to listen
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/run/portcullis/runtime.sock"
    )]
    socket: PathBuf,
    /// Who may ask, by name or number
    #[arg(long)]
    user: String,
    /// Which engine
    #[arg(long)]
    engine: EngineName,
    /// The engine's program [default: /usr/bin/docker or /usr/bin/podman]
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Where the engine listens, if not at its usual place: `unix:///run/user/1000/docker.sock`
    #[arg(long, value_name = "URL")]
    host: Option<String>,
    /// A container that may be inspected, frozen, thawed and stopped
    #[arg(long, value_name = "NAME", required = true)]
    container: Vec<String>,
}

pub(super) fn serve(arguments: &Arguments) -> anyhow::Result<()> {
    let (engine, usual) = match arguments.engine {
        EngineName::Docker => (Engine::Docker, "/usr/bin/docker"),
        EngineName::Podman => (Engine::Podman, "/usr/bin/podman"),
    };
    let program = arguments.program.clone().unwrap_or_else(|| usual.into());
    if !program.is_absolute() {
        bail!("{} is not an absolute path", program.display());
    }
    let settings = HelperSettings {
        socket: arguments.socket.clone(),
        uid: uid(&arguments.user)?,
        engine: EngineSettings {
            engine,
            program,
            host: arguments.host.clone(),
            containers: arguments.container.clone(),
        },
    };
    let server = HelperServer::bind(settings)
        .with_context(|| format!("cannot listen at {}", arguments.socket.display()))?;
    server.serve().context("the socket is gone")
}

/// The number of a user of this host (`/etc/passwd`, passwd(5)).
fn uid(user: &str) -> anyhow::Result<u32> {
    if let Ok(number) = user.parse() {
        return Ok(number);
    }
    let users = std::fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    let mut fields = users.lines().map(|line| line.split(':'));
    let number = fields.find_map(|mut line| {
        let own = line.next() == Some(user);
        own.then(|| line.nth(1)?.parse().ok()).flatten()
    });
    number.with_context(|| format!("this host has no user `{user}`"))
}
