//! One check: where to read, what must stand there, and what it means when it does not.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What a check came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As it should be.
    Pass,
    /// Worth a look.
    Warn,
    /// A way out.
    Fail,
    /// Could not be told.
    Unknown,
}

impl Outcome {
    /// As it is shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Unknown => "unknown",
        }
    }
}

/// What a check looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// A container, with the engine that runs it.
    Container,
    /// The host itself.
    Host,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name, as it stands in a report.
    pub id: String,
    /// What it looks at.
    pub about: About,
    /// What it asks for, in a sentence.
    pub says: String,
    /// What it comes to when that is not so.
    pub otherwise: Outcome,
    ways: Vec<Way>,
}

/// The checks, in the order of their ids.
#[must_use]
pub fn checks() -> &'static [Check] {
    static CHECKS: LazyLock<Vec<Check>> = LazyLock::new(|| {
        // The file is part of the program; a test reads it with its mistakes named.
        read(include_str!("checks.toml")).unwrap_or_default()
    });
    &CHECKS
}

fn read(text: &str) -> Result<Vec<Check>, toml::de::Error> {
    let tables: BTreeMap<String, Written> = toml::from_str(text)?;
    let check = |(id, written): (String, Written)| Check {
        id,
        about: written.about,
        says: written.says,
        otherwise: written.otherwise,
        ways: written.ways,
    };
    Ok(tables.into_iter().map(check).collect())
}

/// A check as it stands in the file: one table, named by its id.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    about: About,
    says: String,
    otherwise: Outcome,
    ways: Vec<Way>,
}

/// One place to read at. Engines write the same thing in different places: the first that is there decides.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Way {
    /// Keys from the top of the document, joined by dots.
    read: String,
    /// Whether `null` there is as it should be; without it, that is not known.
    null: Option<bool>,
    /// The value is one of these.
    is: Option<Vec<Scalar>>,
    /// The value is none of these.
    is_not: Option<Vec<Scalar>>,
    /// The text begins with none of these.
    begins_with_none: Option<Vec<String>>,
    /// The text holds one of these.
    holds: Option<Vec<String>>,
    /// The number is at least so much.
    at_least: Option<i64>,
    /// One text of the list begins with one of these.
    any: Option<Vec<String>>,
    /// No text of the list, however deep, begins with one of these.
    none: Option<Vec<String>>,
    /// No text of the list, however deep, holds one of these.
    none_holds: Option<Vec<String>>,
    /// Nothing stands there: an empty list, table or text.
    empty: Option<bool>,
}

/// What a value is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Bool(bool),
    Number(i64),
    Text(String),
}

impl Scalar {
    fn is(&self, value: &Value) -> bool {
        match self {
            Self::Bool(own) => value.as_bool() == Some(*own),
            Self::Number(own) => value.as_i64() == Some(*own),
            Self::Text(own) => value
                .as_str()
                .is_some_and(|text| text.eq_ignore_ascii_case(own)),
        }
    }
}

impl Check {
    /// What it comes to in this document.
    #[must_use]
    pub fn outcome(&self, document: &Value) -> Outcome {
        let found = self
            .ways
            .iter()
            .find_map(|way| Some((way, at(document, &way.read)?)));
        match found.and_then(|(way, value)| way.holds_for(value)) {
            Some(true) => Outcome::Pass,
            Some(false) => self.otherwise,
            None => Outcome::Unknown,
        }
    }
}

fn at<'a>(document: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.')
        .try_fold(document, |value, key| value.get(key))
}

