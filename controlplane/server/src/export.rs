//! `portcullis export litellm`: a configuration for LiteLLM out of our targets and routes. Secrets are named by environment
//! variables and never written.

use crate::config::{self, Fallback};
use crate::out::Out;
use anyhow::{Context as _, bail};
use clap::Subcommand;
use kill_wire::{Class, Name};
use net_model::{KeyHash, ModelPattern, Route, Target, TargetKind};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// At the end of each `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  portcullis export litellm > litellm.yaml
  portcullis export litellm --config /etc/portcullis/portcullis.toml
  portcullis export litellm --json | jq '.environment'

Every secret is an `os.environ/NAME`; the first lines say which file of this house each comes from.";

#[derive(Debug, Subcommand)]
pub(crate) enum ExportCommand {
    /// A config.yaml for LiteLLM
    #[command(after_long_help = EXAMPLES)]
    Litellm,
}

/// Prints it.
pub(crate) fn run(command: &ExportCommand, file: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let ExportCommand::Litellm = command;
    let config = config::read(file)?;
    if !config.gateway.has_targets() {
        bail!("the configuration names no [[gateway.targets]] that LiteLLM could lead to");
    }
    let table = config.gateway.table(&unused()?);
    let table = table.map_err(|problems| kill_config::BadConfig {
        file: file.map(Path::to_owned),
        problems,
    })?;
    let made = litellm(table.targets(), table.routes());
    let mut out = Out::stdout();
    if json {
        let names: Vec<Value> = made
            .environment
            .iter()
            .map(|(name, target)| json!({ "name": name, "secret_file_of": target }))
            .collect();
        out.json(&json!({ "config": made.config, "environment": names, "left": made.left }))?;
        return Ok(());
    }
    out.line("# Made by `portcullis export litellm`. Set in LiteLLM's environment:")?;
    out.line("#   LITELLM_MASTER_KEY: a long random key that starts with sk-")?;
    for (name, target) in &made.environment {
        out.line(format_args!(
            "#   {name}: what secret_file of target {target} holds"
        ))?;
    }
    for left in &made.left {
        out.line(format_args!("# {left}"))?;
    }
    let text = serde_saphyr::to_string(&made.config).context("it cannot be written as YAML")?;
    out.line(text.trim_end())?;
    Ok(())
}

#[derive(Debug)]
struct Made {
    config: Value,
    /// Variable, and the target whose secret it is.
    environment: Vec<(String, Name)>,
    left: Vec<String>,
}

/// What stands in where the file names no consumer; none is exported.
fn unused() -> anyhow::Result<Fallback> {
    Ok(Fallback {
        target: Target::new(
            "unused".parse()?,
            Class::Local,
            "http://127.0.0.1/v1".parse()?,
        ),
        key: KeyHash::of(b"nobody"),
    })
}

fn litellm(targets: &[Target], routes: &[Route]) -> Made {
    let (mut models, mut environment, mut left) = (Vec::new(), Vec::new(), Vec::new());
    let mut done = BTreeSet::new();
    for route in routes {
        for target in route.targets.iter().filter_map(|at| targets.get(*at)) {
            let Some(provider) = provider(target.kind) else {
                left.push(format!(
                    "route {}: target {} is a LiteLLM itself",
                    route.name, target.name
                ));
                continue;
            };
            for asked in route.models.iter().map(ModelPattern::as_str) {
                if !done.insert((asked.to_owned(), target.name.clone())) {
                    continue;
                }
                let key = if target.key.is_some() {
                    let name = variable(&target.name);
                    if !environment.iter().any(|(known, _)| *known == name) {
                        environment.push((name.clone(), target.name.clone()));
                    }
                    format!("os.environ/{name}")
                } else {
                    // LiteLLM's client of OpenAI's API wants one; the server does not.
                    "none".to_owned()
                };
                let params = json!({
                    "model": format!("{provider}/{}", target.model(asked)),
                    "api_base": base(target),
                    "api_key": key,
                });
                models.push(json!({ "model_name": asked, "litellm_params": params }));
            }
        }
    }
    let config = json!({
        "model_list": models,
        "general_settings": { "master_key": "os.environ/LITELLM_MASTER_KEY" },
        // Trying again and falling back is decided where it is counted and shown.
        "litellm_settings": { "num_retries": 0, "telemetry": false, "turn_off_message_logging": true },
    });
    Made {
        config,
        environment,
        left,
    }
}

