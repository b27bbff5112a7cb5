//! What is seen of targets and counts: probes that cost nothing, each at its target's pace, the gateway's counters, and what
//! its own checks say.

use super::naming;
use crate::clock;
use crate::driven::Managed;
use crate::hand::Reach;
use bytes::Bytes;
use gateway_core::dialect::at_target;
use gateway_core::steer::{Sample, Steer};
use gateways::Driver;
use gateways::apisix::metrics::Answers;
use http_body_util::Full;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use net_model::{BaseUrl, Overlay, Route, RouteTable, TargetKind};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, timeout};

/// A target that takes longer is not well.
const LIMIT: Duration = Duration::from_secs(3);
/// How often a target is probed unless the file says otherwise: nobody else asks on behalf of a gateway that only obeys.
const EVERY: Duration = Duration::from_secs(5);
/// What one look found.
pub(super) enum Found {
    /// Whether a target is well.
    Probe(usize, bool),
    /// Counters of the gateway.
    Counters(Vec<Sample>),
    /// Not there, or given up.
    Nothing,
}

/// Looks under way, and when the next are due.
pub(super) struct Looks {
    reach: Arc<Reach>,
    table: Arc<RouteTable>,
    counted: bool,
    running: JoinSet<Found>,
    targets: Vec<Next>,
    counting: Option<AbortHandle>,
    checks: Next,
}

struct Next {
    due: Instant,
    probe: Option<AbortHandle>,
}

impl Next {
    fn now() -> Self {
        Self {
            due: Instant::now(),
            probe: None,
        }
    }

    /// Whether it is due and not under way.
    fn is_due(&self, now: Instant) -> bool {
        let busy = self.probe.as_ref().is_some_and(|it| !it.is_finished());
        !busy && self.due <= now
    }
}

impl Looks {
    pub(super) fn new(reach: &Arc<Reach>, managed: &Managed) -> Self {
        let table = Arc::clone(&managed.wanted.table);
        Self {
            targets: table.targets().iter().map(|_| Next::now()).collect(),
            reach: Arc::clone(reach),
            table,
            counted: managed.counted,
            running: JoinSet::new(),
            counting: None,
            checks: Next::now(),
        }
    }

    /// Begins what is due and not under way. A target whose every way is closed is left in peace.
    pub(super) fn begin(&mut self, steer: &Steer, overlay: &Overlay) {
        let now = Instant::now();
        let both = self.table.targets().iter().zip(&mut self.targets);
        for (at, (target, next)) in both.enumerate() {
            if !next.is_due(now) || !steer.may_probe(at, overlay) {
                continue;
            }
            let every = target.health_every.unwrap_or(EVERY);
            next.due = now + every;
            let (kind, base) = (target.kind, target.base_url.clone());
            let probe = async move {
                let well = timeout(LIMIT.min(every), probe(kind, &base)).await;
                Found::Probe(at, matches!(well, Ok(Ok(true))))
            };
            next.probe = Some(self.running.spawn(probe));
        }
        let counting = self.counting.as_ref().is_some_and(|it| !it.is_finished());
        if self.counted && !counting {
            let counters = counters(Arc::clone(&self.reach));
            self.counting = Some(self.running.spawn(counters));
        }
        if self.checks.is_due(now) {
            self.checks.due = now + EVERY;
            let checks = checks(Arc::clone(&self.reach));
            self.checks.probe = Some(self.running.spawn(checks));
        }
    }

    /// Ends probes whose last way a cut or a pause has closed.
    pub(super) fn stop_what_is_closed(&self, steer: &Steer, overlay: &Overlay) {
        for (at, next) in self.targets.iter().enumerate() {
            if let Some(probe) = &next.probe
                && !steer.may_probe(at, overlay)
            {
                probe.abort();
            }
        }
    }

    /// The next that ends; none while nothing is under way. One that was given up found nothing.
    pub(super) async fn next(&mut self) -> Option<Found> {
        let ended = self.running.join_next().await?;
        Some(ended.unwrap_or(Found::Nothing))
    }
}

/// Which target of a route a gateway means by the server it names: by the target's own name, by `address:port`, or by the
/// address alone where only one target of the route stands there.
pub(super) fn answered(table: &RouteTable, route: &Route, by: &str) -> Option<usize> {
    let named = |at: &usize| {
        let target = table.targets().get(*at);
        target.is_some_and(|target| target.name.as_str() == by)
    };
    if let Some(at) = route.targets.iter().copied().find(named) {
        return Some(at);
    }
    let mut those = route.targets.iter().copied().filter(|at| {
        let target = table.targets().get(*at);
        target.is_some_and(|target| {
            let base = &target.base_url;
            let stands_at = |ip: IpAddr| base.host().parse() == Ok(ip);
            match (by.parse::<SocketAddr>(), by.parse::<IpAddr>()) {
                (Ok(at), _) => stands_at(at.ip()) && base.port() == at.port(),
                (Err(_), Ok(ip)) => stands_at(ip),
                (Err(_), Err(_)) => base.authority() == by,
            }
        })
    });
    let first = those.next()?;
    those.next().is_none().then_some(first)
}

/// Asks something that costs nothing, or only connects where an answer would need TLS.
async fn probe(kind: TargetKind, base: &BaseUrl) -> io::Result<bool> {
    let stream = connect(&naming::addresses(base.host(), base.port()).await?).await?;
    if base.tls() {
        return Ok(true);
    }
    let path = at_target(base.prefix(), kind.health_path());
    let status = get(stream, base.authority(), &path).await?;
    Ok(!status.is_server_error())
}

/// The first that takes the call.
async fn connect(those: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for at in those {
        match TcpStream::connect(at).await {
            Ok(stream) => return Ok(stream),
            Err(why) => last = why,
        }
    }
    Err(last)
}

/// The driver hears what its gateway's own checks found, and says it at the next look.
async fn checks(reach: Arc<Reach>) -> Found {
    if let Driver::Apisix(apisix) = &reach.driver {
        apisix.ask_health(clock::wall()).await;
    }
    Found::Nothing
}

async fn counters(reach: Arc<Reach>) -> Found {
    let Driver::Apisix(apisix) = &reach.driver else {
        return Found::Nothing;
    };
    match apisix.counters().await {
        Ok(Some(counters)) => Found::Counters(counters.answers.into_iter().map(sample).collect()),
        Ok(None) | Err(_) => Found::Nothing,
    }
}

fn sample(answers: Answers) -> Sample {
    Sample {
        route: answers.route,
        by: answers.by,
        status: answers.status,
        total: answers.count,
    }
}

/// The status alone: nobody wants the answer, and dropping it closes its connection.
async fn get(stream: TcpStream, host: &str, path: &str) -> io::Result<StatusCode> {
    let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, wire) = shaken.map_err(io::Error::other)?;
    let request = Request::get(path)
        .header(header::HOST, host)
        .body(Full::<Bytes>::default())
        .map_err(io::Error::other)?;
    let asked = sender.send_request(request);
    tokio::pin!(asked);
    let answer = tokio::select! {
        answer = &mut asked => answer,
        _ = wire => asked.await,
    };
    answer
        .map(|answer| answer.status())
        .map_err(io::Error::other)
}
