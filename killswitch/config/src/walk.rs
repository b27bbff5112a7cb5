//! Walks a TOML table, takes out what is known, and notes every problem instead of stopping at the first.

use crate::problem::Problem;
use crate::span;
use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::str::FromStr;
use toml::{Table, Value};

/// Every problem found so far.
#[derive(Debug, Default)]
pub struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    /// Notes one.
    pub fn note(&self, problem: Problem) {
        self.0.borrow_mut().push(problem);
    }

    /// Notes what went wrong and goes on without the value.
    pub fn take<T>(&self, key: &str, result: Result<T, impl std::fmt::Display>) -> Option<T> {
        result
            .map_err(|why| self.note(Problem::new(key, why.to_string())))
            .ok()
    }

    /// All of them, by key.
    #[must_use]
    pub fn into_sorted(self) -> Vec<Problem> {
        let mut all = self.0.into_inner();
        all.sort_by(|a, b| a.key.cmp(&b.key));
        all
    }
}

/// One table of the file. What is left in it at [`Section::finish`] was not known.
#[derive(Debug)]
pub struct Section<'p> {
    at: String,
    table: Table,
    asked: Vec<&'static str>,
    problems: &'p Problems,
}

impl<'p> Section<'p> {
    /// The whole file.
    #[must_use]
    pub const fn root(table: Table, problems: &'p Problems) -> Self {
        Self {
            at: String::new(),
            table,
            asked: Vec::new(),
            problems,
        }
    }

    /// A whole file beside the main one: each key is named with the file before it.
    #[must_use]
    pub fn of_file(name: &str, table: Table, problems: &'p Problems) -> Self {
        Self {
            at: name.to_owned(),
            ..Self::root(table, problems)
        }
    }

