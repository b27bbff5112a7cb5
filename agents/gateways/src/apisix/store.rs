//! Where an APISIX keeps its configuration: in etcd, one object at a time; or in its memory, all at once.

use super::Keeps;
use super::admin::{Admin, NotDone};
use super::compare::{Plan, Stored};
use super::document::{Document, replaced};
use super::names::{CUT, Kind};
use crate::GatewayError;
use net_model::Secret;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;

/// Longest list, in entries; what is more is refused rather than half read.
const MOST: usize = 10_000;

/// One connection to the configuration.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) admin: Admin,
    keeps: Keeps,
}

/// A global rule.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) plugins: Value,
}

impl Store {
    pub(super) fn new(at: SocketAddr, key: &Secret, keeps: Keeps) -> Self {
        Self {
            admin: Admin::new(at, key),
            keeps,
        }
    }

    /// Every global rule; and whether the gateway holds nothing at all, where that can be told.
    pub(super) async fn rules(&self, limit: Duration) -> Result<(Vec<Rule>, bool), GatewayError> {
        match self.keeps {
            Keeps::Etcd => {
                let list = self.admin.get("global_rules", limit).await?;
                let values = listed(list)?.into_iter();
                Ok((
                    values.filter_map(|(_, value)| rule(&value)).collect(),
                    false,
                ))
            }
            Keeps::Standalone => {
                let document = self.document(limit).await?;
                let rules = document.section("global_rules");
                Ok((rules.iter().filter_map(rule).collect(), document.is_empty()))
            }
        }
    }

    /// Puts our global rule in force, or takes it away.
    pub(super) async fn cut(&self, rule: Option<&Value>, limit: Duration) -> Result<(), NotDone> {
        match self.keeps {
            Keeps::Etcd => {
                let path = format!("global_rules/{CUT}");
                self.admin.write(&path, rule, limit).await
            }
            Keeps::Standalone => match self.push_cut(rule, limit / 4).await {
                // Somebody wrote between our look and our word.
                Err(NotDone::Refused(_)) => self.push_cut(rule, limit / 4).await,
                done => done,
            },
        }
    }

    async fn push_cut(&self, rule: Option<&Value>, each: Duration) -> Result<(), NotDone> {
        let document = self.document(each).await.map_err(NotDone::Refused)?;
        let rules = document.section("global_rules");
        let rules = replaced(rules, "id", CUT, rule.cloned());
        let (body, digest) = document.with(&[("global_rules", rules)]);
        self.admin.push(&body, &digest, each).await
    }

    /// Everything of the kinds that we keep.
    pub(super) async fn stored(&self, limit: Duration) -> Result<Vec<Stored>, GatewayError> {
        let mut all = Vec::new();
        match self.keeps {
            Keeps::Etcd => {
                for kind in Kind::ALL {
                    let list = self.admin.get(kind.section(), limit).await?;
                    let values = listed(list)?.into_iter();
                    all.extend(values.map(|(id, value)| Stored { kind, id, value }));
                }
            }
            Keeps::Standalone => {
                let document = self.document(limit).await?;
                all.extend(Kind::ALL.iter().flat_map(|kind| document.stored(*kind)));
            }
        }
        Ok(all)
    }

    /// Carries out a plan as far as it goes. Gives what was not done, a line each.
    pub(super) async fn carry_out(&self, plan: &Plan, limit: Duration) -> Vec<String> {
        match self.keeps {
            Keeps::Etcd => self.one_by_one(plan, limit).await,
            Keeps::Standalone => {
                let done = self.at_once(plan, limit).await;
                done.err().map(|why| why.to_string()).into_iter().collect()
            }
        }
    }

    async fn one_by_one(&self, plan: &Plan, limit: Duration) -> Vec<String> {
        let put = plan.put.iter();
        let put = put.map(|one| (one.kind, one.id.as_str(), Some(&one.value)));
        let delete = plan.delete.iter();
        let delete = delete.map(|(kind, id)| (*kind, id.as_str(), None));
        let mut failed = Vec::new();
        for (kind, id, value) in put.chain(delete) {
            let path = format!("{}/{id}", kind.section());
            match self.admin.write(&path, value, limit).await {
                Ok(()) => {}
                Err(NotDone::Refused(why @ GatewayError::Refused(_))) => {
                    failed.push(format!("{} {id}: {why}", kind.one()));
                }
                // A gateway that does not answer does not answer the next either.
                Err(NotDone::Refused(why) | NotDone::Unknown(why)) => {
                    failed.push(format!("{} {id} and what follows it: {why}", kind.one()));
                    break;
                }
            }
        }
        failed
    }

    async fn at_once(&self, plan: &Plan, limit: Duration) -> Result<(), GatewayError> {
        let document = self.document(limit).await?;
        let mut sections = Vec::new();
        for kind in Kind::ALL {
            let mut items = document.section(kind.section());
            let before = items.clone();
            for one in plan.put.iter().filter(|one| one.kind == kind) {
                items = replaced(items, kind.key(), &one.id, Some(one.value.clone()));
            }
            for (_, id) in plan.delete.iter().filter(|(of, _)| *of == kind) {
                items = replaced(items, kind.key(), id, None);
            }
            if items != before {
                sections.push((kind.section(), items));
            }
        }
        let (body, digest) = document.with(&sections);
        Ok(self.admin.push(&body, &digest, limit).await?)
    }

    async fn document(&self, limit: Duration) -> Result<Document, GatewayError> {
        self.admin.get("configs", limit).await.map(Document::of)
    }

    /// How many entries some other section has.
    pub(super) async fn count(
        &self,
        section: &str,
        limit: Duration,
    ) -> Result<usize, GatewayError> {
        match self.keeps {
            Keeps::Etcd => Ok(listed(self.admin.get(section, limit).await?)?.len()),
            Keeps::Standalone => Ok(self.document(limit).await?.section(section).len()),
        }
    }
}

/// The entries of a list: id and value. In etcd's form before version 3 there was another; that is refused.
fn listed(list: Option<Value>) -> Result<Vec<(String, Value)>, GatewayError> {
    let Some(list) = list else {
        return Ok(Vec::new());
    };
    let none = || GatewayError::Garbled("a list without entries".to_owned());
    let entries = match list.get("list") {
        Some(Value::Array(entries)) => entries,
        // An empty table is written as an object.
        Some(Value::Object(none)) if none.is_empty() => return Ok(Vec::new()),
        Some(_) | None => return Err(none()),
    };
    if entries.len() > MOST {
        return Err(GatewayError::Garbled(format!("more than {MOST} entries")));
    }
    let entry = |entry: &Value| {
        let key = entry.get("key").and_then(Value::as_str)?;
        let id = key.rsplit('/').next()?.to_owned();
        // Below a consumer stand its credentials.
        let own = !key.contains("/credentials/");
        own.then(|| Some((id, entry.get("value")?.clone())))
            .flatten()
    };
    Ok(entries.iter().filter_map(entry).collect())
}

/// An id may be a number, too.
fn rule(value: &Value) -> Option<Rule> {
    let id = value.get("id")?;
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    let plugins = value.get("plugins")?.clone();
    Some(Rule { id, plugins })
}
