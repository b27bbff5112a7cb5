//! `[controlplane.oidc]`: the house's OpenID Connect provider, and what its groups may.

use kill_config::{Problem, Problems, Section};
use net_model::{BaseUrl, DashRole, Secret};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::collections::BTreeMap;
use std::path::Path;

/// Most groups of a role.
const MOST_GROUPS: usize = 64;

/// Reads it; relative paths start from `folder`.
pub(super) fn read(
    section: &mut Section<'_>,
    folder: &Path,
    problems: &Problems,
    warnings: &mut Vec<Problem>,
) -> Option<::oidc::Settings> {
    let mut section = section.section("oidc")?;
    let settings = settings(&mut section, folder, problems, warnings);
    section.finish();
    settings
}

fn settings(
    section: &mut Section<'_>,
    folder: &Path,
    problems: &Problems,
    warnings: &mut Vec<Problem>,
) -> Option<::oidc::Settings> {
    let issuer = address(
        section,
        "issuer",
        "the provider's own name of itself, such as `https://id.house.example/realms/house`",
    );
    let base = address(
        section,
        "base_url",
        "the dashboard's address as browsers know it, such as `https://portcullis.house.example`",
    );
    let client_id = section.need("client_id", "the client's name at the provider");
    let secret = secret(section, folder, problems, warnings);
    let scopes = section.texts(
        "scopes",
        "a list of scopes, such as [\"profile\", \"groups\"]",
    );
    let groups_claim = section.text("groups_claim", "the claim that holds the groups");
    let roles = roles(section);
    let authorities = authorities(section, folder);
    for (key, at) in [("issuer", &issuer), ("base_url", &base)] {
        if at.as_deref().is_some_and(plain_far) {
            let text = "this is plain HTTP to another machine: who reads along can sign in as anybody; use https";
            warnings.push(Problem::new(section.key(key), text));
        }
    }
    Some(::oidc::Settings {
        issuer: issuer?,
        client_id: client_id?,
        secret: secret?,
        scopes: scopes.unwrap_or_else(|| vec!["profile".to_owned(), "email".to_owned()]),
        groups_claim: groups_claim.unwrap_or_else(|| "groups".to_owned()),
        roles: roles?,
        base: base?.trim_end_matches('/').to_owned(),
        authorities: authorities?,
    })
}

/// An address, as it is written: an issuer counts byte for byte.
fn address(section: &mut Section<'_>, key: &'static str, expected: &str) -> Option<String> {
    let text = section.need(key, expected)?;
    let web = text.starts_with("https://") || text.starts_with("http://");
    if !web || text.contains(['?', '#', ' ']) || text.parse::<BaseUrl>().is_err() {
        section.note(key, &format!("is not {expected}"));
        return None;
    }
    Some(text)
}

fn plain_far(at: &str) -> bool {
    let Some(rest) = at.strip_prefix("http://") else {
        return false;
    };
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    !(host == "localhost" || host.starts_with("127.") || rest.starts_with("[::1]"))
}

/// The outer none says that a mistake was noted.
fn secret(
    section: &mut Section<'_>,
    folder: &Path,
    problems: &Problems,
    warnings: &mut Vec<Problem>,
) -> Option<Option<Secret>> {
    let expected = "the file with the client's secret";
    let Some(path) = section.text("client_secret_file", expected) else {
        return Some(None);
    };
    let key = section.key("client_secret_file");
    let read = gateway_config::header_secret(&key, &folder.join(path), warnings);
    problems.take(&key, read).map(Some)
}

fn roles(section: &mut Section<'_>) -> Option<BTreeMap<String, DashRole>> {
    let Some(mut table) = section.section("roles") else {
        section.missing(
            "roles",
            "a table with the groups of each role, such as `admin = [\"house-admins\"]`",
        );
        return None;
    };
    let mut found = BTreeMap::new();
    let mut good = true;
    for (key, role) in [
        ("viewer", DashRole::Viewer),
        ("operator", DashRole::Operator),
        ("admin", DashRole::Admin),
    ] {
        let groups = table.texts(key, "a list of groups, such as [\"house-admins\"]");
        for group in groups.unwrap_or_default().into_iter().take(MOST_GROUPS) {
            if group.is_empty() || group.len() > 256 {
                table.note(key, "a group has 1 to 256 characters");
                good = false;
            } else if let Some(other) = found.insert(group.clone(), role) {
                table.note(key, &format!("`{group}` has the role {other} already"));
                good = false;
            }
        }
    }
    if good && found.is_empty() {
        section.note("roles", "no group has a role, so nobody could sign in");
        good = false;
    }
    table.finish();
    good.then_some(found)
}

