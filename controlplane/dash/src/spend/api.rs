//! Spending for programs: any side, since any instant.

use super::{By, Wanted, called, range};
use crate::answer::problem;
use crate::site::Site;
use crate::slice::{self, Slice};
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use kill_wire::Timestamp;
use net_model::{Remark, UsageTotals};
use serde::Deserialize;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::sync::Arc;
use store::{Spending, StoreError};

/// Rows of an answer where nothing else is asked.
const USUAL: u32 = 100;
/// Remarks of an answer.
const REMARKS: u32 = 50;

/// Since when, in place of whole days back.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Since {
    since: Option<u64>,
}

/// Everything that an answer is made of.
struct Read {
    rows: Vec<(String, UsageTotals)>,
    days: Vec<(String, UsageTotals)>,
    remarks: Vec<Remark>,
}

/// What was used, by one side, the dearest first; `after` counts the rows of the pages before.
pub(crate) async fn spend(
    State(site): State<Arc<Site>>,
    Query(wanted): Query<Wanted>,
    Query(since): Query<Since>,
    Query(slice): Query<Slice<u32>>,
) -> Response {
    let (first, now) = range(site.now(), wanted.span);
    let since = since.since.map_or(first, Timestamp::from_millis);
    let read = match read(&site, wanted.by, since).await {
        Ok(read) => read,
        Err(error) => {
            tracing::warn!(%error, source = ?std::error::Error::source(&error), "Spending cannot be read.");
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return problem(status, "unavailable", &error.to_string());
        }
    };
    let (limit, skipped) = (slice.limit(USUAL), slice.after.unwrap_or_default());
    let total = read.days.iter().map(|(_, day)| day.clone());
    let total = total.fold(UsageTotals::default(), UsageTotals::plus);
    let days: Vec<Value> = read.days.iter().map(|it| row(By::Day, it)).collect();
    let wide = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let rows = read.rows.iter().skip(wide(skipped));
    let rows = rows.take(wide(limit).saturating_add(1));
    let rows: Vec<Value> = rows.map(|it| row(wanted.by, it)).collect();
    let next = skipped.saturating_add(limit).to_string();
    let answer = slice::page(rows, limit, |_| next.clone());
    let snapshot = site.snapshot();
    let budgets = snapshot.gateway.as_ref().map(|facts| &facts.budgets);
    let more = json!({
        "by": wanted.by.row().0, "since": since, "until": now, "total": total, "days": days,
        "budgets": budgets.ok(), "remarks": read.remarks,
    });
    Json(slice::with(answer, more)).into_response()
}

async fn read(site: &Site, by: By, since: Timestamp) -> Result<Read, StoreError> {
    let store = &site.app.store;
    let mut rows = store.spending(by.row().2, since).await?;
    if by != By::Day {
        // Sorted by name already, which decides between equals.
        rows.sort_by_key(|(_, it)| Reverse((it.cost.0, it.exchanges)));
    }
    Ok(Read {
        rows,
        days: store.spending(Spending::Day, since).await?,
        remarks: store.remarks(REMARKS).await?,
    })
}

fn row(by: By, (name, totals): &(String, UsageTotals)) -> Value {
    slice::with(json!({ "name": called(by, name) }), json!(totals))
}
