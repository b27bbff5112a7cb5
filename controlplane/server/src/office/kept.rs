//! `consumers.toml` as a table, and what each change makes of it. Pure.

use super::refused;
use dash::{ConsumerBook, ConsumerChange, ConsumerWish, OwnRules, Trouble, TroubleKind};
use kill_wire::{Name, Timestamp};
use net_model::KeyHash;
use toml::{Table, Value};

/// Longest time that an old key goes on counting, in milliseconds.
const LONGEST_OVERLAP: u64 = 30 * 24 * 3_600_000;

/// Longest name of a consumer with rules of its own: they are called by it, with a word behind.
const LONGEST_NAME: usize = 20;

const HEAD: &str = "# Consumers that the control plane keeps. It writes this file whole: change them on its page, or with the API.\n\n";

/// The file's text.
pub(super) fn text(kept: &Table) -> String {
    format!("{HEAD}{kept}")
}

/// Names of its consumers.
pub(super) fn names(table: &Table) -> Vec<String> {
    let name = |it: &Value| {
        it.get("name")
            .and_then(Value::as_str)
            .map(str::to_lowercase)
    };
    let consumers = list(table, "consumers");
    consumers
        .iter()
        .map(|it| name(it).unwrap_or_default())
        .collect()
}

fn list<'t>(table: &'t Table, key: &str) -> &'t [Value] {
    table
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn list_mut<'t>(table: &'t mut Table, key: &str) -> Option<&'t mut Vec<Value>> {
    table
        .entry(key)
        .or_insert_with(|| Value::Array(Vec::new()))
        .as_array_mut()
}

/// What a consumer's own rules are called.
fn rule(name: &str) -> String {
    format!("{name}.own")
}

/// The rules that are kept of one consumer.
pub(super) fn own(kept: &Table, name: &str) -> OwnRules {
    let called = rule(name);
    let find = |key: &str| {
        let all = list(kept, key).iter();
        let mut all = all.filter(|it| it.get("name").and_then(Value::as_str) == Some(&called));
        all.next()
    };
    let number = |of: Option<&Value>, key: &str| {
        let number = of?.get(key)?.as_integer()?;
        u64::try_from(number).ok()
    };
    let word = |of: Option<&Value>, key: &str| of?.get(key)?.as_str().map(str::to_owned);
    let (limit, budget) = (find("limits"), find("budgets"));
    OwnRules {
        requests_per_minute: number(limit, "requests_per_minute"),
        tokens_per_minute: number(limit, "tokens_per_minute"),
        open: number(limit, "open"),
        money: word(budget, "money"),
        tokens: number(budget, "tokens"),
        window: word(budget, "window"),
    }
}

/// Changes the table. `key` is what is kept of a new key, where the change makes one.
pub(super) fn apply(
    kept: &mut Table,
    change: &ConsumerChange,
    book: &ConsumerBook,
    key: Option<KeyHash>,
    built_in: KeyHash,
    now: Timestamp,
) -> Result<(), Trouble> {
    forget_old_keys(kept, now);
    match change {
        ConsumerChange::Create { name, wish } => {
            let name: Name = name
                .trim()
                .parse()
                .map_err(|why: kill_wire::NotAName| refused(why.to_string()))?;
            let name = name.to_string();
            if let Some(there) = book
                .consumers
                .iter()
                .find(|it| it.name == name && !it.built_in)
            {
                return Err(refused(format!(
                    "`{name}` is there already: {}",
                    there.source
                )));
            }
            let mut consumer = Table::new();
            consumer.insert("name".to_owned(), Value::String(name.clone()));
            put_key(&mut consumer, "key_sha256", key)?;
            wished(&mut consumer, wish);
            push(kept, "consumers", consumer)?;
            put_rules(kept, &name, &wish.own)
        }
        ConsumerChange::Change { name, wish } => {
            wished(find(kept, name, book)?, wish);
            put_rules(kept, name, &wish.own)
        }
        ConsumerChange::Rotate { name, overlap_ms } => {
            if *overlap_ms > LONGEST_OVERLAP {
                return Err(refused("an old key may go on counting for 30 days at most"));
            }
            if book
                .consumers
                .iter()
                .any(|it| it.name == *name && it.built_in)
            {
                take_over(kept, name, built_in, book)?;
            }
            rotate(
                find(kept, name, book)?,
                key,
                now.plus_millis(*overlap_ms),
                *overlap_ms > 0,
            )
        }
        ConsumerChange::Revoke { name } => {
            find(kept, name, book)?;
            let other = |it: &Value| it.get("name").and_then(Value::as_str) != Some(name);
            if let Some(all) = list_mut(kept, "consumers") {
                all.retain(other);
            }
            put_rules(kept, name, &OwnRules::default())
        }
    }
}

/// The built-in consumer becomes one that is kept, with the key it has.
fn take_over(
    kept: &mut Table,
    name: &str,
    key: KeyHash,
    book: &ConsumerBook,
) -> Result<(), Trouble> {
    let mut consumer = Table::new();
    consumer.insert("name".to_owned(), Value::String(name.to_owned()));
    put_key(&mut consumer, "key_sha256", Some(key))?;
    let wish = ConsumerWish {
        routes: book.routes.clone(),
        local: true,
        cloud: true,
        ..ConsumerWish::default()
    };
    wished(&mut consumer, &wish);
    push(kept, "consumers", consumer)
}

