//! Probes: the kill switch goes a consumer's way, with a question that costs nothing, to see whether it is open.

use crate::{
    admission::Caller,
    app::App,
    clock,
    deny::Denied,
    hold,
    line::Line,
    registry::{Sort, Standing},
    reply::{self, Reply},
};
use http::{HeaderMap, Response};
use kill_wire::{HOLD_HEADER, PROBE_HEADER};
use std::{sync::Arc, time::Duration};

/// A target that takes longer counts as unreachable.
const LIMIT: Duration = Duration::from_secs(3);

/// Answers a call that carries the probe header.
pub(crate) async fn check(
    app: &Arc<App>,
    line: &Arc<Line>,
    headers: &HeaderMap,
) -> Result<Response<Reply>, Denied> {
    let table = app.table.load_full();
    only_prober(app, headers)?;
    let address = headers
        .get(PROBE_HEADER)
        .and_then(|value| value.to_str().ok())
        .ok_or(Denied::NoSuchWay("the probe header is not text"))?
        .parse()
        .map_err(Denied::NoSuchWay)?;
    let (point, target) = table.way(&address)?;
    let subject = point.subject();
    let exchange = app.registry.begin(
        line.cord(),
        Sort::Uncounted,
        Standing::Chosen(point.clone()),
        clock::now(),
    );
    app.in_force.admits(&subject)?;
    if headers.contains_key(HOLD_HEADER) {
        return Ok(hold::stream(line, exchange));
    }
    let asked = line
        .cord()
        .cut()
        .run_until_cancelled(app.upstreams.models(target, LIMIT))
        .await;
    // Whatever the target said: when the way was closed meanwhile, that is the answer.
    app.in_force.admits(&subject)?;
    match asked {
        None => Err(line.cord().refusal()),
        Some(Ok((status, _))) if !status.is_server_error() => {
            Ok(reply::json(br#"{"probe":"ok"}"#.to_vec()))
        }
        Some(Ok(_) | Err(_)) => Err(Denied::UpstreamFailed),
    }
}

/// Lists every way a probe can go. Never refused by a cut: it shows names only, to who holds the probe key.
pub(crate) fn points(app: &App, headers: &HeaderMap) -> Result<Response<Reply>, Denied> {
    only_prober(app, headers)?;
    let points = app.table.load().points();
    Ok(reply::json(serde_json::to_vec(&points).unwrap_or_default()))
}

fn only_prober(app: &App, headers: &HeaderMap) -> Result<(), Denied> {
    match app.table.load().caller(headers, app.probe_key)? {
        Caller::Probe => Ok(()),
        Caller::Consumer(_) => Err(Denied::WrongKey),
    }
}
