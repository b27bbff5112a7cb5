//! `[[controlplane.usage_sources]]`: gateways that are not ours and tell of their usage, or are asked for it.

use kill_config::{Problems, Section, listed};
use kill_wire::Name;
use net_model::{KeyHash, Secret};
use std::net::SocketAddr;
use std::path::Path;
use usage_feeds::Kind;

/// Most of them.
const MOST: usize = 16;
/// The embedded gateway's own name in the ledger.
const OWN: &str = "gateway";

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct UsageSource {
    /// Its name in the ledger.
    pub(crate) name: Name,
    /// How its usage comes.
    pub(crate) way: Way,
}

/// How usage comes.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// It posts, in this form, and shows a token.
    Posts(Kind, KeyHash),
    /// LiteLLM with a database is asked: where it stands, and the key it wants.
    Asked(SocketAddr, Secret),
}

/// Reads all of them; relative paths start from `folder`.
pub(super) fn read(
    section: &mut Section<'_>,
    folder: &Path,
    problems: &Problems,
    warnings: &mut Vec<kill_config::Problem>,
) -> Vec<UsageSource> {
    let sections = section.sections("usage_sources");
    if sections.len() > MOST {
        section.note("usage_sources", &format!("at most {MOST} sources"));
    }
    let mut found: Vec<UsageSource> = Vec::new();
    for mut section in sections.into_iter().take(MOST) {
        let source = one(&mut section, folder, problems, warnings);
        if let Some(source) = source {
            let taken =
                source.name.as_str() == OWN || found.iter().any(|other| other.name == source.name);
            if taken {
                section.note("name", &format!("`{}` is taken in the ledger", source.name));
            }
            found.push(source);
        }
        section.finish();
    }
    found
}

fn one(
    section: &mut Section<'_>,
    folder: &Path,
    problems: &Problems,
    warnings: &mut Vec<kill_config::Problem>,
) -> Option<UsageSource> {
    let name = section.need_parsed("name", "a name, such as `litellm`");
    let words = Kind::ALL.map(|(word, _)| word);
    let expected = format!("one of {}", listed(&words));
    let kind = section.need("kind", &expected).and_then(|word| {
        let known = Kind::ALL.into_iter().find(|(name, _)| *name == word);
        if known.is_none() {
            section.note("kind", &format!("expected {expected}"));
        }
        known.map(|(_, kind)| kind)
    });
    let mut secret = |section: &mut Section<'_>, key: &'static str, expected: &str| {
        let path = section.need(key, expected)?;
        let key = section.key(key);
        let read = gateway_config::header_secret(&key, &folder.join(path), warnings);
        problems.take(&key, read)
    };
    if !section.has("at") {
        let token = secret(section, "token_file", "the file with the token it shows");
        return Some(UsageSource {
            name: name?,
            way: Way::Posts(kind?, token?.hash()),
        });
    }
    let at = section.parse("at", "a literal address, such as `127.0.0.1:4000`");
    let key = secret(section, "key_file", "the file with LiteLLM's master key");
    if section.has("token_file") {
        let text = "it is asked (`at`), so it may not post as well: each call would stand in the ledger twice";
        section.note("token_file", text);
        section.skip(["token_file"].into_iter());
    }
    if kind? != Kind::Litellm {
        section.note("at", "only LiteLLM can be asked");
    }
    Some(UsageSource {
        name: name?,
        way: Way::Asked(at?, key?),
    })
}

#[cfg(test)]
mod tests {
    use super::super::checked;
    use super::Way;

    fn read(text: &str) -> Result<super::super::Config, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("t"),
            "0123456789abcdef0123456789abcdef\n",
        )
        .unwrap();
        let problems =
            |all: Vec<kill_config::Problem>| all.iter().map(ToString::to_string).collect();
        checked(text.parse().unwrap(), folder.path()).map_err(problems)
    }

    const SOURCE: &str = "[[controlplane.usage_sources]]\n";

    #[test]
    fn sources_that_post_and_that_are_asked_are_read() {
        let text = format!(
            "{SOURCE}name = 'proxy'\nkind = 'litellm'\ntoken_file = 't'\n{SOURCE}name = 'ledger'\nkind = 'litellm'\nat = '127.0.0.1:4000'\nkey_file = 't'"
        );
        let config = read(&text).unwrap();
        assert!(matches!(config.usage[0].way, Way::Posts(..)));
        assert!(matches!(config.usage[1].way, Way::Asked(..)));
        assert!(!format!("{:?}", config.usage).contains("0123456789abcdef"));
    }

    #[test]
    fn every_mistake_is_named() {
        for (lines, what) in [
            (
                "name = 'gateway'\nkind = 'apisix'\ntoken_file = 't'",
                "taken in the ledger",
            ),
            (
                "name = 'a'\nkind = 'kong'\ntoken_file = 't'",
                "expected one of `litellm`, `apisix`",
            ),
            ("name = 'a'\nkind = 'apisix'", "token_file: missing"),
            (
                "name = 'a'\nkind = 'apisix'\ntoken_file = 'gone'",
                "cannot be read",
            ),
            (
                "name = 'a'\nkind = 'apisix'\nat = '127.0.0.1:1'\nkey_file = 't'",
                "only LiteLLM can be asked",
            ),
            (
                "name = 'a'\nkind = 'litellm'\nat = '127.0.0.1:1'\nkey_file = 't'\ntoken_file = 't'",
                "in the ledger twice",
            ),
            (
                "name = 'a'\nkind = 'litellm'\nat = 'host:1'\nkey_file = 't'",
                "a literal address",
            ),
        ] {
            let found = read(&format!("{SOURCE}{lines}")).unwrap_err();
            assert!(
                found.iter().any(|it| it.contains(what)),
                "{lines}: {found:?}"
            );
        }
        let twice = "name = 'a'\nkind = 'apisix'\ntoken_file = 't'\n";
        let found = read(&format!("{SOURCE}{twice}{SOURCE}{twice}")).unwrap_err();
        assert!(found[0].contains("taken in the ledger"), "{found:?}");
    }
}
