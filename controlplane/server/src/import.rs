//! `portcullis import`: reads an existing set-up, shows what it found, writes a configuration. Changes nothing there.

mod apisix;
mod found;
mod litellm;
mod source;
mod table;

use crate::out::Out;
use crate::{http, private};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use found::Found;
use net_model::BaseUrl;
use serde::Serialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// At the end of each `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  portcullis import litellm --file config.yaml
  portcullis import litellm --file config.yaml --write portcullis.toml
  portcullis import litellm --at http://127.0.0.1:4000 --key-file litellm.key
  portcullis import apisix --at http://127.0.0.1:9180 --key-file admin.key --write portcullis.toml
  portcullis import apisix --file conf/apisix.yaml --json | jq '.left'

Only reads: files, and GET. Nothing is changed there. Secrets are never copied: the written file names files
to put them in, and the table says where each stands now.";

#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// From an APISIX: its admin API, or the apisix.yaml of a standalone one
    #[command(after_long_help = EXAMPLES)]
    Apisix(ImportArgs),
    /// From a LiteLLM: its config.yaml, or its API
    #[command(after_long_help = EXAMPLES)]
    Litellm(LitellmArgs),
}

/// Where to read, and where to write.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Read this file
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "at",
        conflicts_with = "at"
    )]
    file: Option<PathBuf>,
    /// Ask the server that stands there
    #[arg(long, value_name = "URL", requires = "key_file")]
    at: Option<BaseUrl>,
    /// The file with the key that it asks for
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Write what was found as a configuration
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Write it also where there is such a file already
    #[arg(long, requires = "write")]
    replace: bool,
}

/// Of a LiteLLM.
#[derive(Debug, Args)]
pub(crate) struct LitellmArgs {
    #[command(flatten)]
    args: ImportArgs,
    /// Where LiteLLM itself serves, for models that stay behind it [default: what --at says, or port 4000 of this machine]
    #[arg(long, value_name = "URL")]
    serves: Option<BaseUrl>,
}

/// Reads, shows, writes.
pub(crate) fn run(command: &ImportCommand, json: bool) -> anyhow::Result<()> {
    let (args, found) = match command {
        ImportCommand::Apisix(args) => (args, from_apisix(args)?),
        ImportCommand::Litellm(of) => (&of.args, from_litellm(of)?),
    };
    let written = match &args.write {
        Some(path) => Some((path.as_path(), write(path, args.replace, &found)?)),
        None => None,
    };
    let mut out = Out::stdout();
    if json {
        let file = written.map(|(path, replaced)| json!({ "file": path, "replaced": replaced }));
        out.json(&json!({ "found": found, "written": file }))?;
        return Ok(());
    }
    table::show(&mut out, &found)?;
    match written {
        Some((path, replaced)) => {
            let path = path.display();
            let how = if replaced { "replaced" } else { "written" };
            out.line(format_args!("{path} was {how}. Make the files above, then: portcullis config check --config {path}"))?;
        }
        None => out.line("Nothing was written; --write FILE writes a configuration.")?,
    }
    Ok(())
}

fn from_litellm(of: &LitellmArgs) -> anyhow::Result<Found> {
    let args = &of.args;
    let (config, keys, source) = match (&args.file, &args.at, &args.key_file) {
        (Some(file), _, _) => (source::file(file)?, Vec::new(), file.display().to_string()),
        (None, Some(at), Some(key)) => {
            let (config, keys) = http::block_on(source::litellm(at, key))?;
            (config, keys, at.to_string())
        }
        _ => bail!("say --file FILE, or --at URL and --key-file FILE"),
    };
    let asked = of.serves.as_ref().or(args.at.as_ref()).cloned();
    let own = asked.map_or_else(|| "http://127.0.0.1:4000".parse(), Ok)?;
    let own: BaseUrl = if own.prefix().is_empty() {
        own.join("/v1").parse()?
    } else {
        own
    };
    let mut found = Found {
        source,
        ..Found::default()
    };
    litellm::read(&config, &own, &mut found);
    litellm::keys(&keys, &mut found);
    Ok(found)
}

fn from_apisix(args: &ImportArgs) -> anyhow::Result<Found> {
    let (all, source): (Value, String) = match (&args.file, &args.at, &args.key_file) {
        (Some(file), _, _) => (source::file(file)?, file.display().to_string()),
        (None, Some(at), Some(key)) => {
            let all = http::block_on(source::apisix(at, key, &apisix::KINDS))?;
            (all, at.to_string())
        }
        _ => bail!("say --file FILE, or --at URL and --key-file FILE"),
    };
    let mut found = Found {
        source,
        ..Found::default()
    };
    apisix::read(&all, &mut found);
    Ok(found)
}

/// True when a file was replaced.
fn write(path: &Path, replace: bool, found: &Found) -> anyhow::Result<bool> {
    let there = path.symlink_metadata().is_ok();
    if there && !replace {
        bail!(
            "{} is there already; nothing was written. --replace writes over it",
            path.display()
        );
    }
    private::write(path, &toml_of(found)?)?;
    Ok(there)
}

#[derive(Serialize)]
struct File<'a> {
    gateway: Gateway<'a>,
}

#[derive(Serialize)]
struct Gateway<'a> {
    targets: &'a [found::FoundTarget],
    routes: &'a [found::FoundRoute],
    consumers: &'a [found::FoundConsumer],
}

/// The configuration: every value by its type, and no secret, since there is none in what was found.
fn toml_of(found: &Found) -> anyhow::Result<String> {
    let file = File {
        gateway: Gateway {
            targets: &found.targets,
            routes: &found.routes,
            consumers: &found.consumers,
        },
    };
    let mut text = format!(
        "# What `portcullis import` found in {}.\n",
        found::printable(&found.source)
    );
    if !found.secrets.is_empty() {
        text.push_str("#\n# Files to make, readable by their owner alone; paths start from this file's folder:\n");
        for secret in &found.secrets {
            text.push_str(&format!("#   {}: {}\n", secret.file, secret.from));
        }
    }
    if !found.left.is_empty() {
        text.push_str("#\n# Not carried over:\n");
        for left in &found.left {
            text.push_str(&format!("#   {}: {}\n", left.what, left.why));
        }
    }
    text.push('\n');
    text.push_str(&toml::to_string(&file).context("what was found cannot be written as TOML")?);
    Ok(text)
}

#[cfg(test)]
mod tests;
