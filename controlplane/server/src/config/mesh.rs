//! The section `[mesh]`: the mesh network beside the walls between zones.

use kill_config::{Problem, Problems, Reading, Section, listed};
use mesh::{ControlKind, ControlSettings, CutSettings, LocalApi};
use net_model::{BaseUrl, HostName, Secret};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

/// Most tags.
const MOST: usize = 16;
/// The grants that count, unless the file says otherwise.
const CAPABILITY: &str = "portcullis.example/cap/dashboard";
/// Longest policy, in bytes.
const MAX_POLICY: u64 = 1024 * 1024;

/// What the file wants of the mesh.
#[derive(Clone, Debug)]
pub(crate) struct MeshSection {
    /// The socket of the service on this machine.
    pub(crate) socket: Option<PathBuf>,
    /// The coordination server.
    pub(crate) control: Option<ControlSettings>,
    /// Under which name the mesh's policy grants people the dashboard.
    pub(crate) capability: String,
    /// What a cut does there.
    pub(crate) cut: CutSettings,
    /// Which node a host is, by its stable id.
    pub(crate) nodes: BTreeMap<HostName, String>,
}

/// `None` without the section: then nobody is asked anything.
pub(super) fn read(section: Option<Section<'_>>, reading: &mut Reading<'_>) -> Option<MeshSection> {
    let mut section = section?;
    let socket = section.text("socket", "the path of the mesh service's socket, or `none`");
    let socket = match socket.as_deref() {
        None => Some(LocalApi::usual().to_owned()),
        Some("none") => None,
        Some(path) => Some(reading.folder.join(path)),
    };
    let capability = capability(&mut section);
    let tags = tags(&mut section);
    let quarantine = policy(&mut section, reading);
    let control = section.section("control");
    let control = control.and_then(|section| control_of(section, reading));
    if control.is_none() && (quarantine.is_some() || !tags.is_empty()) {
        let text = "without [mesh.control] no cut is carried on to the mesh; name the server, or leave this out";
        section.note("control", text);
    }
    let nodes = nodes(section.section("nodes"), reading.problems);
    section.finish();
    Some(MeshSection {
        socket,
        control,
        capability,
        cut: CutSettings { quarantine, tags },
        nodes,
    })
}

fn capability(section: &mut Section<'_>) -> String {
    let key = "capability";
    let expected = "the name of a grant, such as `portcullis.example/cap/dashboard`";
    let name = section.text(key, expected);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    if let Some(name) = &name
        && (name.len() > 128 || !name.contains('/') || !name.chars().all(plain))
    {
        section.note(key, &format!("expected {expected}"));
    }
    name.unwrap_or_else(|| CAPABILITY.to_owned())
}

fn tags(section: &mut Section<'_>) -> Vec<String> {
    let expected = "a list of tags, such as [\"tag:agent\"]";
    let tags = section.texts("agent_tags", expected).unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let good = |tag: &String| {
        let name = tag.strip_prefix("tag:").unwrap_or_default();
        (1..=48).contains(&name.len()) && name.chars().all(plain)
    };
    if tags.len() > MOST || !tags.iter().all(good) {
        section.note(
            "agent_tags",
            &format!("expected at most {MOST} such as `tag:agent`"),
        );
    }
    tags
}

fn policy(section: &mut Section<'_>, reading: &Reading<'_>) -> Option<String> {
    let key = "quarantine_policy_file";
    let path = section.text(
        key,
        "the path of the policy that holds while agents are cut",
    )?;
    let path = reading.folder.join(path);
    let mut text = String::new();
    let read = File::open(&path).and_then(|file| file.take(MAX_POLICY).read_to_string(&mut text));
    match read {
        Ok(_) if !text.trim().is_empty() => Some(text),
        Ok(_) => {
            section.note(key, &format!("`{}` is empty", path.display()));
            None
        }
        Err(why) => {
            section.note(key, &format!("`{}` cannot be read: {why}", path.display()));
            None
        }
    }
}

fn control_of(mut section: Section<'_>, reading: &mut Reading<'_>) -> Option<ControlSettings> {
    let words = ControlKind::ALL.map(ControlKind::as_str);
    let expected = format!("one of {}", listed(&words));
    let kind = section.need("kind", &expected).and_then(|text| {
        let known = ControlKind::ALL.into_iter().find(|it| it.as_str() == text);
        if known.is_none() {
            section.note("kind", &format!("expected {expected}"));
        }
        known
    });
    let url: Option<BaseUrl> =
        section.need_parsed("url", "an address such as https://headscale.lan");
    let key = key_of(&mut section, reading);
    if let Some(url) = &url
        && !url.tls()
    {
        let text = "the API key goes over plain HTTP: whoever listens on the way has it; use https";
        let problem = Problem::new(section.key("url"), text);
        reading.warnings.push(problem);
    }
    section.finish();
    Some(ControlSettings {
        kind: kind?,
        url: url?,
        key: key?,
    })
}

