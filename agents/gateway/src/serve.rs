//! Every path of the data listener.

use crate::{
    app::App,
    deny::Denied,
    exchange,
    inflow::Inflow,
    line::Line,
    models, probe,
    reply::{self, Reply},
};
use http::{Method, Request, Response};
use kill_wire::{PROBE_HEADER, PROBE_POINTS_PATH};
use serde::Serialize;
use std::sync::Arc;

const CHAT: &str = "/v1/chat/completions";
const MODELS: &str = "/v1/models";
const HEALTH: &str = "/healthz";
const METRICS: &str = "/metrics";

/// Answers one request; a refusal is an answer too.
pub(crate) async fn answer(
    app: &Arc<App>,
    line: &Arc<Line>,
    request: Request<Inflow>,
) -> Response<Reply> {
    let answered = if let Some(why) = line.cord().why() {
        Err(why.clone())
    } else {
        dispatch(app, line, request).await
    };
    answered.unwrap_or_else(|denied| {
        app.books.metrics.refused(&denied);
        reply::refusal(&denied)
    })
}

async fn dispatch(
    app: &Arc<App>,
    line: &Arc<Line>,
    request: Request<Inflow>,
) -> Result<Response<Reply>, Denied> {
    match (request.method(), request.uri().path()) {
        (&Method::POST, CHAT) if request.headers().contains_key(PROBE_HEADER) => {
            probe::check(app, line, request.headers()).await
        }
        (&Method::POST, CHAT) => exchange::chat(app, line, request).await,
        (&Method::GET, MODELS) => models::list(app, line, request.headers()).await,
        (&Method::GET, PROBE_POINTS_PATH) => probe::points(app, request.headers()),
        (&Method::GET, HEALTH) => Ok(health(app)),
        (&Method::GET, METRICS) => Ok(reply::metrics(figures(app))),
        (_, CHAT | MODELS | PROBE_POINTS_PATH | HEALTH | METRICS) => Err(Denied::WrongMethod),
        _ => Err(Denied::UnknownPath),
    }
}

#[derive(Serialize)]
struct Health<'a> {
    status: &'static str,
    /// Number of the overlay in force.
    seq: Option<u64>,
    boot: &'a str,
    open: u32,
}

fn health(app: &App) -> Response<Reply> {
    let seq = app.in_force.load().map(|overlay| overlay.seq);
    let health = Health {
        status: if seq.is_some() { "serving" } else { "closed" },
        seq,
        boot: &app.boot,
        open: app.registry.open(),
    };
    reply::json(serde_json::to_vec(&health).unwrap_or_default())
}

fn figures(app: &App) -> String {
    let seq = app.in_force.load().map(|overlay| overlay.seq);
    app.books.metrics.text(app.registry.open(), seq)
}