    /// The full name of a key in this table.
    #[must_use]
    pub fn key(&self, key: &str) -> String {
        if self.at.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.at)
        }
    }

    /// Whether a key is there.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    fn take(&mut self, key: &'static str) -> Option<Value> {
        self.asked.push(key);
        self.table.remove(key)
    }

    fn wrong(&self, key: &str, value: &Value, expected: &str) {
        let text = format!("{} is not {expected}", shown(value));
        self.problems.note(Problem::new(self.key(key), text));
    }

    /// Notes that a key is absent that must be there.
    pub fn missing(&self, key: &str, expected: &str) {
        let text = format!("missing; expected {expected}");
        self.problems.note(Problem::new(self.key(key), text));
    }

    /// A text.
    pub fn text(&mut self, key: &'static str, expected: &str) -> Option<String> {
        let value = self.take(key)?;
        if let Value::String(text) = value {
            return Some(text);
        }
        self.wrong(key, &value, expected);
        None
    }

    /// A text that must be there.
    pub fn need(&mut self, key: &'static str, expected: &str) -> Option<String> {
        if !self.table.contains_key(key) {
            self.asked.push(key);
            self.missing(key, expected);
            return None;
        }
        self.text(key, expected)
    }

    /// A text with a meaning.
    pub fn parse<T: FromStr>(&mut self, key: &'static str, expected: &str) -> Option<T> {
        let text = self.text(key, expected)?;
        self.parsed(key, &text, expected)
    }

    /// A text with a meaning that must be there.
    pub fn need_parsed<T: FromStr>(&mut self, key: &'static str, expected: &str) -> Option<T> {
        let text = self.need(key, expected)?;
        self.parsed(key, &text, expected)
    }

    fn parsed<T: FromStr>(&self, key: &str, text: &str, expected: &str) -> Option<T> {
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.wrong(key, &Value::String(text.to_owned()), expected);
        }
        parsed
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &'static str) -> Option<bool> {
        let value = self.take(key)?;
        let flag = value.as_bool();
        if flag.is_none() {
            self.wrong(key, &value, "`true` or `false`");
        }
        flag
    }

    /// A whole number within bounds.
    pub fn number(&mut self, key: &'static str, bounds: RangeInclusive<u64>) -> Option<u64> {
        let value = self.take(key)?;
        let number = value.as_integer().and_then(|n| u64::try_from(n).ok());
        let number = number.filter(|n| bounds.contains(n));
        if number.is_none() {
            let expected = format!("a number from {} to {}", bounds.start(), bounds.end());
            self.wrong(key, &value, &expected);
        }
        number
    }

    /// A span of time within bounds, all in seconds; written as a number and its unit.
    pub fn span(&mut self, key: &'static str, bounds: RangeInclusive<u64>) -> Option<u64> {
        let value = self.take(key)?;
        let seconds = value.as_str().and_then(span::seconds);
        let seconds = seconds.filter(|s| bounds.contains(s));
        if seconds.is_none() {
            let (least, most) = (span::shown(*bounds.start()), span::shown(*bounds.end()));
            let expected =
                format!("a time such as `90 s`, `15 min`, `12 h` or `7 d`, from {least} to {most}");
            self.wrong(key, &value, &expected);
        }
        seconds
    }

    /// A list of texts.
    pub fn texts(&mut self, key: &'static str, expected: &str) -> Option<Vec<String>> {
        let value = self.take(key)?;
        let texts = value.as_array().and_then(|items| {
            items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
        });
        if texts.is_none() {
            self.wrong(key, &value, expected);
        }
        texts
    }

    /// A list of texts that must be there.
    pub fn need_texts(&mut self, key: &'static str, expected: &str) -> Option<Vec<String>> {
        if self.table.contains_key(key) {
            return self.texts(key, expected);
        }
        self.asked.push(key);
        self.missing(key, expected);
        None
    }

    /// A table below this one.
    pub fn section(&mut self, key: &'static str) -> Option<Section<'p>> {
        let value = self.take(key)?;
        if let Value::Table(table) = value {
            return Some(Section {
                at: self.key(key),
                table,
                asked: Vec::new(),
                problems: self.problems,
            });
        }
        let expected = format!("a table; write it as [{}]", self.key(key));
        self.wrong(key, &value, &expected);
        None
    }

    /// A list of tables below this one.
    pub fn sections(&mut self, key: &'static str) -> Vec<Section<'p>> {
        let expected = format!("a list of tables; write each as [[{}]]", self.key(key));
        let items = match self.take(key) {
            None => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(other) => {
                self.wrong(key, &other, &expected);
                return Vec::new();
            }
        };
        let mut sections = Vec::new();
        for (at, item) in items.into_iter().enumerate() {
            if let Value::Table(table) = item {
                sections.push(Section {
                    at: format!("{}[{at}]", self.key(key)),
                    table,
                    asked: Vec::new(),
                    problems: self.problems,
                });
            } else {
                self.wrong(key, &item, &expected);
            }
        }
        sections
    }

    /// Every table below this one that nothing asked for, each with its name.
    pub fn named_sections(&mut self) -> Vec<(String, Section<'p>)> {
        let mut sections = Vec::new();
        for (name, value) in std::mem::take(&mut self.table) {
            if let Value::Table(table) = value {
                let at = self.key(&name);
                let section = Section {
                    at,
                    table,
                    asked: Vec::new(),
                    problems: self.problems,
                };
                sections.push((name, section));
            } else {
                let expected = format!("a table; write it as [{}]", self.key(&name));
                self.wrong(&name, &value, &expected);
            }
        }
        sections
    }

    /// A text, number or yes and no, as text; the key may be asked for again.
    pub fn value(&mut self, key: &'static str, expected: &str) -> Option<String> {
        self.asked.push(key);
        let value = self.table.get(key)?;
        match value {
            Value::String(text) => return Some(text.clone()),
            Value::Integer(number) => return Some(number.to_string()),
            Value::Boolean(true) => return Some("yes".to_owned()),
            Value::Boolean(false) => return Some("no".to_owned()),
            Value::Float(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => {}
        }
        self.wrong(key, value, expected);
        None
    }

    /// Leaves keys alone that are for another program.
    pub fn skip(&mut self, keys: impl Iterator<Item = &'static str>) {
        self.asked.extend(keys);
    }

    /// Notes something about a key.
    pub fn note(&self, key: &str, text: &str) {
        self.problems.note(Problem::new(self.key(key), text));
    }

    fn unknown(&self) -> impl Iterator<Item = &String> {
        let asked = &self.asked;
        let keys = self.table.keys();
        keys.filter(|key| !asked.contains(&key.as_str()))
    }

    /// Notes every key that nothing asked for, with the nearest that exists.
    pub fn finish(self) {
        for key in self.unknown() {
            let text = match nearest(key, &self.asked) {
                Some(near) => format!("unknown key; did you mean `{near}`?"),
                None => format!("unknown key; expected one of {}", listed(&self.asked)),
            };
            self.note(key, &text);
        }
    }

    /// Leaves keys alone that nothing asked for, because another program may; warns of what looks mistyped.
    pub fn finish_lenient(self, warnings: &mut Vec<Problem>) {
        for key in self.unknown() {
            if let Some(near) = nearest(key, &self.asked) {
                let text = format!("not known to this program; did you mean `{near}`?");
                warnings.push(Problem::new(self.key(key), text));
            }
        }
    }
}

/// The likeliest of `known` for a mistyped word, if one is near.
#[must_use]
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= 2.max(candidate.len() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `a`, `b` and so on, for people.
#[must_use]
pub fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}

/// A value as the file has it, short.
fn shown(value: &Value) -> String {
    const LIMIT: usize = 60;
    let text = match value {
        Value::Table(_) => "a table".to_owned(),
        Value::Array(_) => "this list".to_owned(),
        Value::String(text) => format!("`{text}`"),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {
            format!("`{value}`")
        }
    };
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = clean.take(LIMIT).collect();
    if text.chars().count() > LIMIT {
        short.push('…');
    }
    short
}
