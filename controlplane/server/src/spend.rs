//! `portcullis spend`: what was used and what it cost, out of the ledger.

use crate::{
    clock, http,
    out::{Out, Paint},
    paths::Home,
};
use anyhow::bail;
use clap::{Args, ValueEnum};
use kill_wire::Timestamp;
use net_model::UsageTotals;
use serde_json::json;
use store::{Spending, Store};

const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

/// What to add up.
#[derive(Debug, Args)]
pub(crate) struct SpendArgs {
    /// Since how long ago: minutes, hours or days, such as `90m`, `24h`, `30d`
    #[arg(long, default_value = "24h", value_parser = span)]
    pub(crate) since: u64,
    /// One line for each
    #[arg(long, value_enum, default_value = "consumer")]
    pub(crate) by: By,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum By {
    /// Who asked
    Consumer,
    /// The model asked for
    Model,
    /// Who answered
    Target,
    /// The route
    Route,
    /// Which gateway told of it
    Source,
    /// Day (UTC)
    Day,
}

impl By {
    /// As the API names it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Consumer => "consumer",
            Self::Model => "model",
            Self::Target => "target",
            Self::Route => "route",
            Self::Source => "source",
            Self::Day => "day",
        }
    }

    const fn spending(self) -> Spending {
        match self {
            Self::Consumer => Spending::Consumer,
            Self::Model => Spending::Model,
            Self::Target => Spending::Target,
            Self::Route => Spending::Route,
            Self::Source => Spending::Source,
            Self::Day => Spending::Day,
        }
    }
}

/// Milliseconds.
fn span(text: &str) -> Result<u64, String> {
    let wrong = || "expected a number and m, h or d, such as 24h".to_owned();
    let unit = match text.chars().next_back() {
        Some('m') => MINUTE,
        Some('h') => 60 * MINUTE,
        Some('d') => DAY,
        _ => return Err(wrong()),
    };
    let number = text.get(..text.len() - 1).unwrap_or_default();
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(unit).ok_or_else(wrong)
}

/// Prints what the ledger holds.
pub(crate) fn print(home: &Home, args: &SpendArgs, json: bool) -> anyhow::Result<()> {
    let path = home.database();
    if !path.exists() {
        bail!(
            "there is no ledger at {}; the control plane makes it",
            path.display()
        );
    }
    let since = clock::now().millis().saturating_sub(args.since);
    let since = Timestamp::from_millis(since);
    let (total, rows) = http::block_on(async {
        let store = Store::open(&path).await?;
        let total = store.usage_since(since).await?;
        let rows = store.spending(args.by.spending(), since).await?;
        store.close().await;
        Ok((total, rows))
    })?;
    let rows: Vec<(String, UsageTotals)> = rows
        .into_iter()
        .map(|(name, totals)| (named(args.by, name), totals))
        .collect();
    show(since, &total, &rows, json)
}

/// The same, wherever it comes from.
pub(crate) fn show(
    since: Timestamp,
    total: &UsageTotals,
    rows: &[(String, UsageTotals)],
    json: bool,
) -> anyhow::Result<()> {
    let mut out = Out::stdout();
    if json {
        let each: Vec<_> = rows
            .iter()
            .map(|(name, totals)| json!({ "name": name, "totals": totals }))
            .collect();
        out.json(&json!({ "since": since, "total": total, "rows": each }))?;
        return Ok(());
    }
    let head = format!(
        "{:<32} {:>9} {:>14} {:>14} {:>14}  unknown price",
        "", "exchanges", "asked", "answered", "dollars"
    );
    out.line(out.paint(Paint::Bold, &head))?;
    for (name, totals) in rows {
        row(&mut out, name, totals)?;
    }
    row(&mut out, "total", total)?;
    Ok(())
}

/// A day as it is written: RFC 3339 begins with it.
fn named(by: By, name: String) -> String {
    match (by, name.parse::<u64>()) {
        (By::Day, Ok(day)) => {
            let text = Timestamp::from_millis(day.saturating_mul(DAY)).to_string();
            text.chars().take(10).collect()
        }
        _ => name,
    }
}

fn row(out: &mut Out, name: &str, it: &UsageTotals) -> std::io::Result<()> {
    let unknown = match it.unknown_price {
        0 => String::new(),
        some => out.paint(Paint::Yellow, &format!("  {some}")),
    };
    // What a model is called came from a client.
    let name: String = name
        .chars()
        .filter(|it| !it.is_control())
        .take(32)
        .collect();
    out.line(format_args!(
        "{name:<32} {:>9} {:>14} {:>14} {:>14}{unknown}",
        it.exchanges,
        it.prompt_tokens,
        it.completion_tokens,
        it.cost.to_string(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_days_are_read_as_people_write_them() {
        assert_eq!(span("90m"), Ok(90 * MINUTE));
        assert_eq!(span("24h"), Ok(DAY));
        assert_eq!(span("30d"), Ok(30 * DAY));
        for wrong in ["", "d", "5", "-1d", "1w", "é", "99999999999999999999d"] {
            assert!(span(wrong).is_err(), "{wrong}");
        }
        assert_eq!(named(By::Day, "20000".to_owned()), "2024-10-04");
        assert_eq!(named(By::Model, "20000".to_owned()), "20000");
    }
}
