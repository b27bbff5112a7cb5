//! One call to a model: registered, admitted, sent to the first target that is open and able, and passed back.

use crate::{
    account::{Account, Expected},
    admission::{Caller, Table, point, shown},
    app::App,
    arriving::Arriving,
    attempt::{Answered, Outcome},
    clock,
    deny::Denied,
    detour::FALLBACK_HEADER,
    figures::attempt_with_figures,
    governor::{Permit, Wanted},
    headers,
    inflow::Inflow,
    intake::Taken,
    line::Line,
    named::{Named, name_to_target, told_as},
    question::{Question, Read},
    realtime::{self, Opened, Opening},
    registry::{Exchange, Sort, Standing},
    relay::Relay,
    reply::Reply,
    search::{Search, Why},
    targets::{Seat, Watched},
    upstream::Ask,
};
use bytes::Bytes;
use gateway_core::{
    choice::{Passed, Wish},
    dialect::{Asked, Dialed, Framing},
    usage::Form,
};
use http::{HeaderValue, Request, Response, StatusCode, request::Parts};
use kill_wire::ProbePoint;
use net_model::{Api, Consumer, Ended, Route, Target};
use std::{pin::pin, sync::Arc};

/// Answers a consumer's call, asked in `api`. Every path on which a model works leads here.
pub(crate) async fn call(
    app: &Arc<App>,
    line: &Arc<Line>,
    (api, named): (Api, &Named),
    mut request: Request<Inflow>,
) -> Result<Response<Reply>, Denied> {
    let table = app.table.load_full();
    let Caller::Consumer(at) = table.caller(request.headers(), app.probe_key)? else {
        return Err(Denied::NoSuchWay("the probe header is missing"));
    };
    let cord = line.cord();
    let standing = Standing::Undecided(Arc::clone(&table), at);
    let now = clock::now();
    let registry = &app.registry;
    let exchange = registry.begin_as(named.number, cord, Sort::Call, standing.clone(), now);
    let consumer = table.consumer(at)?;
    let mut account = Account::open(&app.books, cord, (named.id(app), named), api);
    account.noted(request.extensions_mut().remove(), consumer);
    if let Err(denied) = standing.may_go_on(app.in_force.load().as_deref()) {
        account.refused(&denied);
        return Err(denied);
    }
    let call = Call {
        app,
        table: &table,
        consumer,
        exchange: &exchange,
    };
    let opening = (api == Api::Realtime).then(|| Opening::read(app, &request));
    let opening = opening
        .transpose()
        .inspect_err(|denied| account.refused(denied))?;
    // Pinned here: what waits for the cord takes it by reference and holds no second room for it.
    let answer = {
        let mut run = pin!(call.run(request, &mut account));
        cord.cut().run_until_cancelled(run.as_mut()).await
    };
    match answer {
        None => Err(cord.refusal()),
        Some(_) if cord.cut().is_cancelled() => Err(cord.refusal()),
        Some(Err(denied)) => {
            account.refused(&denied);
            account.ended(Ended::UpstreamFailed, Some(denied.status().as_u16()));
            Err(denied)
        }
        Some(Ok(answer)) => Ok(match opening.filter(|_| answer.switches()) {
            Some(opening) => opening.switch(line, answer.opened(account, exchange)),
            None => answer.relay(line, account, exchange),
        }),
    }
}

/// A target's answer, of which nothing has gone to the client.
struct Answer<'a> {
    answered: Answered,
    point: ProbePoint,
    target: &'a Target,
    seat: Seat,
    /// Of a session: the model, as the client calls it.
    dialed: Option<String>,
    /// What the client is told when this is not the first choice.
    fallback: Option<HeaderValue>,
}

impl<'a> Answer<'a> {
    /// Whether the target goes on with another protocol.
    fn switches(&self) -> bool {
        self.answered.head.status == StatusCode::SWITCHING_PROTOCOLS
    }

