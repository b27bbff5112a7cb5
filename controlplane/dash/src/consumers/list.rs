//! Consumers as they are shown: what the files say, beside what they used.

use crate::frame::Frame;
use crate::office::{self, ConsumerBook, ConsumerView, Trouble, TroubleKind};
use crate::site::Site;
use crate::view::{Outcome, When};
use askama::Template;
use kill_wire::Timestamp;
use net_model::{BudgetView, grouped};
use serde::Serialize;
use store::ConsumerSeen;

/// Everybody, with what each used.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) book: ConsumerBook,
    pub(super) used: Vec<Used>,
    budgets: Vec<BudgetView>,
}

/// What one used today (UTC).
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Used {
    pub(super) last_seen: Option<Timestamp>,
    pub(super) exchanges: u64,
    pub(super) tokens: u64,
    /// In millionths of a dollar.
    pub(super) cost_micro: u64,
}

impl From<ConsumerSeen> for Used {
    fn from(seen: ConsumerSeen) -> Self {
        Self {
            last_seen: seen.last,
            exchanges: seen.exchanges,
            tokens: seen.tokens,
            cost_micro: seen.cost.0,
        }
    }
}

pub(super) async fn read(site: &Site) -> Result<Found, Trouble> {
    let book = office::ask(site, |office| office.consumers()).await?;
    let names: Vec<&str> = book.consumers.iter().map(|it| it.name.as_str()).collect();
    let seen = site.app.store.consumers_seen(&names, site.now()).await;
    let seen = seen.map_err(|error| {
        tracing::warn!(%error, source = ?std::error::Error::source(&error), "What consumers used cannot be read.");
        let text = "The database does not answer. A cut needs none: `portcullis cut` works.";
        Trouble::new(TroubleKind::Unavailable, text)
    })?;
    let used = seen.into_iter().map(Used::from).collect();
    let snapshot = site.snapshot();
    let budgets = snapshot.gateway.as_ref().map(|facts| facts.budgets.clone());
    Ok(Found {
        book,
        used,
        budgets: budgets.unwrap_or_default(),
    })
}

#[derive(Debug)]
pub(super) struct Row {
    view: ConsumerView,
    role: String,
    routes: String,
    old_key: Option<When>,
    last: Option<When>,
    exchanges: String,
    tokens: String,
    cost: String,
    budgets: Vec<String>,
}

fn row(view: &ConsumerView, used: &Used, budgets: &[BudgetView]) -> Row {
    let own = format!("{}.own", view.name);
    let mine = budgets.iter().filter(|it| it.name.as_str() == own);
    Row {
        role: view.role.clone().unwrap_or_default(),
        routes: view.routes.join(", "),
        old_key: view.old_key_until.map(When::day),
        last: used.last_seen.map(When::day),
        exchanges: grouped(used.exchanges),
        tokens: grouped(used.tokens),
        cost: net_model::MicroDollars(used.cost_micro).to_string(),
        budgets: mine
            .map(|it| format!("{} of {}", it.unit.bare(it.spent), it.unit.say(it.limit)))
            .collect(),
        view: view.clone(),
    }
}

#[derive(Debug, Template)]
#[template(path = "house/consumers.html")]
pub(super) struct Consumers {
    frame: Frame,
    rows: Vec<Row>,
    routes: String,
    roles: Vec<String>,
    kept_in: String,
    may: bool,
    outcome: Option<Outcome>,
    key: Option<String>,
}

pub(super) fn page(
    frame: Frame,
    found: Found,
    may: bool,
    outcome: Option<Outcome>,
    key: Option<String>,
) -> Consumers {
    let pairs = found.book.consumers.iter().zip(&found.used);
    Consumers {
        frame,
        rows: pairs
            .map(|(view, used)| row(view, used, &found.budgets))
            .collect(),
        routes: found.book.routes.join(", "),
        roles: found.book.roles,
        kept_in: found.book.kept_in,
        may,
        outcome,
        key,
    }
}

#[derive(Debug, Template)]
#[template(path = "house/consumer.html")]
pub(super) struct One {
    frame: Frame,
    row: Row,
    routes: String,
    roles: Vec<String>,
    may: bool,
    outcome: Option<Outcome>,
    key: Option<String>,
}

/// None when there is nobody of that name.
pub(super) fn one(
    frame: Frame,
    found: Found,
    name: &str,
    may: bool,
    outcome: Option<Outcome>,
    key: Option<String>,
) -> Option<One> {
    let mut pairs = found.book.consumers.iter().zip(&found.used);
    let (view, used) = pairs.find(|(view, _)| view.name == name)?;
    Some(One {
        frame,
        row: row(view, used, &found.budgets),
        routes: found.book.routes.join(", "),
        roles: found.book.roles.clone(),
        may,
        outcome,
        key,
    })
}

#[derive(Debug, Template)]
#[template(path = "house/broken.html")]
pub(super) struct Broken {
    frame: Frame,
    heading: &'static str,
    outcome: Outcome,
}

/// The page when the files cannot be read.
pub(super) fn broken(frame: Frame, why: &Trouble) -> Broken {
    Broken {
        frame,
        heading: "Consumers",
        outcome: why.outcome("Consumers cannot be shown"),
    }
}

/// An amount for a field; empty where there is none.
fn amount(of: &Option<u64>) -> String {
    of.map(|it| it.to_string()).unwrap_or_default()
}
