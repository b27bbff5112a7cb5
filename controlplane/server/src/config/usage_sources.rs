//! `[[controlplane.usage_sources]]`: gateways that are not ours and tell of their usage, or are asked for it.

use gateway_config::{DriverWish, WantedWish};
use kill_config::{Problem, Problems, Section, listed};
use kill_wire::Name;
use net_model::{KeyHash, ModelPattern, Secret};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use usage_feeds::{Kind, Known};

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
    /// An APISIX is asked for its counters: where it tells them, and what they do not say.
    Counted(SocketAddr, Known),
}

/// Most patterns, or first choices, of one source.
const MOST_LOCAL: usize = 64;

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
    if section.has("metrics") {
        return by_counters(section, name, kind?);
    }
    if section.has("local") {
        let text = "what is local is told with `metrics` alone; a gateway that posts says `class` in its rows";
        section.note("local", text);
        section.skip(["local"].into_iter());
    }
    if section.has("first_choices") {
        let text = "is told with `metrics` alone; a gateway that posts says in its rows in whose place a target answered";
        section.note("first_choices", text);
        section.skip(["first_choices"].into_iter());
    }
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

/// An APISIX that is asked for its counters. It says no call twice where it says it in one way alone.
fn by_counters(section: &mut Section<'_>, name: Option<Name>, kind: Kind) -> Option<UsageSource> {
    let at = section.parse("metrics", "a literal address, such as `127.0.0.1:9091`");
    let expected = "a list of instances and models, such as [\"ollama\", \"qwen*\"]";
    let local = section.texts("local", expected).unwrap_or_default();
    if local.len() > MOST_LOCAL {
        section.note("local", &format!("at most {MOST_LOCAL} entries"));
    }
    let read = local.iter().enumerate().filter_map(|(at, text)| {
        let wrong = |why: String| section.note(&format!("local[{at}]"), &why);
        ModelPattern::new(text).map_err(wrong).ok()
    });
    let known = Known {
        local: read.collect(),
        first: first_choices(section),
    };
    for key in ["token_file", "at", "key_file"] {
        if section.has(key) {
            let text = "its counters are read (`metrics`), so its rows may not be taken in as well: each call would stand in the ledger twice; leave one of both out";
            section.note(key, text);
            section.skip([key].into_iter());
        }
    }
    if kind != Kind::Apisix {
        section.note("metrics", "only the counters of an APISIX can be read");
    }
    Some(UsageSource {
        name: name?,
        way: Way::Counted(at?, known),
    })
}

/// Of an APISIX that another host keeps: `route=target`, as in that host's file.
fn first_choices(section: &mut Section<'_>) -> BTreeMap<Name, Name> {
    let expected = "a list of routes with their first targets, such as [\"chat=ollama\"]";
    let texts = section.texts("first_choices", expected).unwrap_or_default();
    if texts.len() > MOST_LOCAL {
        section.note("first_choices", &format!("at most {MOST_LOCAL} entries"));
    }
    let mut first = BTreeMap::new();
    for (at, text) in texts.iter().enumerate() {
        let key = format!("first_choices[{at}]");
        let both = text.split_once('=');
        let both = both.map(|(route, target)| (route.trim().parse(), target.trim().parse()));
        let Some((Ok(route), Ok(target))) = both else {
            section.note(&key, &format!("expected {expected}"));
            continue;
        };
        if first.insert(route, target).is_some() {
            section.note(&key, "the route has a first target already");
        }
    }
    first
}

/// The same sources; those that read the counters of an APISIX of this host know what its routes lead to first.
pub(super) fn followed(
    mut sources: Vec<UsageSource>,
    drivers: &[DriverWish],
    wanted: Option<&WantedWish>,
) -> Vec<UsageSource> {
    let Some(wanted) = wanted else {
        return sources;
    };
    for source in &mut sources {
        let Way::Counted(at, known) = &mut source.way else {
            continue;
        };
        let mut managed = drivers.iter().filter(|driver| driver.is_managed());
        if managed.any(|driver| driver.metrics() == Some(*at)) {
            for (route, target) in wanted.first_choices() {
                known.first.entry(route).or_insert(target);
            }
        }
    }
    sources
}

