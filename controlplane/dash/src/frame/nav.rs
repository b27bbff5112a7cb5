//! Every page there is a way to. A page whose route is not served stands in no navigation.

use crate::access::{Access, access};
use std::sync::LazyLock;

/// Title, path, and the key that leads there after `g`.
type Entry = (&'static str, &'static str, &'static str);

const PAGES: [(&str, &[Entry]); 4] = [
    (
        "House",
        &[
            ("Overview", "/", "h"),
            ("Hosts", "/hosts", "o"),
            ("Mesh", "/mesh", "m"),
            ("Alerts", "/alerts", "a"),
        ],
    ),
    (
        "Traffic",
        &[
            ("Routes and targets", "/targets", "t"),
            ("Spend", "/spend", "s"),
            ("Consumers", "/consumers", "c"),
            ("Explain", "/explain", "x"),
        ],
    ),
    (
        "Record",
        &[
            ("Incidents", "/incidents", "i"),
            ("Journal", "/journal", "j"),
        ],
    ),
    (
        "Manage",
        &[
            ("People and codes", "/people", "p"),
            ("Channels", "/channels", "n"),
            ("API tokens", "/tokens", "k"),
            ("Sessions", "/sessions", "e"),
            ("Jobs", "/jobs", "b"),
            ("Settings", "/settings", "g"),
            ("Account", "/account", "u"),
        ],
    ),
];

/// Pages that belong together.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) title: &'static str,
    pub(crate) links: Vec<Link>,
}

/// The way to one page.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) title: &'static str,
    pub(crate) path: &'static str,
    pub(crate) key: &'static str,
    pub(crate) current: bool,
}

/// Paths of pages that are served, read off the access table once.
static SERVED: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let rows = access().into_iter();
    let pages = rows.filter(|Access { method, .. }| *method == "GET");
    pages.map(|row| row.path).collect()
});

/// The navigation as the page at `path` shows it.
pub(crate) fn groups(path: &str) -> Vec<Group> {
    let link = |(title, to, key): &Entry| Link {
        title,
        path: to,
        key,
        current: is_at(path, to),
    };
    let group = |(title, entries): &(&'static str, &'static [Entry])| {
        let there = entries.iter().filter(|(_, to, _)| SERVED.contains(to));
        Group {
            title,
            links: there.map(link).collect(),
        }
    };
    let groups = PAGES.iter().map(group);
    groups.filter(|group| !group.links.is_empty()).collect()
}

fn is_at(path: &str, page: &str) -> bool {
    let below = path.strip_prefix(page);
    below.is_some_and(|rest| rest.is_empty() || (page != "/" && rest.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_page_below_another_stands_under_it() {
        assert!(is_at("/hosts/nas", "/hosts") && is_at("/", "/"));
        assert!(!is_at("/hosts", "/") && !is_at("/hostsofold", "/hosts"));
    }

    #[test]
    fn no_two_pages_have_one_key() {
        let all: Vec<&Entry> = PAGES.iter().flat_map(|(_, entries)| *entries).collect();
        let keys: BTreeSet<&str> = all.iter().map(|(_, _, key)| *key).collect();
        assert_eq!(keys.len(), all.len());
    }
}
