//! For monitors: is it alive, and a few figures. No names, models or reasons in either.

use crate::site::Site;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use net_model::Snapshot;
use std::sync::Arc;

pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

pub(crate) async fn metrics(State(site): State<Arc<Site>>) -> impl IntoResponse {
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    let mut text = text(&site.snapshot());
    if let Some(entries) = site.app.journal.chronicle.lines_read() {
        let help = "Entries of the kill switch's journal that the dashboard has read.";
        text.push_str(&gauge("journal_entries_read", help, entries));
    }
    let (told, left_out) = site.violations.counts();
    for (name, help, value) in [
        (
            "csp_violations_total",
            "What browsers kept from pages because it breaks their policy.",
            told,
        ),
        (
            "csp_reports_left_out_total",
            "Reports of browsers that came too fast or could not be read.",
            left_out,
        ),
    ] {
        let name = format!("portcullis_{name}");
        text.push_str(&format!(
            "# HELP {name} {help}\n# TYPE {name} counter\n{name} {value}\n"
        ));
    }
    ([(header::CONTENT_TYPE, kind)], text)
}

fn gauge(name: &str, help: &str, value: u64) -> String {
    let name = format!("portcullis_{name}");
    format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n")
}

/// The Prometheus text form, version 0.0.4. Figures of a part that cannot be read are left out.
fn text(snapshot: &Snapshot) -> String {
    let mut text = String::new();
    let mut gauge = |name: &str, help: &str, value: u64| {
        text.push_str(&self::gauge(name, help, value));
    };
    let read = u64::from(snapshot.killswitch.is_ok());
    gauge(
        "killswitch_readable",
        "Whether the kill switch answers.",
        read,
    );
    let read = u64::from(snapshot.gateway.is_ok());
    gauge("gateway_readable", "Whether the gateway answers.", read);
    if let Ok(state) = &snapshot.killswitch {
        let cut = state.latches.as_slice().len() as u64;
        gauge("latches", "Scopes that are cut.", cut);
        let silent = state.agents.iter().filter(|a| a.problem.is_some()).count();
        gauge(
            "agents_with_problem",
            "Node agents that are not well.",
            silent as u64,
        );
        let bad = state.canaries.points.saturating_sub(state.canaries.good);
        gauge(
            "canaries_failing",
            "Probe points that did not answer as they should.",
            bad.into(),
        );
        let locked = u64::from(state.restore_locked);
        gauge("restore_locked", "Whether RESTORE is locked.", locked);
        gauge(
            "warnings",
            "What someone should look at.",
            state.warnings.len() as u64,
        );
    }
    if let Ok(gateway) = &snapshot.gateway {
        gauge("open_exchanges", "Exchanges open now.", gateway.open.into());
    }
    let hour = &snapshot.last_hour;
    gauge(
        "last_hour_exchanges",
        "Exchanges that ended in the last hour.",
        hour.exchanges,
    );
    gauge(
        "last_hour_prompt_tokens",
        "Prompt tokens of the last hour.",
        hour.prompt_tokens,
    );
    gauge(
        "last_hour_completion_tokens",
        "Answer tokens of the last hour.",
        hour.completion_tokens,
    );
    text
}