/// Notes what would put each call into the ledger twice: counters that two sources read, or whose APISIX one of our own
/// drivers has posting its rows.
pub(super) fn once(sources: &[UsageSource], drivers: &[DriverWish], problems: &Problems) {
    let mut read: Vec<(SocketAddr, &Name)> = Vec::new();
    for (n, source) in sources.iter().enumerate() {
        let Way::Counted(at, _) = &source.way else {
            continue;
        };
        let note = |text: String| {
            let key = format!("controlplane.usage_sources[{n}].metrics");
            problems.note(Problem::new(key, text));
        };
        if let Some((_, other)) = read.iter().find(|(other, _)| other == at) {
            note(format!(
                "`{other}` reads these counters already: each call would stand in the ledger twice"
            ));
        }
        let mut posting = drivers.iter().filter(|it| it.posts_usage());
        if let Some(driver) = posting.find(|it| it.metrics() == Some(*at)) {
            note(format!(
                "the driver `{}` has this APISIX post its rows (`usage_to`): each call would stand in the ledger twice; leave one of both out",
                driver.name
            ));
        }
        read.push((*at, &source.name));
    }
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
    fn an_apisix_is_read_by_its_counters_or_posts_its_rows_and_never_both() {
        let counted = "name = 'edge'\nkind = 'apisix'\nmetrics = '127.0.0.1:9091'\nlocal = ['ollama', 'qwen*']\n";
        let config = read(&format!("{SOURCE}{counted}")).unwrap();
        let Way::Counted(at, known) = &config.usage[0].way else {
            panic!("{:?}", config.usage);
        };
        assert_eq!((at.port(), known.local.len()), (9091, 2));
        let both = read(&format!("{SOURCE}{counted}token_file = 't'")).unwrap_err();
        assert!(
            both[0].contains("token_file: its counters are read"),
            "{both:?}"
        );
        let other = "name = 'other'\nkind = 'apisix'\nmetrics = '127.0.0.1:9091'\n";
        let twice = read(&format!("{SOURCE}{counted}{SOURCE}{other}")).unwrap_err();
        assert!(
            twice[0].contains("`edge` reads these counters already"),
            "{twice:?}"
        );
        let driver = "[[agent.drivers]]\nkind = 'apisix'\nadmin = '127.0.0.1:9180'\nadmin_key_file = 't'\ndata = ['127.0.0.1:9080']\nmetrics = '127.0.0.1:9091'\nmanage = true\nusage_to = 'http://127.0.0.1:7410/api/v1/usage/edge'\nusage_token_file = 't'\n";
        let driven = read(&format!("{SOURCE}{counted}{driver}")).unwrap_err();
        assert!(
            driven
                .iter()
                .any(|it| it.contains("the driver `apisix` has this APISIX post")),
            "{driven:?}"
        );
    }

    #[test]
    fn counters_are_read_with_the_first_choice_of_each_route() {
        let far = format!(
            "{SOURCE}name = 'edge'\nkind = 'apisix'\nmetrics = '10.0.0.4:9091'\nfirst_choices = ['chat=ollama', 'far = sky']\n"
        );
        let near = format!("{SOURCE}name = 'own'\nkind = 'apisix'\nmetrics = '127.0.0.1:9091'\n");
        let driver = "[[agent.drivers]]\nkind = 'apisix'\nadmin = '127.0.0.1:9180'\nadmin_key_file = 't'\ndata = ['127.0.0.1:9080']\nmetrics = '127.0.0.1:9091'\nmanage = true\nai_proxy = true\n";
        let target = |name: &str, class: &str| {
            format!(
                "[[gateway.targets]]\nname = '{name}'\nclass = '{class}'\nbase_url = 'http://10.0.0.9/v1'\n"
            )
        };
        let ways = "[[gateway.routes]]\nname = 'chat'\ntargets = ['sky', 'ollama']\n[[gateway.consumers]]\nname = 'claw'\nkey_file = 't'\nroutes = ['chat']\n";
        let (sky, ollama) = (target("sky", "cloud"), target("ollama", "local"));
        let house = format!("{far}{near}{driver}{sky}{ollama}{ways}");
        let firsts = |text: &str| {
            let config = read(text).unwrap();
            let of = |at: usize| match &config.usage[at].way {
                Way::Counted(_, known) => {
                    let all = known.first.iter();
                    all.map(|(route, target)| format!("{route}={target}"))
                        .collect::<Vec<_>>()
                }
                Way::Posts(..) | Way::Asked(..) => panic!("another way"),
            };
            (of(0), of(1))
        };
        assert_eq!(
            firsts(&house),
            (
                vec!["chat=ollama".to_owned(), "far=sky".to_owned()],
                vec!["chat=sky".to_owned()]
            )
        );
        // Who takes the route may never go outside: the target there is nobody's first choice.
        let never = format!("{house}[gateway.consumers.cloud]\nallow = false\n");
        assert_eq!(firsts(&never).1, ["chat=ollama"]);
        for (wrong, what) in [
            ("['chat']", "first_choices[0]: expected"),
            ("['chat=a', 'chat=b']", "first_choices[1]: the route has"),
        ] {
            let found = read(&format!(
                "{SOURCE}name = 'edge'\nkind = 'apisix'\nmetrics = '10.0.0.4:9091'\nfirst_choices = {wrong}\n"
            ));
            let found = found.unwrap_err();
            assert!(found.iter().any(|it| it.contains(what)), "{found:?}");
        }
    }

    #[test]
    fn every_mistake_is_named() {
        for (lines, what) in [
            (
                "name = 'a'\nkind = 'litellm'\nmetrics = '127.0.0.1:1'",
                "only the counters of an APISIX",
            ),
            (
                "name = 'a'\nkind = 'apisix'\nmetrics = 'host:1'",
                "a literal address",
            ),
            (
                "name = 'a'\nkind = 'apisix'\nmetrics = '127.0.0.1:1'\nlocal = ['a*b']",
                "local[0]: `a*b` is not a model pattern",
            ),
            (
                "name = 'a'\nkind = 'apisix'\ntoken_file = 't'\nlocal = ['a']",
                "with `metrics` alone",
            ),
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
