//! Ollama's `POST /api/show`: what a model can do. It costs nothing, and passes the same admission as a call.

use crate::{
    admission::{Caller, point},
    app::App,
    beside::beside,
    clock,
    deny::Denied,
    headers,
    inflow::Inflow,
    intake::Taken,
    line::Line,
    registry::{Sort, Standing},
    reply::{self, Reply},
    upstream::Ask,
};
use gateway_core::dialect::{Asked, at_target};
use http::{Request, Response};
use net_model::{Api, TargetKind};
use std::{sync::Arc, time::Duration};

/// A target that takes longer counts as unreachable.
const LIMIT: Duration = Duration::from_secs(5);

/// Answers for the first open target of the model's route that is an Ollama.
pub(crate) async fn answer(
    app: &Arc<App>,
    line: &Arc<Line>,
    request: Request<Inflow>,
) -> Result<Response<Reply>, Denied> {
    let cord = line.cord();
    let shown = show(app, line, request);
    let answer = cord.cut().run_until_cancelled(shown).await;
    match answer {
        None => Err(cord.refusal()),
        Some(_) if cord.cut().is_cancelled() => Err(cord.refusal()),
        Some(answer) => answer,
    }
}

async fn show(
    app: &Arc<App>,
    line: &Arc<Line>,
    request: Request<Inflow>,
) -> Result<Response<Reply>, Denied> {
    let table = app.table.load_full();
    let Caller::Consumer(at) = table.caller(request.headers(), app.probe_key)? else {
        return Err(Denied::NoSuchWay("the probe header is missing"));
    };
    let consumer = table.consumer(at)?;
    let standing = Standing::Undecided(Arc::clone(&table), at);
    let exchange = app
        .registry
        .begin(line.cord(), Sort::Uncounted, standing.clone(), clock::now());
    standing.may_go_on(app.in_force.load().as_deref())?;
    let (head, body) = request.into_parts();
    let taken = Taken::take(&app.held, body).await?;
    let body = taken.bytes.clone();
    let read = move || Asked::read(Api::OllamaChat, &body).map(Asked::into_owned);
    let asked = beside(taken.bytes.len(), read).await??;
    let model = asked.model.as_deref().ok_or(Denied::NoModel)?;
    let route = table.route(consumer, model)?;
    let mut refusal = Denied::NoSuchApi(Api::OllamaChat);
    for target in table.wanted().targets_of(route) {
        if target.kind != TargetKind::Ollama {
            continue;
        }
        let point = point(consumer, route, target);
        exchange.choose(point.clone());
        if let Err(denied) = app.in_force.admits(&point.subject()) {
            refusal = denied;
            continue;
        }
        let (question, body) = (asked.clone(), taken.bytes.clone());
        let name = target.model(model).to_owned();
        let renamed = move || question.renamed(&body, &name);
        let ask = Ask {
            target,
            method: head.method.clone(),
            path: &at_target(target.base_url.prefix(), "/api/show"),
            headers: headers::for_target(&head.headers, target),
            body: beside(taken.bytes.len(), renamed).await?.into(),
        };
        match app.upstreams.whole(&ask, LIMIT).await {
            Ok((status, text)) => {
                // Whatever the target said: when the way was closed meanwhile, that is the answer.
                app.in_force.admits(&point.subject())?;
                let mut response = reply::json(text.to_vec());
                *response.status_mut() = status;
                return Ok(response);
            }
            Err(_) => refusal = Denied::UpstreamFailed,
        }
    }
    Err(refusal)
}
