//! A configuration as a list of keys and values, for people. Pure.

use std::collections::BTreeMap;
use toml::{Table, Value};

/// Every value by its full key, such as `gateway.targets[0].class`. A list of plain values is one value.
pub(crate) fn flat(table: &Table) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    walk("", table, &mut all);
    all
}

fn walk(at: &str, table: &Table, all: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let key = if at.is_empty() {
            key.clone()
        } else {
            format!("{at}.{key}")
        };
        match value {
            Value::Table(inner) => walk(&key, inner, all),
            Value::Array(items) if items.iter().any(Value::is_table) => {
                for (place, item) in items.iter().enumerate() {
                    let key = format!("{key}[{place}]");
                    match item.as_table() {
                        Some(inner) => walk(&key, inner, all),
                        None => drop(all.insert(key, shown(item))),
                    }
                }
            }
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_) => drop(all.insert(key, shown(value))),
        }
    }
}

/// One line, of bounded length; a hash is known by its beginning.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 200;
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_)
        | Value::Table(_) => value.to_string(),
    };
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    clean.take(LONGEST).collect()
}

/// What differs: key, value of before, value of after; a dash where there is none.
pub(crate) fn changes(before: &Table, after: &Table) -> Vec<(String, String, String)> {
    let (before, after) = (flat(before), flat(after));
    let keys: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let side = |of: &BTreeMap<String, String>, key: &String| {
        of.get(key).cloned().unwrap_or_else(|| "–".to_owned())
    };
    let differ = keys
        .into_iter()
        .filter(|key| before.get(*key) != after.get(*key));
    differ
        .map(|key| (key.clone(), side(&before, key), side(&after, key)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_stands_under_its_whole_key_and_differences_are_named() {
        let before =
            "[gateway]\nlisten = 'a'\n[[gateway.targets]]\nname = 'x'\nmodels = ['m', 'n']";
        let after = "[gateway]\n[[gateway.targets]]\nname = 'x'\nmodels = ['m']\nmax_open = 2";
        let of = |text: &str| text.parse::<Table>().unwrap();
        let all = flat(&of(before));
        assert_eq!(all["gateway.targets[0].models"], "[m, n]");
        let found = changes(&of(before), &of(after));
        let found: Vec<(&str, &str, &str)> = found
            .iter()
            .map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("gateway.listen", "a", "–"),
                ("gateway.targets[0].max_open", "–", "2"),
                ("gateway.targets[0].models", "[m, n]", "[m]"),
            ]
        );
    }
}
