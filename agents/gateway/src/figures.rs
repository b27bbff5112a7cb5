//! Asks a streaming target for its figures where the client did not, as far as the target lets itself be asked.

use crate::{
    app::App,
    attempt::{Outcome, attempt},
    beside::beside,
    deny::Denied,
    targets::Seat,
    upstream::Ask,
};
use gateway_core::usage::with_usage;
use http::StatusCode;
use net_model::Api;

/// Asks a target once; a second time without the question for figures, when it may have refused just that.
pub(crate) async fn attempt_with_figures(
    app: &App,
    api: Api,
    mut ask: Ask<'_>,
    streams: bool,
    seat: &mut Seat,
) -> Result<Outcome, Denied> {
    let known = &app.books.known;
    let asks = streams && known.gives_figures(&ask.target.name);
    let question = if asks {
        let body = ask.body.clone();
        beside(body.len(), move || with_usage(api, &body)).await?
    } else {
        None
    };
    let Some(question) = question else {
        return Ok(attempt(&app.upstreams, &ask, streams, seat).await);
    };
    let plain = std::mem::replace(&mut ask.body, question);
    let mut outcome = attempt(&app.upstreams, &ask, streams, seat).await;
    if !refuses(&outcome) {
        if let Outcome::Serves(answered) | Outcome::Unable(answered, _) = &mut outcome {
            answered.hides_figures = true;
        }
        return Ok(outcome);
    }
    // Its connection first.
    drop(outcome);
    ask.body = plain;
    let outcome = attempt(&app.upstreams, &ask, streams, seat).await;
    if let Outcome::Serves(answered) = &outcome
        && answered.head.status.is_success()
    {
        known.refuses_figures(&ask.target.name);
    }
    Ok(outcome)
}

/// Whether the request as it stood was refused.
fn refuses(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Serves(answered) if matches!(
            answered.head.status,
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY
        )
    )
}
