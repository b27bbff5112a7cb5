//! One call to a model: registered, admitted, sent to the first target that is open and able, and passed back.

use crate::{
    account::Account,
    admission::{Caller, Table, point, shown},
    app::App,
    clock,
    deny::Denied,
    headers,
    inflow::Inflow,
    intake::Taken,
    line::Line,
    live::Live,
    meter::{Meter, prompt_estimate},
    registry::{Exchange, Sort, Standing},
    relay::Relay,
    reply::Reply,
    upstream::{Ask, is_unable},
};
use bytes::Bytes;
use gateway_core::dialect::{Asked, Framing, at_target};
use http::{Request, Response, request::Parts, uri::PathAndQuery};
use hyper::body::Incoming;
use kill_wire::ProbePoint;
use net_model::{Api, Consumer, Ended, Route, Target};
use std::sync::Arc;

/// Answers a consumer's call, asked in `api`. Every path on which a model works leads here.
pub(crate) async fn call(
    app: &Arc<App>,
    line: &Arc<Line>,
    api: Api,
    request: Request<Inflow>,
) -> Result<Response<Reply>, Denied> {
    let table = app.table.load_full();
    let Caller::Consumer(at) = table.caller(request.headers(), app.probe_key)? else {
        return Err(Denied::NoSuchWay("the probe header is missing"));
    };
    let cord = line.cord();
    let standing = Standing::Undecided(Arc::clone(&table), at);
    let exchange = app
        .registry
        .begin(cord, Sort::Call, standing.clone(), clock::now());
    standing.may_go_on(app.in_force.load().as_deref())?;
    let id = format!("{}-{}", app.boot, exchange.id());
    let mut account = Account::open(&app.books, cord, id, api);
    let call = Call {
        app,
        table: &table,
        consumer: table.consumer(at)?,
        exchange: &exchange,
    };
    let answer = cord
        .cut()
        .run_until_cancelled(call.run(request, &mut account))
        .await;
    match answer {
        None => Err(cord.refusal()),
        Some(_) if cord.cut().is_cancelled() => Err(cord.refusal()),
        Some(Err(denied)) => {
            account.ended(Ended::UpstreamFailed, Some(denied.status().as_u16()));
            Err(denied)
        }
        Some(Ok(answer)) => Ok(answer.relay(line, account, exchange)),
    }
}

/// A target's answer, before its body.
struct Answer {
    response: Response<Incoming>,
    live: Live,
    point: ProbePoint,
    target: Target,
}

impl Answer {
    fn relay(self, line: &Arc<Line>, mut account: Account, exchange: Exchange) -> Response<Reply> {
        let (head, body) = self.response.into_parts();
        let framing = headers::framing(&head.headers);
        let mut passed = headers::for_client(&head.headers, &self.target, account.id());
        if framing != Framing::Whole {
            // A cut may add an event: the length the target announced would forbid it.
            passed.remove(http::header::CONTENT_LENGTH);
        }
        let meter = match framing {
            Framing::Events | Framing::Lines => Meter::of_events(),
            Framing::Whole => Meter::of_whole(),
        };
        account.answered(head.status.as_u16(), meter);
        let relay = Relay::new((body, self.live), framing, line, account, exchange);
        let mut response = Response::new(Reply::Relay(Box::new(relay)));
        *response.status_mut() = head.status;
        *response.headers_mut() = passed;
        response
    }
}

/// What a client asked.
struct Question<'a> {
    head: &'a Parts,
    body: &'a Bytes,
    asked: &'a Asked<'a>,
    model: &'a str,
}

impl Question<'_> {
    /// The body as it came, but for the name under which this target knows the model.
    fn body_for(&self, target: &Target) -> Bytes {
        let known_as = target.model(self.model);
        if known_as == self.model {
            self.body.clone()
        } else {
            self.asked.renamed(self.body, known_as).into()
        }
    }
}

/// One call while no answer has begun.
struct Call<'a> {
    app: &'a App,
    table: &'a Table,
    consumer: &'a Consumer,
    exchange: &'a Exchange,
}

impl Call<'_> {
    async fn run(&self, request: Request<Inflow>, account: &mut Account) -> Result<Answer, Denied> {
        let (head, body) = request.into_parts();
        let taken = Taken::take(&self.app.held, body).await?;
        let asked = Asked::read(account.api(), &taken.bytes)?;
        let model = asked.model.as_deref().ok_or(Denied::NoModel)?;
        if asked.background {
            return Err(Denied::Background);
        }
        self.exchange.describe(&shown(model), asked.stream);
        account.asked(shown(model), asked.stream, prompt_estimate(&taken.bytes));
        let route = self.table.route(self.consumer, model)?;
        let question = Question {
            head: &head,
            body: &taken.bytes,
            asked: &asked,
            model,
        };
        self.try_targets(route, &question, account).await
    }

    /// Asks the route's targets in their order. What a scope closes is passed over; what cannot serve gives way to
    /// the next. The last answer stands, whatever it says.
    async fn try_targets(
        &self,
        route: &Route,
        question: &Question<'_>,
        account: &mut Account,
    ) -> Result<Answer, Denied> {
        let mut refusal = None;
        let mut unable: Option<Target> = None;
        let mut last = None;
        let api = account.api();
        for target in self.table.wanted().targets_of(route) {
            if !target.kind.speaks(api) {
                continue;
            }
            let point = point(self.consumer, route, target);
            if let Err(denied) = self.stand(&point) {
                refusal = refusal.or(Some(denied));
                continue;
            }
            if let Some(from) = unable.take() {
                self.app.books.metrics.fell_back(
                    route.name.as_str(),
                    from.name.as_str(),
                    target.name.as_str(),
                );
            }
            account.asking(point.clone());
            match self.ask(target, question).await {
                Some((response, live)) => {
                    let answer = Answer {
                        point,
                        target: target.clone(),
                        live,
                        response,
                    };
                    if !is_unable(answer.response.status()) {
                        return Ok(answer);
                    }
                    last = Some(answer);
                }
                None => last = None,
            }
            unable = Some(target.clone());
        }
        match last {
            Some(answer) => {
                self.stand(&answer.point)?;
                Ok(answer)
            }
            None if unable.is_some() => Err(Denied::UpstreamFailed),
            None => Err(refusal.unwrap_or(Denied::NoSuchApi(api))),
        }
    }

    /// Takes a place on this way first, and asks whether it is open only then: a cut finds the one or the other.
    fn stand(&self, point: &ProbePoint) -> Result<(), Denied> {
        self.exchange.choose(point.clone());
        self.app.in_force.admits(&point.subject())
    }

    async fn ask(
        &self,
        target: &Target,
        question: &Question<'_>,
    ) -> Option<(Response<Incoming>, Live)> {
        let head = question.head;
        let asked = head.uri.path_and_query().map_or("", PathAndQuery::as_str);
        let ask = Ask {
            target,
            method: head.method.clone(),
            path: &at_target(target.base_url.prefix(), asked),
            headers: headers::for_target(&head.headers, target),
            body: question.body_for(target),
        };
        match self.app.upstreams.ask(&ask).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(target_name = %target.name, %error, cause, "A target gave no answer.");
                None
            }
        }
    }
}
