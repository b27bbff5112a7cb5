//! Expressions over a request: `["uri", "~~", "^/llm/"]`, groups of them, and groups of groups.

use super::request::Asked;
use regex::RegexBuilder;
use serde_json::Value;

/// Whether any group holds, as `fault-injection` reads its `vars`: several groups are OR.
pub(super) fn any(asked: &Asked, vars: &Value) -> bool {
    match vars.as_array() {
        Some(groups) if !groups.is_empty() => groups.iter().any(|group| holds(asked, group)),
        Some(_) | None => true,
    }
}

/// Whether one expression holds, as a route reads its `vars`: everything in it is AND.
pub(super) fn holds(asked: &Asked, rule: &Value) -> bool {
    let Some(parts) = rule.as_array() else {
        return false;
    };
    match parts.first() {
        None => true,
        Some(Value::String(word)) => match word.as_str() {
            "AND" => parts.iter().skip(1).all(|part| holds(asked, part)),
            "OR" => parts.iter().skip(1).any(|part| holds(asked, part)),
            "!AND" => !parts.iter().skip(1).all(|part| holds(asked, part)),
            "!OR" => !parts.iter().skip(1).any(|part| holds(asked, part)),
            name => compared(asked, name, parts),
        },
        Some(_) => parts.iter().all(|part| holds(asked, part)),
    }
}

/// Whether every expression has a form that can be read.
pub(in crate::apisix) fn valid(rule: &Value) -> bool {
    let Some(parts) = rule.as_array() else {
        return false;
    };
    match parts.first() {
        None => true,
        Some(Value::String(word)) if matches!(word.as_str(), "AND" | "OR" | "!AND" | "!OR") => {
            parts.len() > 2 && parts.iter().skip(1).all(valid)
        }
        Some(Value::String(_)) => {
            let words: Vec<&str> = parts.iter().filter_map(Value::as_str).collect();
            let operator = match words.get(1) {
                Some(&"!") => words.get(2),
                other => other,
            };
            let readable = operator.is_some_and(|word| OPERATORS.contains(word));
            let pattern = match (operator, parts.last()) {
                (Some(&("~~" | "~*")), Some(Value::String(text))) => {
                    regex::Regex::new(text).is_ok()
                }
                (_, last) => last.is_some(),
            };
            readable && pattern && matches!(parts.len(), 3 | 4)
        }
        Some(_) => parts.iter().all(valid),
    }
}

const OPERATORS: [&str; 11] = [
    "==", "~=", ">", ">=", "<", "<=", "~~", "~*", "in", "has", "ipmatch",
];

fn compared(asked: &Asked, name: &str, parts: &[Value]) -> bool {
    let word = |at: usize| parts.get(at).and_then(Value::as_str).unwrap_or_default();
    let (not, at) = (word(1) == "!", if word(1) == "!" { 2 } else { 1 });
    let Some(wanted) = parts.get(at + 1) else {
        return false;
    };
    let found = asked.variable(name);
    not != satisfies(found.as_deref(), word(at), wanted)
}

fn satisfies(found: Option<&str>, operator: &str, wanted: &Value) -> bool {
    let text = |value: &Value| {
        let text = value.as_str().map(str::to_owned);
        text.unwrap_or_else(|| value.to_string())
    };
    let numbers = || {
        Some((
            found?.parse::<f64>().ok()?,
            text(wanted).parse::<f64>().ok()?,
        ))
    };
    let matches = |blind: bool| {
        let pattern = RegexBuilder::new(&text(wanted))
            .case_insensitive(blind)
            .build();
        found.is_some_and(|found| pattern.is_ok_and(|pattern| pattern.is_match(found)))
    };
    let listed = || {
        let all = wanted.as_array().into_iter().flatten();
        found.is_some_and(|found| all.map(text).any(|one| one == found))
    };
    match operator {
        "==" => found.map_or(wanted.is_null(), |found| found == text(wanted)),
        "~=" => found.map_or(!wanted.is_null(), |found| found != text(wanted)),
        ">" => numbers().is_some_and(|(a, b)| a > b),
        ">=" => numbers().is_some_and(|(a, b)| a >= b),
        "<" => numbers().is_some_and(|(a, b)| a < b),
        "<=" => numbers().is_some_and(|(a, b)| a <= b),
        "~~" => matches(false),
        "~*" => matches(true),
        "in" | "ipmatch" => listed(),
        "has" => found.is_some_and(|found| found.split(',').any(|one| one.trim() == text(wanted))),
        _ => false,
    }
}