fn key_of(section: &mut Section<'_>, reading: &mut Reading<'_>) -> Option<Secret> {
    let path = section.need("key_file", "the path of a file with the API key")?;
    let at = section.key("key_file");
    let read = gateway_config::header_secret(&at, &reading.folder.join(path), reading.warnings);
    read.map_err(|why| section.note("key_file", &why)).ok()
}

/// `[mesh.nodes.HOST]`, each with the stable id of its node.
fn nodes(section: Option<Section<'_>>, problems: &Problems) -> BTreeMap<HostName, String> {
    let mut nodes = BTreeMap::new();
    let Some(mut section) = section else {
        return nodes;
    };
    for (name, mut section) in section.named_sections() {
        let key = section.key("");
        let host = problems.take(key.trim_end_matches('.'), name.parse::<HostName>());
        let id = section.need(
            "id",
            "the stable id of its node, as `portcullis mesh` shows it",
        );
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if let Some(id) = &id
            && (id.is_empty() || id.len() > 64 || !id.chars().all(plain))
        {
            section.note("id", "expected 1 to 64 letters, digits, `-` or `_`");
        }
        section.finish();
        if let (Some(host), Some(id)) = (host, id) {
            if nodes.values().any(|other| *other == id) {
                problems.note(Problem::new(
                    format!("{key}id"),
                    "one node cannot be two hosts",
                ));
            }
            nodes.insert(host, id);
        }
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::super::checked;
    use super::*;

    fn read_in(text: &str) -> Result<(MeshSection, Vec<String>), Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("api.key");
        std::fs::write(&secret, "hskey-api-5e7").unwrap();
        let mut mode = std::fs::metadata(&secret).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o600);
        std::fs::set_permissions(&secret, mode).unwrap();
        std::fs::write(folder.path().join("cut.hujson"), "{\"acls\": []}").unwrap();
        let lines = |problems: &[Problem]| problems.iter().map(ToString::to_string).collect();
        match checked(text.parse().unwrap(), folder.path()) {
            Ok(config) => Ok((config.mesh.unwrap(), lines(&config.warnings))),
            Err(problems) => Err(lines(&problems)),
        }
    }

    #[test]
    fn a_whole_section_is_read() {
        let (mesh, warnings) = read_in(
            "[mesh]\nagent_tags = [\"tag:agent\"]\nquarantine_policy_file = \"cut.hujson\"\n[mesh.control]\nkind = \"headscale-v1\"\nurl = \"http://headscale.lan:8080\"\nkey_file = \"api.key\"\n[mesh.nodes.claw1]\nid = \"nCLAW1CNTRL\"\n",
        )
        .unwrap();
        assert_eq!(mesh.socket.as_deref(), Some(LocalApi::usual()));
        assert_eq!(mesh.cut.quarantine.as_deref(), Some("{\"acls\": []}"));
        assert_eq!(mesh.nodes.len(), 1);
        assert!(
            warnings.iter().any(|it| it.contains("plain HTTP")),
            "{warnings:?}"
        );
        assert!(!format!("{mesh:?}").contains("hskey"));
    }

    #[test]
    fn every_mistake_is_named() {
        let found = read_in(
            "[mesh]\ncapability = \"dashboard\"\nagent_tags = [\"agent\"]\nquarantine_policy_file = \"absent\"\nsokcet = \"none\"\n[mesh.control]\nkind = \"headscale\"\nurl = \"headscale.lan\"\n[mesh.nodes.claw1]\nid = \"n1\"\n[mesh.nodes.claw2]\nid = \"n1\"\n[mesh.nodes.claw3]\nid = \"../x\"\n",
        )
        .unwrap_err();
        for part in [
            "mesh.capability: expected the name of a grant",
            "mesh.agent_tags: expected at most",
            "mesh.quarantine_policy_file: ",
            "mesh.sokcet: unknown key; did you mean `socket`?",
            "mesh.control.kind: expected one of",
            "mesh.control.url: ",
            "mesh.control.key_file: missing",
            "mesh.nodes.claw2.id: one node cannot be two hosts",
            "mesh.nodes.claw3.id: expected 1 to 64",
        ] {
            assert!(
                found.iter().any(|it| it.starts_with(part)),
                "{part}: {found:#?}"
            );
        }
    }

    #[test]
    fn what_a_cut_could_never_do_is_a_mistake() {
        let found = read_in("[mesh]\nagent_tags = [\"tag:agent\"]\n").unwrap_err();
        assert!(found[0].starts_with("mesh.control: without"), "{found:?}");
    }
}