    fn opened(self, account: Account, exchange: Exchange) -> Opened<'a> {
        Opened {
            answered: self.answered,
            target: self.target,
            seat: self.seat,
            fallback: self.fallback,
            model: self.dialed.unwrap_or_default(),
            account,
            exchange,
        }
    }

    fn relay(self, line: &Arc<Line>, mut account: Account, exchange: Exchange) -> Response<Reply> {
        let head = self.answered.head;
        let framing = headers::framing(&head.headers);
        account.telling().told_as(told_as(&head.headers));
        let mut passed =
            headers::for_client(head.headers, self.target, account.id(), account.asked_as());
        account.tell_rates(&mut passed);
        if let Some(fallback) = self.fallback {
            passed.insert(FALLBACK_HEADER, fallback);
        }
        if framing != Framing::Whole {
            // A cut may add an event: the length the target announced would forbid it.
            passed.remove(http::header::CONTENT_LENGTH);
        }
        let form = match framing {
            Framing::Events | Framing::Lines => Form::Lines,
            Framing::Whole => Form::Whole,
        };
        account.answered(head.status.as_u16(), form);
        let (first, flow) = (self.answered.first, self.answered.flow);
        let arriving = Arriving::new(first, flow, self.target.timeouts.idle, self.seat);
        let mut relay = Relay::new(arriving, framing, line, account, exchange);
        if self.answered.hides_figures {
            relay = relay.hide_figures();
        }
        let mut response = Response::new(Reply::Relay(Box::new(relay)));
        *response.status_mut() = head.status;
        *response.headers_mut() = passed;
        response
    }
}

/// One call while no answer has begun.
struct Call<'t, 'e> {
    app: &'t App,
    table: &'t Table,
    consumer: &'t Consumer,
    exchange: &'e Exchange,
}

