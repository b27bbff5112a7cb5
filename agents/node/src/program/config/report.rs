//! The section `[report]`: what to look at on this host besides what every host has.

use host_facts::{Settings, WatchedGateway};
use kill_config::{ADDRESS, Section};
use net_model::report::GatewayKind;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Most gateways, and most helpers, of one host.
const MOST: usize = 8;

pub(super) fn read(section: Option<Section<'_>>) -> Settings {
    let Some(mut section) = section else {
        return Settings::default();
    };
    let ollama = section.parse::<SocketAddr>("ollama", ADDRESS);
    let nvidia_smi = path(&mut section, "nvidia_smi", "the path of `nvidia-smi`");
    let helpers = "a list of paths, each the socket of a runtime helper";
    let helpers = section
        .texts("runtime_helpers", helpers)
        .unwrap_or_default();
    let runtime_helpers: Vec<PathBuf> = helpers.iter().map(PathBuf::from).collect();
    if runtime_helpers.len() > MOST || runtime_helpers.iter().any(|path| !path.is_absolute()) {
        let text = format!("expected at most {MOST} absolute paths");
        section.note("runtime_helpers", &text);
    }
    let entries = section.sections("gateways");
    if entries.len() > MOST {
        let text = format!("{} entries; at most {MOST}", entries.len());
        section.note("gateways", &text);
    }
    let gateways = entries.into_iter().filter_map(gateway).collect();
    section.finish();
    Settings {
        ollama,
        gateways,
        nvidia_smi,
        runtime_helpers,
    }
}

fn path(section: &mut Section<'_>, key: &'static str, expected: &str) -> Option<PathBuf> {
    let path = PathBuf::from(section.text(key, expected)?);
    if !path.is_absolute() {
        section.note(key, "expected an absolute path");
    }
    Some(path)
}

fn gateway(mut section: Section<'_>) -> Option<WatchedGateway> {
    let name = section.need_parsed::<kill_wire::Name>("name", "the gateway's name");
    let address = section.need_parsed::<SocketAddr>("address", ADDRESS);
    let kind = match section
        .need("kind", "`own`, `litellm` or `apisix`")
        .as_deref()
    {
        Some("own") => Some(GatewayKind::Own),
        Some("litellm") => Some(GatewayKind::Litellm),
        Some("apisix") => Some(GatewayKind::Apisix),
        Some(other) => {
            let text = format!("`{other}` is not `own`, `litellm` or `apisix`");
            section.note("kind", &text);
            None
        }
        None => None,
    };
    section.finish();
    Some(WatchedGateway {
        name: name?.to_string(),
        kind: kind?,
        address: address?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kill_config::Problems;

    fn of(text: &str) -> (Settings, Vec<String>) {
        let problems = Problems::default();
        let settings = read(Some(Section::root(text.parse().unwrap(), &problems)));
        let problems = problems.into_sorted();
        (settings, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_is_to_be_looked_at_is_read() {
        let (settings, problems) = of(
            "ollama = \"127.0.0.1:11434\"\nnvidia_smi = \"/usr/bin/nvidia-smi\"\nruntime_helpers = [\"/run/portcullis/runtime.sock\"]\n\
             [[gateways]]\nname = \"litellm\"\nkind = \"litellm\"\naddress = \"127.0.0.1:4000\"\n",
        );
        assert!(problems.is_empty(), "{problems:#?}");
        assert_eq!(settings.gateways[0].kind, GatewayKind::Litellm);
        assert_eq!(settings.runtime_helpers.len(), 1);
        assert!(settings.ollama.is_some() && settings.nvidia_smi.is_some());
    }

    #[test]
    fn every_mistake_is_named() {
        let (_, problems) = of(
            "ollama = \"localhost:11434\"\nnvidia_smi = \"nvidia-smi\"\nruntime_helpers = [\"runtime.sock\"]\ncolour = 1\n\
             [[gateways]]\nname = \"litellm\"\nkind = \"nginx\"\naddress = \"127.0.0.1\"\n",
        );
        for part in [
            "ollama",
            "nvidia_smi",
            "runtime_helpers",
            "colour",
            "gateways[0].kind",
            "gateways[0].address",
        ] {
            assert!(
                problems.iter().any(|problem| problem.starts_with(part)),
                "{part}: {problems:#?}"
            );
        }
    }
}