impl Way {
    /// Whether the value is as it should be; none when it is of a form that says nothing.
    fn holds_for(&self, value: &Value) -> Option<bool> {
        if value.is_null() {
            return self.null;
        }
        let told = [
            self.is
                .as_ref()
                .map(|own| scalar(value).map(|v| own.iter().any(|o| o.is(v)))),
            self.is_not
                .as_ref()
                .map(|own| scalar(value).map(|v| !own.iter().any(|o| o.is(v)))),
            self.begins_with_none
                .as_ref()
                .map(|own| value.as_str().map(|text| !begins(text, own))),
            self.holds
                .as_ref()
                .map(|own| value.as_str().map(|text| holds(text, own))),
            self.at_least
                .map(|least| value.as_i64().map(|n| n >= least)),
            self.any
                .as_ref()
                .map(|own| texts(value).map(|all| all.iter().any(|t| begins(t, own)))),
            self.none
                .as_ref()
                .map(|own| texts(value).map(|all| !all.iter().any(|t| begins(t, own)))),
            self.none_holds
                .as_ref()
                .map(|own| texts(value).map(|all| !all.iter().any(|t| holds(t, own)))),
            self.empty
                .map(|wanted| is_empty(value).map(|empty| empty == wanted)),
        ];
        let mut outcome = None;
        for said in told.into_iter().flatten() {
            outcome = Some(outcome.unwrap_or(true) && said?);
        }
        outcome
    }
}

fn scalar(value: &Value) -> Option<&Value> {
    (value.is_boolean() || value.is_i64() || value.is_string()).then_some(value)
}

fn begins(text: &str, any: &[String]) -> bool {
    let text = text.to_ascii_lowercase();
    any.iter().any(|start| text.starts_with(start.as_str()))
}

fn holds(text: &str, any: &[String]) -> bool {
    let text = text.to_ascii_lowercase();
    any.iter().any(|part| text.contains(part.as_str()))
}

/// Every text below a list or table, keys of tables too.
fn texts(value: &Value) -> Option<Vec<&str>> {
    let (mut found, mut open) = (Vec::new(), vec![value]);
    if !value.is_array() && !value.is_object() {
        return None;
    }
    while let Some(value) = open.pop() {
        if let Some(text) = value.as_str() {
            found.push(text);
        }
        open.extend(value.as_array().into_iter().flatten());
        for (key, inner) in value.as_object().into_iter().flatten() {
            found.push(key.as_str());
            open.push(inner);
        }
    }
    Some(found)
}

fn is_empty(value: &Value) -> Option<bool> {
    let list = value.as_array().map(Vec::is_empty);
    let table = value.as_object().map(serde_json::Map::is_empty);
    let text = value.as_str().map(str::is_empty);
    list.or(table).or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_checks_that_ship_can_be_read_and_each_can_fail() {
        let found = read(include_str!("checks.toml")).unwrap();
        assert_eq!(found, checks());
        assert!(found.len() >= 24, "{}", found.len());
        for check in checks() {
            assert!(
                matches!(check.otherwise, Outcome::Warn | Outcome::Fail),
                "{}",
                check.id
            );
            assert!(
                check.says.ends_with('.') && !check.ways.is_empty(),
                "{}",
                check.id
            );
            assert!(check.id.len() <= 24, "{}", check.id);
            // What begins or holds is compared in small letters.
            for way in &check.ways {
                for list in [
                    &way.any,
                    &way.none,
                    &way.none_holds,
                    &way.holds,
                    &way.begins_with_none,
                ] {
                    for text in list.iter().flatten() {
                        assert_eq!(text, &text.to_ascii_lowercase(), "{}", check.id);
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_to_read_passes_no_check() {
        let odd = [
            json!({}),
            json!(null),
            json!([]),
            json!("x"),
            json!({"container": {"HostConfig": 5}, "engine": "no", "host": []}),
        ];
        for document in odd {
            for check in checks() {
                assert_eq!(
                    check.outcome(&document),
                    Outcome::Unknown,
                    "{} in {document}",
                    check.id
                );
            }
        }
    }

    #[test]
    fn a_value_of_a_wrong_kind_is_unknown() {
        let privileged = checks()
            .iter()
            .find(|check| check.id == "privileged")
            .unwrap();
        let with = |value: Value| {
            privileged.outcome(&json!({"container": {"HostConfig": {"Privileged": value}}}))
        };
        assert_eq!(with(json!(false)), Outcome::Pass);
        assert_eq!(with(json!(true)), Outcome::Fail);
        for odd in [json!(null), json!([]), json!({}), json!(1.5)] {
            assert_eq!(with(odd.clone()), Outcome::Unknown, "{odd}");
        }
    }
}
