//! The section `[controlplane]`: where the dashboard is opened, and under which names.

use super::MeshSection;
use super::oidc as provider;
use super::passkeys as keys;
use super::usage_sources::{self, UsageSource};
use kill_config::{Problem, Problems, Section, listen, loopback};
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

/// What the file wants of the dashboard.
#[derive(Debug)]
pub(super) struct ControlplaneSection {
    /// Where dashboard and API listen.
    pub(super) listen: SocketAddr,
    /// Names besides `localhost` under which a browser may call it.
    pub(super) hosts: Vec<String>,
    /// This machine's address on the mesh, where it listens besides and knows people by the mesh.
    pub(super) over_mesh: Option<SocketAddr>,
    /// Gateways that are not ours and tell of their usage.
    pub(super) usage: Vec<UsageSource>,
    /// Who signs people in.
    pub(super) oidc: Option<::oidc::Settings>,
    /// Where passkeys count.
    pub(super) passkeys: Option<::passkeys::Settings>,
}

pub(super) fn read(
    section: Option<Section<'_>>,
    folder: &Path,
    problems: &Problems,
    warnings: &mut Vec<Problem>,
) -> ControlplaneSection {
    let Some(mut section) = section else {
        return ControlplaneSection {
            listen: loopback(7410),
            hosts: Vec::new(),
            over_mesh: None,
            usage: Vec::new(),
            oidc: None,
            passkeys: None,
        };
    };
    let listen = listen(&mut section, 7410);
    let over_mesh = over_mesh(&mut section, listen);
    let hosts = hosts(&mut section, problems);
    let usage = usage_sources::read(&mut section, folder, problems, warnings);
    let oidc = provider::read(&mut section, folder, problems, warnings);
    provider::fits(oidc.as_ref(), &hosts, warnings);
    let passkeys = keys::read(&mut section, oidc.as_ref(), &hosts, warnings);
    section.finish();
    warnings.extend(plain_http(listen));
    ControlplaneSection {
        listen,
        hosts,
        over_mesh,
        usage,
        oidc,
        passkeys,
    }
}

fn over_mesh(section: &mut Section<'_>, own: SocketAddr) -> Option<SocketAddr> {
    let key = "mesh_listen";
    let expected =
        "this machine's literal address on the mesh and a port, such as `100.64.0.1:7410`";
    let at: SocketAddr = section.parse(key, expected)?;
    let ip = at.ip().to_canonical();
    let text = if ip.is_loopback() {
        format!("`{at}` is this machine alone, where nobody calls over the mesh")
    } else if ip.is_unspecified() {
        format!("`{at}` is everywhere; write {expected}")
    } else if ip.is_multicast() || ip == IpAddr::from([255; 4]) {
        format!("`{at}` is nobody's address; write {expected}")
    } else if at.port() == 0 {
        format!("`{at}` has no port")
    } else if at.port() == own.port() && (own.ip().is_unspecified() || own.ip() == at.ip()) {
        format!("`{at}` is taken by `listen`; let that one listen at another address or port")
    } else {
        return Some(at);
    };
    section.note(key, &text);
    None
}

fn hosts(section: &mut Section<'_>, problems: &Problems) -> Vec<String> {
    let key = section.key("hosts");
    let hosts = section.texts(
        "hosts",
        "a list of host names, such as [\"portcullis.lan\"]",
    );
    let hosts = hosts.unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    for (at, host) in hosts.iter().enumerate() {
        if host.is_empty() || host.len() > 253 || !host.chars().all(plain) {
            let short: String = host.chars().take(60).collect();
            let text =
                format!("`{short}` is not a host name without port, such as `portcullis.lan`");
            problems.note(Problem::new(format!("{key}[{at}]"), text));
        }
    }
    hosts
}

/// What only shows when other sections were read too.
pub(super) fn fits(section: &ControlplaneSection, mesh: Option<&MeshSection>, problems: &Problems) {
    if section.over_mesh.is_some() && mesh.is_none_or(|mesh| mesh.socket.is_none()) {
        let text = "without the mesh's service on this machine nobody can say who calls; write [mesh] with its socket";
        problems.note(Problem::new("controlplane.mesh_listen", text));
    }
}

/// What works but should be looked at.
fn plain_http(controlplane: SocketAddr) -> Option<Problem> {
    let text = format!(
        "`{controlplane}` is not a loopback address and the dashboard speaks plain HTTP; put a TLS proxy in front"
    );
    let open = !controlplane.ip().is_loopback();
    open.then(|| Problem::new("controlplane.listen", text))
}

#[cfg(test)]
mod tests {
    use super::super::checked;
    use std::path::Path;

    fn read(text: &str) -> Result<super::super::Config, Vec<String>> {
        let problems = |all: Vec<super::Problem>| all.iter().map(ToString::to_string).collect();
        checked(text.parse().unwrap(), Path::new("/nonexistent")).map_err(problems)
    }

    #[test]
    fn an_address_on_the_mesh_is_read() {
        for at in ["100.64.0.1:7410", "[fd7a:115c:a1e0::1]:7410"] {
            let config = read(&format!("[mesh]\n[controlplane]\nmesh_listen = \"{at}\"")).unwrap();
            assert_eq!(config.over_mesh.unwrap().to_string(), at);
            assert_eq!(
                config.mesh.unwrap().capability,
                "portcullis.example/cap/dashboard"
            );
        }
        assert!(read("[mesh]").unwrap().over_mesh.is_none());
    }

    #[test]
    fn what_is_no_address_on_the_mesh_is_named() {
        for (at, what) in [
            ("127.0.0.1:7410", "is this machine alone"),
            ("127.0.0.2:7410", "is this machine alone"),
            ("[::1]:7410", "is this machine alone"),
            ("[::ffff:127.0.0.1]:7410", "is this machine alone"),
            ("0.0.0.0:7410", "is everywhere"),
            ("[::]:7410", "is everywhere"),
            ("224.0.0.1:7410", "is nobody's address"),
            ("255.255.255.255:1", "is nobody's address"),
            ("100.64.0.1:0", "has no port"),
            ("100.64.0.1:7000", "is taken by `listen`"),
            (
                "mgmt.house.example:7410",
                "is not this machine's literal address",
            ),
        ] {
            let text = format!(
                "[mesh]\n[controlplane]\nlisten = \"100.64.0.1:7000\"\nmesh_listen = \"{at}\""
            );
            let found = read(&text).unwrap_err();
            assert!(
                found.len() == 1
                    && found[0].starts_with("controlplane.mesh_listen: ")
                    && found[0].contains(what),
                "{at}: {found:?}"
            );
        }
        let taken =
            "[mesh]\n[controlplane]\nlisten = \"0.0.0.0:7410\"\nmesh_listen = \"100.64.0.1:7410\"";
        assert!(read(taken).unwrap_err()[0].contains("is taken by `listen`"));
    }

    #[test]
    fn without_the_service_of_this_machine_it_is_a_mistake() {
        for mesh in ["", "[mesh]\nsocket = \"none\"\n"] {
            let text = format!("{mesh}[controlplane]\nmesh_listen = \"100.64.0.1:7410\"");
            let found = read(&text).unwrap_err();
            assert!(found[0].contains("nobody can say who calls"), "{found:?}");
        }
    }
}