impl<'t> Call<'t, '_> {
    async fn run(
        &self,
        request: Request<Inflow>,
        account: &mut Account,
    ) -> Result<Answer<'t>, Denied> {
        let (head, body) = request.into_parts();
        if account.api() == Api::Realtime {
            return Box::pin(self.open(&head, account)).await;
        }
        let taken = Taken::take(&self.app.held, body).await?;
        let Read {
            asked,
            prompt,
            prompt_bytes,
        } = Read::of(&self.app.runaways, account.api(), &taken.bytes).await?;
        let model = asked.model.as_deref().ok_or(Denied::NoModel)?;
        if asked.background {
            return Err(Denied::Background);
        }
        let name = shown(model);
        self.exchange.describe(&name, asked.stream);
        account.asked(name, asked.stream, prompt_bytes);
        let captures = &self.app.captures;
        account.captured(captures.tape(&self.consumer.name, model, &head.headers, &taken.bytes));
        let route = self.route(model, account)?;
        let runaways = &self.app.runaways;
        let trail = runaways.begin(&self.consumer.name, account.api(), prompt, prompt_bytes)?;
        account.follow(trail);
        let question = Question {
            api: account.api(),
            head: &head,
            body: &taken.bytes,
            asked: &asked,
            model,
            dialed: None,
        };
        self.try_targets(route, &question, account).await
    }

    /// A session says in its handshake what it is for.
    async fn open(&self, head: &Parts, account: &mut Account) -> Result<Answer<'t>, Denied> {
        let query = head.uri.query().unwrap_or_default();
        let dialed = Dialed::read(query)?.ok_or(Denied::NoModel)?;
        let (model, name) = (dialed.model.as_str(), shown(&dialed.model));
        self.exchange.describe(&name, true);
        account.asked(name, true, 0);
        let route = self.route(model, account)?;
        let runaways = &self.app.runaways;
        let prompt = runaways.prompt(query.as_bytes());
        account.follow(runaways.begin(&self.consumer.name, account.api(), prompt, 0)?);
        let question = Question {
            api: account.api(),
            head,
            body: &Bytes::new(),
            asked: &Asked::session(model),
            model,
            dialed: Some(&dialed),
        };
        self.try_targets(route, &question, account).await
    }

    fn route(&self, model: &str, account: &mut Account) -> Result<&'t Route, Denied> {
        let route = self.table.route(self.consumer, model);
        route.inspect_err(|_| {
            let near = self.table.near(self.consumer, model);
            account.no_route(self.consumer, &near);
        })
    }

    /// Asks the route's targets in their order. What may not or cannot serve gives way to the next. The last answer
    /// stands, whatever it says.
    async fn try_targets(
        &self,
        route: &'t Route,
        question: &Question<'_>,
        account: &mut Account,
    ) -> Result<Answer<'t>, Denied> {
        let mut search = Search::default();
        let mut last = None;
        let (prices, api) = (self.app.books.known.prices(), account.api());
        let wish = Wish {
            api,
            model: question.model,
            policy: &self.consumer.policy,
            now: clock::now(),
            zone: self.table.zone(),
            prices: &prices,
        };
        for (target, watched) in self.table.targets_of(route) {
            let way = point(self.consumer, route, target);
            let seat = self.seat(target, &way, wish.may_use(target), watched);
            let permitted = seat.and_then(|seat| {
                let expected = account.expects(target);
                account.give_back();
                let permit = self.permit(target, route, question, &expected);
                Ok((seat, permit.map_err(Why::Denied)?, expected))
            });
            let (seat, permit, expected) = match permitted {
                Ok(permitted) => permitted,
                Err(why) => {
                    search.past(account, (target, watched), self.consumer, why);
                    continue;
                }
            };
            self.falls_back(route, target, &mut search, account);
            let fallback = search.detour.header(target);
            account.asking(way.clone(), target, permit, expected);
            let answer = |(answered, seat)| Answer {
                answered,
                point: way,
                target,
                seat,
                dialed: question.dialed.map(|dialed| dialed.model.clone()),
                fallback,
            };
            match self.ask(target, question, seat, account).await? {
                (Outcome::Serves(answered), seat) => return Ok(answer((answered, seat))),
                (Outcome::Unable(answered, failure), seat) => {
                    search.failed(account, target, failure, Some(answered.head.status));
                    last = Some(answer((answered, seat)));
                }
                (Outcome::Failed(failure), _) => {
                    search.failed(account, target, failure, None);
                    last = None;
                }
            }
            search.asked = true;
        }
        match last {
            Some(answer) => {
                self.stand(&answer.point)?;
                Ok(answer)
            }
            None => Err(search.denied(api)),
        }
    }

    /// Whether a target is asked: does it speak the API, is the way open, may it serve this consumer, is it able.
    fn seat(
        &self,
        target: &Target,
        way: &ProbePoint,
        may: Result<(), Passed>,
        watched: &Arc<Watched>,
    ) -> Result<Seat, Why> {
        if let Err(Passed::OtherApi) = may {
            return Err(Why::OtherApi);
        }
        self.stand(way).map_err(Why::Denied)?;
        may.map_err(Why::Passed)?;
        watched.seat(target).map_err(Why::NoSeat)
    }

    /// Takes a place on this way first, and asks whether it is open only then: a cut finds the one or the other.
    fn stand(&self, point: &ProbePoint) -> Result<(), Denied> {
        self.exchange.choose(point.clone());
        let subject = point.subject();
        self.app.in_force.admits(&subject)?;
        self.app.governor.admits(&subject)
    }

    /// Whether budgets and limits have room for this at this target.
    fn permit(
        &self,
        target: &Target,
        route: &Route,
        question: &Question<'_>,
        expected: &Expected,
    ) -> Result<Permit, Denied> {
        self.app.governor.admit(&Wanted {
            consumer: self.consumer,
            route: &route.name,
            class: target.class,
            model: question.model,
            api: question.api,
            asked: question.asked,
            prompt: expected.prompt,
            price: expected.price,
        })
    }

    /// `to` is about to be asked: says in whose place.
    fn falls_back(
        &self,
        route: &Route,
        to: &Target,
        search: &mut Search<'_>,
        account: &mut Account,
    ) {
        for (from, why) in search.detour.since(search.told) {
            let metrics = &self.app.books.metrics;
            metrics.fell_back(&route.name, from, &to.name, why);
        }
        search.told = search.detour.len();
        if let Some(first) = search.detour.first() {
            account.fell_back(first);
        }
    }

    async fn ask(
        &self,
        target: &Target,
        question: &Question<'_>,
        mut seat: Seat,
        account: &Account,
    ) -> Result<(Outcome, Seat), Denied> {
        let head = question.head;
        let mut headers = headers::for_target(&head.headers, target);
        name_to_target(&mut headers, account.id(), account.asked_as());
        let ask = Ask {
            target,
            method: head.method.clone(),
            path: &question.path_for(target),
            headers,
            body: question.body_for(target).await?,
        };
        let streams = question.asked.stream;
        let api = question.api;
        if api == Api::Realtime {
            let outcome = Box::pin(realtime::dial(&self.app.upstreams, ask, &mut seat)).await;
            return Ok((outcome, seat));
        }
        let outcome = attempt_with_figures(self.app, api, ask, streams, &mut seat).await?;
        Ok((outcome, seat))
    }
}