fn rotate(
    consumer: &mut Table,
    key: Option<KeyHash>,
    until: Timestamp,
    overlap: bool,
) -> Result<(), Trouble> {
    let old = consumer.remove("key_sha256");
    put_key(consumer, "key_sha256", key)?;
    consumer.remove("old_key_sha256");
    consumer.remove("old_key_until");
    if let Some(old) = old.filter(|_| overlap) {
        consumer.insert("old_key_sha256".to_owned(), old);
        consumer.insert("old_key_until".to_owned(), Value::String(until.to_string()));
    }
    Ok(())
}

/// The consumer of that name; the error says where one stands that is not kept here.
fn find<'t>(
    kept: &'t mut Table,
    name: &str,
    book: &ConsumerBook,
) -> Result<&'t mut Table, Trouble> {
    let at = names(kept).iter().position(|it| it == name);
    let found = at.and_then(|at| list_mut(kept, "consumers")?.get_mut(at)?.as_table_mut());
    found.ok_or_else(|| match book.consumers.iter().find(|it| it.name == name) {
        Some(there) if there.built_in => {
            refused(format!("`{name}` is built in: make a consumer of its own for each agent, or rotate its key here"))
        }
        Some(there) => refused(format!("`{name}` stands in {}; change it there", there.source)),
        None => Trouble::new(TroubleKind::Unknown, format!("there is no consumer `{name}`")),
    })
}

fn put_key(consumer: &mut Table, field: &str, key: Option<KeyHash>) -> Result<(), Trouble> {
    let key = key.ok_or_else(|| refused("no key was made"))?;
    consumer.insert(field.to_owned(), Value::String(key.to_hex()));
    Ok(())
}

fn push(kept: &mut Table, list: &str, entry: Table) -> Result<(), Trouble> {
    let entries =
        list_mut(kept, list).ok_or_else(|| refused(format!("`{list}` in the file is no list")))?;
    entries.push(Value::Table(entry));
    Ok(())
}

fn wished(consumer: &mut Table, wish: &ConsumerWish) {
    let routes = wish.routes.iter().cloned().map(Value::String).collect();
    consumer.insert("routes".to_owned(), Value::Array(routes));
    match wish
        .role
        .as_deref()
        .map(str::trim)
        .filter(|role| !role.is_empty())
    {
        Some(role) => drop(consumer.insert("role".to_owned(), Value::String(role.to_owned()))),
        None => drop(consumer.remove("role")),
    }
    for (class, allow) in [("local", wish.local), ("cloud", wish.cloud)] {
        if allow {
            consumer.remove(class);
        } else {
            let never = [("allow".to_owned(), Value::Boolean(false))];
            consumer.insert(class.to_owned(), Value::Table(never.into_iter().collect()));
        }
    }
}

/// Puts these rules in the place of those that were kept.
fn put_rules(kept: &mut Table, name: &str, own: &OwnRules) -> Result<(), Trouble> {
    let called = rule(name);
    for list in ["limits", "budgets"] {
        if let Some(all) = list_mut(kept, list) {
            all.retain(|it| it.get("name").and_then(Value::as_str) != Some(&called));
        }
    }
    let whole = |it: u64| i64::try_from(it).unwrap_or(i64::MAX);
    let limits = [
        ("requests_per_minute", own.requests_per_minute),
        ("tokens_per_minute", own.tokens_per_minute),
        ("open", own.open),
    ];
    let mut limit = Table::new();
    for (key, amount) in limits {
        limit.extend(amount.map(|it| (key.to_owned(), Value::Integer(whole(it)))));
    }
    let mut budget = Table::new();
    budget.extend(
        own.tokens
            .map(|it| ("tokens".to_owned(), Value::Integer(whole(it)))),
    );
    let money = own
        .money
        .as_deref()
        .map(str::trim)
        .filter(|it| !it.is_empty());
    budget.extend(money.map(|it| ("money".to_owned(), Value::String(it.to_owned()))));
    if !budget.is_empty() {
        let window = own.window.clone().unwrap_or_else(|| "day".to_owned());
        budget.insert("window".to_owned(), Value::String(window));
    }
    for (list, mut entry) in [("limits", limit), ("budgets", budget)] {
        if entry.is_empty() {
            continue;
        }
        if name.len() > LONGEST_NAME {
            let text = format!(
                "a consumer with limits or a budget of its own has a name of {LONGEST_NAME} characters at most; give it a role, and the role a limit"
            );
            return Err(refused(text));
        }
        entry.insert("name".to_owned(), Value::String(called.clone()));
        entry.insert("consumer".to_owned(), Value::String(name.to_owned()));
        push(kept, list, entry)?;
    }
    for list in ["limits", "budgets"] {
        if kept
            .get(list)
            .and_then(Value::as_array)
            .is_some_and(Vec::is_empty)
        {
            kept.remove(list);
        }
    }
    Ok(())
}

/// Keys whose time is over go with the next change.
fn forget_old_keys(kept: &mut Table, now: Timestamp) {
    for consumer in list_mut(kept, "consumers").into_iter().flatten() {
        let Some(consumer) = consumer.as_table_mut() else {
            continue;
        };
        let until = consumer.get("old_key_until").and_then(Value::as_str);
        // Both are written the same way here, to the millisecond and in UTC.
        if until.is_some_and(|until| until <= now.to_string().as_str()) {
            consumer.remove("old_key_sha256");
            consumer.remove("old_key_until");
        }
    }
}

#[cfg(test)]
mod tests;
