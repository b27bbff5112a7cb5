//! What of the configuration a page may change. Pure.
//!
//! **Invariant:** a session that was stolen must not reach past the gateway's rules. The file can name programs that are run,
//! files that are read and sent somewhere, who may cut and who may restore; all that is written at the machine alone.

use kill_config::Problem;
use toml::{Table, Value};

/// Parts of `[gateway]` that may change.
const GATEWAY: [&str; 7] = [
    "targets",
    "routes",
    "consumers",
    "limits",
    "budgets",
    "runaway",
    "time_zone",
];
/// Whole sections that may. Zones may not: they say whether silence cuts, what counts as contained, and what hosts knock at.
const SECTIONS: [&str; 2] = ["alerts", "jobs"];

const AT_THE_MACHINE: &str = "is changed at the machine alone";

/// Everything that differs and that no page may change.
pub(crate) fn refused(before: &Table, after: &Table) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut differ = |at: &str, before: Option<&Table>, after: Option<&Table>, free: &[&str]| {
        let none = Table::new();
        let (before, after) = (before.unwrap_or(&none), after.unwrap_or(&none));
        let all: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for key in all {
            if !free.contains(&key.as_str()) && before.get(key) != after.get(key) {
                found.push(Problem::new(format!("{at}{key}"), AT_THE_MACHINE));
            }
        }
    };
    let free: Vec<&str> = SECTIONS.into_iter().chain(["gateway"]).collect();
    differ("", Some(before), Some(after), &free);
    let section = |of: &'_ Table| of.get("gateway").and_then(Value::as_table).cloned();
    let (old, new) = (section(before), section(after));
    differ("gateway.", old.as_ref(), new.as_ref(), &GATEWAY);
    let known = bearers(before);
    for (key, entry) in bearers(after) {
        if !known.iter().any(|(_, it)| *it == entry) {
            let text = "holds the name of a file with a secret: what that is used for is changed at the machine alone";
            found.push(Problem::new(key, text));
        }
    }
    found.sort_by(|a, b| a.key.cmp(&b.key));
    found
}

/// Every table that names a file of its own, with its place: a secret must not be sent elsewhere.
fn bearers(table: &Table) -> Vec<(String, &Table)> {
    let mut all = Vec::new();
    walk("", table, &mut all);
    all
}

fn walk<'t>(at: &str, table: &'t Table, all: &mut Vec<(String, &'t Table)>) {
    if table.keys().any(|key| key.ends_with("_file")) {
        all.push((at.to_owned(), table));
    }
    for (key, value) in table {
        let key = if at.is_empty() {
            key.clone()
        } else {
            format!("{at}.{key}")
        };
        match value {
            Value::Table(inner) => walk(&key, inner, all),
            Value::Array(items) => {
                for (place, inner) in items.iter().enumerate() {
                    if let Some(inner) = inner.as_table() {
                        walk(&format!("{key}[{place}]"), inner, all);
                    }
                }
            }
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "[killswitch]\nlisten = 'a'\n[gateway]\nlisten = 'b'\n\
        [[gateway.targets]]\nname = 'far'\nbase_url = 'https://one/v1'\nsecret_file = 'far.key'\n\
        [[gateway.targets]]\nname = 'near'\nbase_url = 'http://two/v1'\n";

    fn keys(after: &str) -> Vec<String> {
        let of = |text: &str| text.parse::<Table>().unwrap();
        let found = refused(&of(BEFORE), &of(after));
        found.into_iter().map(|it| it.key).collect()
    }

    #[test]
    fn routes_limits_and_alerts_may_change() {
        let after = format!(
            "{}[[gateway.limits]]\nname = 'l'\nopen = 2\n[alerts]\ntexts_a_day = 1\n",
            BEFORE.replace("http://two", "http://three")
        );
        assert_eq!(keys(&after), [""; 0]);
        // In another order, a target with a secret is the same target.
        let moved = BEFORE.replacen(
            "[[gateway.targets]]",
            "[[gateway.routes]]\nname = 'r'\n[[gateway.targets]]",
            1,
        );
        assert_eq!(keys(&moved), [""; 0]);
    }

    #[test]
    fn nothing_that_runs_reads_or_restores_may() {
        for (after, wanted) in [
            (
                BEFORE.replace("'a'", "'c'"),
                "killswitch.listen".split('.').next().unwrap(),
            ),
            (BEFORE.replace("'b'", "'c'"), "gateway.listen"),
            (
                BEFORE.replace("https://one", "https://evil.example"),
                "gateway.targets[0]",
            ),
            (
                BEFORE.replace(
                    "name = 'near'",
                    "name = 'near'\nsecret_file = '/data/order.key'",
                ),
                "gateway.targets[1]",
            ),
            (
                format!("{BEFORE}[[agent.drivers]]\nkind = 'nginx'\nprogram = '/bin/sh'\n"),
                "agent",
            ),
            (
                format!("{BEFORE}[gateway.access_log]\npath = '/etc/passwd'\n"),
                "gateway.access_log",
            ),
            (format!("{BEFORE}[mesh]\n"), "mesh"),
            (
                format!("{BEFORE}[zones.red]\non_silence = 'hold'\n"),
                "zones",
            ),
        ] {
            assert_eq!(keys(&after), [wanted], "{after}");
        }
    }
}