fn authorities(section: &mut Section<'_>, folder: &Path) -> Option<Vec<CertificateDer<'static>>> {
    let expected = "the file with the certificate of the authority that the provider's is from";
    let Some(path) = section.text("ca_file", expected) else {
        return Some(Vec::new());
    };
    let read = CertificateDer::pem_file_iter(folder.join(path));
    let read = read.and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(all) if !all.is_empty() => Some(all),
        Ok(_) => {
            section.note("ca_file", "holds no certificate");
            None
        }
        Err(why) => {
            section.note("ca_file", &format!("cannot be read: {why}"));
            None
        }
    }
}

/// What only shows when other keys were read too.
pub(super) fn fits(
    settings: Option<&::oidc::Settings>,
    hosts: &[String],
    warnings: &mut Vec<Problem>,
) {
    let Some(settings) = settings else { return };
    let rest = settings.base.split("://").nth(1).unwrap_or_default();
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    let literal = rest.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok();
    if !literal && !answered(host, hosts) {
        let text = format!(
            "browsers come back to `{host}`, which the dashboard does not answer to; add it to `hosts`"
        );
        warnings.push(Problem::new("controlplane.oidc.base_url", text));
    }
}

/// Whether the dashboard answers under this name.
pub(super) fn answered(host: &str, hosts: &[String]) -> bool {
    let same = |one: &String| one.eq_ignore_ascii_case(host);
    host == "localhost" || hosts.iter().any(same)
}

#[cfg(test)]
mod tests {
    use super::super::checked;
    use net_model::DashRole;
    use std::path::Path;

    const GOOD: &str = "[controlplane.oidc]\nissuer = 'https://id.house.example/realms/house'\n\
        base_url = 'https://portcullis.lan/'\nclient_id = 'portcullis'\n";
    const ROLES: &str =
        "[controlplane.oidc.roles]\nadmin = ['house-admins']\nviewer = ['family']\n";

    fn read(text: &str) -> Result<super::super::Config, Vec<String>> {
        let problems = |all: Vec<super::Problem>| all.iter().map(ToString::to_string).collect();
        checked(text.parse().unwrap(), Path::new("/nonexistent")).map_err(problems)
    }

    #[test]
    fn a_provider_is_read() {
        let config = read(&format!("{GOOD}{ROLES}")).unwrap();
        let oidc = config.oidc.unwrap();
        assert_eq!(oidc.issuer, "https://id.house.example/realms/house");
        assert_eq!(oidc.redirect(), "https://portcullis.lan/sign-in/oidc/back");
        assert_eq!(oidc.groups_claim, "groups");
        assert_eq!(oidc.roles["family"], DashRole::Viewer);
        let warned: Vec<String> = config.warnings.iter().map(ToString::to_string).collect();
        assert!(
            warned.iter().any(|line| line.contains("add it to `hosts`")),
            "{warned:?}"
        );
        assert!(read("").unwrap().oidc.is_none());
    }

    #[test]
    fn each_mistake_is_named_at_its_key() {
        let bare = || format!("[controlplane.oidc]\n{ROLES}");
        for (text, key, what) in [
            (bare(), "controlplane.oidc.issuer", ""),
            (bare(), "controlplane.oidc.base_url", ""),
            (bare(), "controlplane.oidc.client_id", ""),
            (
                GOOD.to_owned(),
                "controlplane.oidc.roles",
                "groups of each role",
            ),
            (
                GOOD.replace("https://id", "id"),
                "controlplane.oidc.issuer",
                "is not",
            ),
            (
                format!("{GOOD}[controlplane.oidc.roles]\n"),
                "controlplane.oidc.roles",
                "nobody could sign in",
            ),
            (
                format!("{GOOD}[controlplane.oidc.roles]\nadmin = ['a']\nviewer = ['a']\n"),
                "controlplane.oidc.roles.admin",
                "has the role viewer already",
            ),
            (
                format!("{GOOD}[controlplane.oidc.roles]\nowner = ['a']\n"),
                "controlplane.oidc.roles.owner",
                "",
            ),
            (
                format!("{GOOD}client_secret_file = 'none'\n{ROLES}"),
                "controlplane.oidc.client_secret_file",
                "",
            ),
            (
                format!("{GOOD}ca_file = 'none'\n{ROLES}"),
                "controlplane.oidc.ca_file",
                "cannot be read",
            ),
            (
                format!("{GOOD}secret = 'x'\n{ROLES}"),
                "controlplane.oidc.secret",
                "",
            ),
        ] {
            let found = read(&text).unwrap_err();
            let named =
                |line: &String| line.starts_with(&format!("{key}: ")) && line.contains(what);
            assert!(found.iter().any(named), "{key}: {found:?}");
        }
    }
}
