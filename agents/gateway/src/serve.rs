//! Every path of the data listener.

use crate::{
    app::App,
    clock,
    deny::Denied,
    exchange,
    inflow::Inflow,
    line::Line,
    models,
    named::{Named, name_to_client},
    probe, realtime,
    reply::{self, Reply},
    show,
    telling::Telling,
};
use gateway_core::dialect::{Place, Shape, place};
use http::{HeaderMap, Method, Request, Response};
use kill_wire::{PROBE_HEADER, PROBE_POINTS_PATH};
use net_model::{Api, Family, TargetView};
use serde::Serialize;
use std::sync::Arc;

const HEALTH: &str = "/healthz";
const METRICS: &str = "/metrics";

/// Answers one request; a refusal is an answer too.
pub(crate) async fn answer(
    app: &Arc<App>,
    line: &Arc<Line>,
    mut request: Request<Inflow>,
) -> Response<Reply> {
    let family = family(&request);
    let note = app.followers.note(&mut request);
    // After the note: a trace that begins here is a neighbour's id, too.
    let named = Named::of(app, request.headers());
    let answered = if let Some(why) = line.cord().why() {
        Err(why.clone())
    } else {
        dispatch(app, line, &named, request).await
    };
    let (response, denied) = match answered {
        Ok(response) => (response, None),
        Err(denied) => {
            app.books.metrics.refused(&denied);
            let id = named.id(app);
            let asked_as = named.aliases.asked_as.as_ref();
            let response = reply::refusal(&denied, family, &id, asked_as);
            tell(app, &named, id, &denied);
            (response, Some(denied))
        }
    };
    if let Some(note) = note {
        note.answered(&response, denied.as_ref());
    }
    response
}

/// Tells of a refusal that no account tells of: nobody knows who asked, or it was no call.
fn tell(app: &App, named: &Named, id: String, denied: &Denied) {
    let now = clock::now();
    if named.is_untold() && app.books.pace.admits(false, now) {
        let telling = Telling::of(&named.aliases);
        let after = named.begun.elapsed();
        app.books.tell(telling.refused(id, now, after, denied));
    }
}

/// An answer with its ids.
fn called(mut response: Response<Reply>, app: &App, named: &Named) -> Response<Reply> {
    let asked_as = named.aliases.asked_as.as_ref();
    name_to_client(response.headers_mut(), &named.id(app), asked_as);
    response
}

/// In whose words a client of this path is refused; where the path tells nothing, in OpenAI's.
fn family(request: &Request<Inflow>) -> Family {
    match place(request.uri().path()) {
        Some(Place::Call(api)) => api.family(),
        Some(Place::Listing(of)) => match models::shape(of, request.headers()) {
            Shape::OpenAi => Family::OpenAi,
            Shape::Anthropic => Family::Anthropic,
            Shape::Ollama => Family::Ollama,
        },
        Some(Place::Show) => Family::Ollama,
        Some(Place::Session) | None => Family::OpenAi,
    }
}

async fn dispatch(
    app: &Arc<App>,
    line: &Arc<Line>,
    named: &Named,
    request: Request<Inflow>,
) -> Result<Response<Reply>, Denied> {
    let path = request.uri().path();
    // What is rarely asked lies apart, so that a call takes no room for it.
    match (request.method(), place(path)) {
        (&Method::POST, Some(Place::Call(Api::Chat)))
            if request.headers().contains_key(PROBE_HEADER) =>
        {
            // The kill switch's own question: what it is told, it tells.
            named.is_told();
            Box::pin(probe::check(app, line, request.headers())).await
        }
        (&Method::POST, Some(Place::Call(api))) => {
            exchange::call(app, line, (api, named), request).await
        }
        // HTTP/2 asks for a WebSocket by another method (RFC 8441), and is told why not.
        (&Method::GET | &Method::CONNECT, Some(Place::Session)) => {
            realtime::call(app, line, named, request).await
        }
        (&Method::GET, Some(Place::Listing(of))) => {
            let answer = models::answer(app, line, of, request.headers());
            Box::pin(answer).await.map(|it| called(it, app, named))
        }
        (&Method::POST, Some(Place::Show)) => {
            let answer = show::answer(app, line, request);
            Box::pin(answer).await.map(|it| called(it, app, named))
        }
        (_, Some(Place::Call(_) | Place::Session | Place::Listing(_) | Place::Show)) => {
            Err(Denied::WrongMethod)
        }
        (method, None) => own(app, method, path, request.headers()),
    }
}

/// What the gateway says of itself.
fn own(
    app: &App,
    method: &Method,
    path: &str,
    headers: &HeaderMap,
) -> Result<Response<Reply>, Denied> {
    match (method, path) {
        (&Method::GET, PROBE_POINTS_PATH) => probe::points(app, headers),
        (&Method::GET, HEALTH) => Ok(health(app)),
        (&Method::GET, METRICS) => Ok(reply::metrics(figures(app))),
        (_, PROBE_POINTS_PATH | HEALTH | METRICS) => Err(Denied::WrongMethod),
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
    /// How the targets fare.
    targets: Vec<TargetView>,
}

fn health(app: &App) -> Response<Reply> {
    let seq = app.in_force.load().map(|overlay| overlay.seq);
    let health = Health {
        status: if seq.is_some() { "serving" } else { "closed" },
        seq,
        boot: &app.boot,
        open: app.registry.open(),
        targets: app.table.load().views(),
    };
    reply::json(serde_json::to_vec(&health).unwrap_or_default())
}

fn figures(app: &App) -> String {
    let seq = app.in_force.load().map(|overlay| overlay.seq);
    let targets = app.table.load().views();
    app.books.metrics.budgets(&app.governor.budgets());
    app.books.metrics.text(app.registry.open(), seq, &targets)
}