const fn provider(kind: TargetKind) -> Option<&'static str> {
    match kind {
        TargetKind::OpenAiCompatible | TargetKind::OpenAi => Some("openai"),
        TargetKind::Ollama => Some("ollama_chat"),
        TargetKind::Anthropic => Some("anthropic"),
        TargetKind::Litellm => None,
    }
}

/// LiteLLM puts `/v1` to Anthropic's and Ollama's addresses by itself.
fn base(target: &Target) -> String {
    let whole = target.base_url.to_string();
    match target.kind {
        TargetKind::Ollama | TargetKind::Anthropic => whole
            .strip_suffix("/v1")
            .map_or(whole.clone(), str::to_owned),
        TargetKind::OpenAiCompatible | TargetKind::OpenAi | TargetKind::Litellm => whole,
    }
}

fn variable(target: &Name) -> String {
    let upper = target.as_str().to_ascii_uppercase();
    let plain = upper.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    format!("PORTCULLIS_{plain}_KEY")
}

#[cfg(test)]
mod tests {
    use super::*;
    use kill_wire::RouteKind;
    use net_model::{Renamed, Secret};

    #[test]
    fn secrets_are_named_and_never_written() {
        let mut box_ = Target::new(
            "box".parse().unwrap(),
            Class::Local,
            "http://10.0.0.7:11434/v1".parse().unwrap(),
        );
        box_.kind = TargetKind::Ollama;
        let mut sky = Target::new(
            "my-sky".parse().unwrap(),
            Class::Cloud,
            "https://api.example/v1".parse().unwrap(),
        );
        sky.key = Some(Secret::new("sk-very-secret").unwrap());
        sky.models.push(Renamed {
            asked: "chat".to_owned(),
            sent: "gpt-4o".to_owned(),
        });
        let mut proxy = Target::new(
            "proxy".parse().unwrap(),
            Class::Cloud,
            "http://10.0.0.8:4000/v1".parse().unwrap(),
        );
        proxy.kind = TargetKind::Litellm;
        let routes = [Route {
            name: "r".parse().unwrap(),
            kind: RouteKind::Llm,
            models: ["chat", "*"]
                .map(|it| ModelPattern::new(it).unwrap())
                .to_vec(),
            targets: vec![0, 1, 2],
        }];
        let made = litellm(&[box_, sky, proxy], &routes);
        let yaml = serde_saphyr::to_string(&made.config).unwrap();
        assert!(!yaml.contains("sk-very-secret"), "{yaml}");
        let read: Value = serde_saphyr::from_str(&yaml).unwrap();
        assert_eq!(read, made.config, "{yaml}");
        let models = read["model_list"].as_array().unwrap();
        assert_eq!(models.len(), 4);
        assert_eq!(models[0]["litellm_params"]["model"], "ollama_chat/chat");
        assert_eq!(
            models[0]["litellm_params"]["api_base"],
            "http://10.0.0.7:11434"
        );
        assert_eq!(models[2]["litellm_params"]["model"], "openai/gpt-4o");
        assert_eq!(
            models[2]["litellm_params"]["api_key"],
            "os.environ/PORTCULLIS_MY_SKY_KEY"
        );
        assert_eq!(
            made.environment,
            [(
                "PORTCULLIS_MY_SKY_KEY".to_owned(),
                "my-sky".parse().unwrap()
            )]
        );
        assert!(made.left[0].contains("is a LiteLLM itself"));
    }
}
