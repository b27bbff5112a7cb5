//! Takes a changed file while the agent runs: read whole, every mistake said, what was in force kept where there is one.
//!
//! Of the file only `[gateway]` counts then: what managed gateways shall do. Whom the agent obeys, where it listens and what
//! it closes is what it was started with. A cut lies over all of that: nothing here reaches it.

use super::config::{self, Config};
use kill_config::{BadConfig, read_table};
use net_model::KeyHash;
use node_agent::DrivenView;
use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::{Table, Value};

/// Between two looks at the file and at the secrets it names.
pub(super) const EVERY: Duration = Duration::from_secs(1);
/// What is compared of a file.
const MOST_BYTES: u64 = 4 << 20;
/// The section that counts while the agent runs.
const LIVE: &str = "gateway";
/// Most mistakes that a report names; the log has all.
const MOST_SHOWN: usize = 3;

/// What stands in the file, and in those it names, without a word of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Content(Vec<(PathBuf, Option<String>)>);

/// What a look came to.
#[derive(Debug)]
enum News {
    /// As before, or still being written.
    None,
    /// A file that is one, and sections of it that count from the next start.
    Good(Box<Config>, Vec<String>),
    /// A file that is none.
    Bad(BadConfig),
}

/// Looks at the file again and again.
#[derive(Debug)]
pub(super) struct Rereading {
    path: PathBuf,
    /// As the agent was started.
    started: Table,
    /// As it was last taken, or refused.
    known: Content,
    /// As it was seen the last time: what still changes is not read.
    seen: Content,
}

impl Rereading {
    /// Begins with the file that the agent was started with.
    pub(super) fn of(path: &Path) -> Self {
        let known = content(path);
        Self {
            path: path.to_owned(),
            started: read_table(path).unwrap_or_default(),
            seen: known.clone(),
            known,
        }
    }

    /// Looks, and has what is managed follow. `asked`: whether somebody asked for it, who is answered also where nothing
    /// has changed.
    pub(super) fn look(&mut self, driven: &DrivenView, asked: bool) {
        match self.news(asked) {
            News::None => {}
            News::Good(config, later) => {
                for warning in &config.warnings {
                    tracing::warn!(key = warning.key, "{}", warning.text);
                }
                for section in later {
                    tracing::warn!(
                        section,
                        "This needs a restart: it counts from the next start."
                    );
                }
                driven.refuse(None);
                match &config.wanted {
                    Some(wanted) => {
                        driven.want(wanted);
                        tracing::info!("The file was read again.");
                    }
                    None => tracing::info!("The file was read again; no gateway is managed by it."),
                }
            }
            News::Bad(bad) => {
                tracing::error!("The file was not taken; what was in force stays. {bad}");
                let shown = bad.problems.iter().take(MOST_SHOWN);
                let shown: Vec<String> = shown.map(ToString::to_string).collect();
                driven.refuse(Some(shown.join("; ")));
            }
        }
    }

    fn news(&mut self, asked: bool) -> News {
        let now = content(&self.path);
        let settled = now == self.seen;
        self.seen = now.clone();
        if !asked && (!settled || now == self.known) {
            return News::None;
        }
        self.known = now;
        match config::read(&self.path) {
            Ok(config) => News::Good(Box::new(config), self.later()),
            Err(bad) => News::Bad(bad),
        }
    }

    /// Sections that are not what the agent was started with, and count from its next start.
    fn later(&self) -> Vec<String> {
        let now = read_table(&self.path).unwrap_or_default();
        let names: BTreeSet<&String> = now.keys().chain(self.started.keys()).collect();
        let other = |name: &&String| *name != LIVE && now.get(*name) != self.started.get(*name);
        names.into_iter().filter(other).cloned().collect()
    }
}

fn content(path: &Path) -> Content {
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let mut files = BTreeSet::new();
    if let Ok(table) = read_table(path) {
        named(&Value::Table(table), &mut files);
    }
    let files = files.into_iter().map(|file| folder.join(file));
    let all = std::iter::once(path.to_owned()).chain(files);
    Content(all.map(|file| (file.clone(), hash(&file))).collect())
}

/// Every text under a key that ends as those do which name files.
fn named(value: &Value, files: &mut BTreeSet<String>) {
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                if let Value::String(file) = value
                    && key.ends_with("_file")
                {
                    files.insert(file.clone());
                } else {
                    named(value, files);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| named(value, files)),
        Value::String(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_) => {}
    }
}

fn hash(file: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    let open = std::fs::File::open(file).ok()?;
    open.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
    Some(KeyHash::of(&bytes).to_hex())
}

#[cfg(test)]
mod tests;
