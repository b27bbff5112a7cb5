//! The alerts there are: from the first sign of each to its end. Bounded for each host, so that one that makes up
//! troubles fills neither the book nor the database.

use super::{AlertRules, Condition, Rule};
use kill_wire::Timestamp;
use net_model::{AlertView, HostName};
use std::collections::{BTreeMap, VecDeque};

/// Alerts of one host at a time.
const OPEN: usize = 32;
/// New alerts of one host in an hour; more are counted with the first.
const AN_HOUR: usize = 24;
/// What comes again so soon after its end is the same alert.
const SAME_MS: u64 = 3_600_000;
const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// What an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) host: Option<HostName>,
    pub(crate) rule: Rule,
    pub(crate) subject: String,
}

#[derive(Clone, Debug)]
struct Entry {
    text: String,
    began: Timestamp,
    /// Its number, once it has lasted.
    view: Option<AlertView>,
    ended: Option<Timestamp>,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Book {
    entries: BTreeMap<Key, Entry>,
    last: u64,
    changed: BTreeMap<u64, AlertView>,
    texts: VecDeque<Timestamp>,
    begun: BTreeMap<Option<HostName>, VecDeque<Timestamp>>,
}

impl Book {
    /// As it stood when the program last ran.
    pub(crate) fn open(firing: Vec<AlertView>, last: u64) -> Self {
        let mut book = Self {
            last,
            ..Self::default()
        };
        for view in firing {
            let rule = Rule::ALL
                .into_iter()
                .find(|rule| rule.as_str() == view.rule);
            let Some(rule) = rule else { continue };
            let key = Key {
                host: view.host.clone(),
                rule,
                subject: view.subject.clone(),
            };
            let entry = Entry {
                text: view.text.clone(),
                began: view.since,
                view: Some(view),
                ended: None,
            };
            book.entries.insert(key, entry);
        }
        book
    }

    /// It is so, in these words, or it is over.
    pub(crate) fn set(&mut self, key: Key, text: Option<String>, now: Timestamp) {
        match text {
            Some(text) => self.begin(key, text, now),
            None => self.end(&key, now),
        }
    }

    /// All that `rules` find of one host now; what they found before and find no more is over.
    pub(crate) fn replace(
        &mut self,
        host: &HostName,
        rules: &[Rule],
        found: Vec<Condition>,
        now: Timestamp,
    ) {
        let of_host = |key: &Key| key.host.as_ref() == Some(host) && rules.contains(&key.rule);
        let gone = |key: &Key| {
            let same = |it: &Condition| it.rule == key.rule && it.subject == key.subject;
            of_host(key) && !found.iter().any(same)
        };
        let open = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.ended.is_none());
        let over: Vec<Key> = open
            .map(|(key, _)| key)
            .filter(|key| gone(key))
            .cloned()
            .collect();
        for key in over {
            self.end(&key, now);
        }
        for Condition {
            rule,
            subject,
            text,
        } in found
        {
            let host = Some(host.clone());
            self.begin(
                Key {
                    host,
                    rule,
                    subject,
                },
                text,
                now,
            );
        }
    }

    /// Nothing of this host is wrong any more: it has left.
    pub(crate) fn forget(&mut self, host: &HostName, now: Timestamp) {
        self.replace(host, &Rule::ALL, Vec::new(), now);
        self.begun.remove(&Some(host.clone()));
    }

    fn begin(&mut self, key: Key, text: String, now: Timestamp) {
        if let Some(entry) = self.entries.get_mut(&key) {
            if entry.ended.take().is_some() && entry.view.is_none() {
                entry.began = now;
            }
            if let Some(view) = entry.view.as_mut().filter(|view| view.ended.is_some()) {
                view.ended = None;
                self.changed.insert(view.id, view.clone());
            }
            entry.text = text;
            return;
        }
        let of_host = self.entries.keys().filter(|known| known.host == key.host);
        let begun = self.begun.entry(key.host.clone()).or_default();
        begun.retain(|at| now.since(*at) < HOUR_MS);
        if of_host.count() >= OPEN || begun.len() >= AN_HOUR {
            return;
        }
        begun.push_back(now);
        let entry = Entry {
            text,
            began: now,
            view: None,
            ended: None,
        };
        self.entries.insert(key, entry);
    }

    fn end(&mut self, key: &Key, now: Timestamp) {
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        match &mut entry.view {
            None => {
                self.entries.remove(key);
            }
            Some(view) if view.ended.is_none() => {
                entry.ended = Some(now);
                view.ended = Some(now);
                self.changed.insert(view.id, view.clone());
            }
            Some(_) => {}
        }
    }

    /// Makes alerts of what has lasted long enough, and gives those that people should be told of now.
    pub(crate) fn due(&mut self, rules: &AlertRules, now: Timestamp) -> Vec<AlertView> {
        self.entries
            .retain(|_, entry| entry.ended.is_none_or(|ended| now.since(ended) < SAME_MS));
        self.texts.retain(|at| now.since(*at) < DAY_MS);
        let room = self.texts.len() < rules.texts_a_day;
        let mut tell = Vec::new();
        for (key, entry) in &mut self.entries {
            let settings = rules.of(key.rule);
            if entry.ended.is_some() || now.since(entry.began) < settings.lasts * 1000 {
                continue;
            }
            let quiet = rules.quiet(key.rule, now);
            let (last, before) = (&mut self.last, entry.view.clone());
            let view = entry.view.get_or_insert_with(|| {
                *last += 1;
                fresh(*last, key, entry.began)
            });
            view.text.clone_from(&entry.text);
            view.quiet = quiet && view.told.is_none();
            if settings.tell && !quiet && room && view.told.is_none() {
                tell.push(view.clone());
            }
            if before.as_ref() != Some(view) {
                self.changed.insert(view.id, view.clone());
            }
        }
        tell
    }

    /// People were told of these, in one text.
    pub(crate) fn told(&mut self, ids: &[u64], now: Timestamp) {
        self.texts.push_back(now);
        for view in self
            .entries
            .values_mut()
            .filter_map(|entry| entry.view.as_mut())
        {
            if ids.contains(&view.id) {
                view.told = Some(now);
                self.changed.insert(view.id, view.clone());
            }
        }
    }

    /// What has changed since it was last asked, to be written down.
    pub(crate) fn changed(&mut self) -> Vec<AlertView> {
        std::mem::take(&mut self.changed).into_values().collect()
    }

    /// These could not be written down: they are given again.
    pub(crate) fn not_kept(&mut self, views: Vec<AlertView>) {
        for view in views {
            self.changed.entry(view.id).or_insert(view);
        }
    }

    /// How many alerts fire now.
    pub(crate) fn firing(&self) -> usize {
        let fires = |entry: &&Entry| entry.view.is_some() && entry.ended.is_none();
        self.entries.values().filter(fires).count()
    }
}

fn fresh(id: u64, key: &Key, since: Timestamp) -> AlertView {
    AlertView {
        id,
        rule: key.rule.as_str().to_owned(),
        host: key.host.clone(),
        subject: key.subject.clone(),
        text: String::new(),
        since,
        ended: None,
        quiet: false,
        told: None,
    }
}

#[cfg(test)]
mod tests;
