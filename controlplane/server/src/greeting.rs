//! What `portcullis up` says when everything runs: where things are, and lines to copy.

use crate::enrol;
use crate::out::{Out, Paint, shell_word};
use crate::paths::Home;
use kill_core::Person;
use net_model::Secret;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// How this program is called again with the same data folder, as shell words.
#[derive(Debug)]
pub(crate) struct Invocation {
    program: String,
    flags: String,
}

impl Invocation {
    /// From how it was called this time.
    pub(crate) fn of(home: &Home, config: Option<&Path>) -> Self {
        let mut flags = String::new();
        let by_env = std::env::var_os("PORTCULLIS_DATA").is_some();
        if !home.is_default() && !by_env {
            flags = format!(" --data {}", shell_word(&home.root().to_string_lossy()));
        }
        if let Some(config) = config
            && std::env::var_os("PORTCULLIS_CONFIG").is_none()
        {
            flags.push_str(" --config ");
            flags.push_str(&shell_word(&config.to_string_lossy()));
        }
        Self {
            program: program(),
            flags,
        }
    }

    /// A command line.
    pub(crate) fn line(&self, command: &str) -> String {
        format!("{} {command}{}", self.program, self.flags)
    }
}

/// `portcullis` when the shell would find this very program by that name, else its path, short.
fn program() -> String {
    let Ok(this) = std::env::current_exe() else {
        return "portcullis".to_owned();
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join("portcullis"))
        .find(|file| file.is_file())
        .and_then(|file| file.canonicalize().ok());
    if found.is_some_and(|found| this.canonicalize().is_ok_and(|this| this == found)) {
        return "portcullis".to_owned();
    }
    let here = std::env::current_dir().unwrap_or_default();
    match this.strip_prefix(&here) {
        Ok(below) => shell_word(&format!("./{}", below.display())),
        Err(_) => shell_word(&this.to_string_lossy()),
    }
}

/// What answers model calls.
#[derive(Clone, Debug)]
pub(crate) enum Model {
    /// The configuration's targets.
    Configured,
    /// Ollama on this machine; a model it has.
    Ollama(Option<String>),
    /// The built-in demo model.
    Demo,
}

/// What runs where.
#[derive(Debug)]
pub(crate) struct Running {
    /// The dashboard; why not, if it does not run.
    pub(crate) dashboard: Result<SocketAddr, String>,
    /// Where the dashboard is opened over the mesh.
    pub(crate) over_mesh: Option<SocketAddr>,
    /// The kill switch.
    pub(crate) killswitch: SocketAddr,
    /// The gateway.
    pub(crate) gateway: SocketAddr,
    /// The agent.
    pub(crate) agent: SocketAddr,
    /// What answers.
    pub(crate) model: Model,
    /// A file with a consumer's key for the line to copy; `None` when the configuration has its own consumers.
    pub(crate) key_file: Option<PathBuf>,
}

/// What only the first start shows.
#[derive(Debug)]
pub(crate) struct Secrets {
    /// The one-time sign-in link.
    pub(crate) link: String,
    /// The consumer's key.
    pub(crate) consumer_key: Secret,
    /// The person whose keys were made.
    pub(crate) owner: Person,
}

/// Prints it; `secrets` at the first start only.
pub(crate) fn print(
    say: &Invocation,
    home: &Home,
    running: &Running,
    secrets: Option<&Secrets>,
) -> anyhow::Result<()> {
    let mut out = Out::stdout();
    if let Some(secrets) = secrets {
        out.line("Two keys, for any authenticator app. To see them again:")?;
        let again = say.line(&format!("codes qr {}", secrets.owner.name));
        out.line(format_args!("  {again}"))?;
        out.gap()?;
        enrol::show(&mut out, &secrets.owner)?;
        out.line(format_args!("Saved as SVG in {}", home.enrol().display()))?;
        out.gap()?;
    }
    let title = format!("Portcullis {} is up", env!("CARGO_PKG_VERSION"));
    out.line(out.paint(Paint::Bold, &title))?;
    addresses(&mut out, home, running)?;
    match secrets {
        Some(secrets) => {
            row(&mut out, "sign in", &secrets.link)?;
            row(&mut out, "consumer key", secrets.consumer_key.expose())?;
        }
        None => row(
            &mut out,
            "sign in",
            &format!("{}   (prints a one-time link)", say.line("sign-in")),
        )?,
    }
    out.gap()?;
    tour(&mut out, say, running)?;
    Ok(())
}

fn row(out: &mut Out, name: &str, value: &str) -> std::io::Result<()> {
    out.line(format_args!("  {name:<13} {value}"))
}

fn addresses(out: &mut Out, home: &Home, running: &Running) -> std::io::Result<()> {
    match &running.dashboard {
        Ok(address) => row(out, "dashboard", &format!("http://{address}/"))?,
        Err(why) => {
            let text = out.paint(Paint::Red, &format!("does not run: {why}"));
            row(out, "dashboard", &text)?;
        }
    }
    if let Some(at) = running.over_mesh {
        row(out, "over the mesh", &format!("http://{at}/"))?;
    }
    row(out, "gateway", &format!("http://{}/v1", running.gateway))?;
    row(
        out,
        "kill switch",
        &format!("http://{}/v1/inbound/", running.killswitch),
    )?;
    row(out, "node agent", &running.agent.to_string())?;
    let model = match &running.model {
        Model::Configured => "as configured".to_owned(),
        Model::Ollama(_) => "Ollama at 127.0.0.1:11434".to_owned(),
        Model::Demo => out.paint(
            Paint::Yellow,
            "built-in demo: canned text, not a real model",
        ),
    };
    row(out, "model", &model)?;
    row(out, "state", &home.root().display().to_string())
}

fn tour(out: &mut Out, say: &Invocation, running: &Running) -> std::io::Result<()> {
    let model = match &running.model {
        Model::Demo => crate::demo_model::MODEL.to_owned(),
        Model::Ollama(Some(name)) => name.clone(),
        Model::Ollama(None) | Model::Configured => "MODEL".to_owned(),
    };
    let key = running.key_file.as_ref().map_or_else(
        || "$KEY".to_owned(),
        |file| format!("$(cat {})", shell_word(&file.to_string_lossy())),
    );
    // By hand, so that it reads in the order people write it.
    let body = format!(
        r#"{{"model":{},"stream":true,"messages":[{{"role":"user","content":"Tell me a long story."}}]}}"#,
        serde_json::Value::String(model)
    );
    let text = |message: &str, codes: &str| {
        say.line(&format!("text \"{message} $({})\"", say.line(codes)))
    };
    let mut step = |what: &str, line: String| {
        out.line(out.paint(Paint::Bold, what))?;
        out.line(format_args!("  {line}"))
    };
    step(
        "Start a stream, in a second terminal:",
        format!(
            "curl -N http://{}/v1/chat/completions -H \"Authorization: Bearer {key}\" -H 'Content-Type: application/json' -d {}",
            running.gateway,
            shell_word(&body)
        ),
    )?;
    step(
        "Cut it by text message, in a third:",
        text("KILL", "codes now --kill"),
    )?;
    step(
        "Bring it back:",
        text("RESTORE ALL", "codes now --restore --next"),
    )?;
    out.line(out.paint(
        Paint::Dim,
        "A code works once and changes every 30 s: for a second round wait for the next one.",
    ))
}
