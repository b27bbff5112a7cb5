//! The four listeners of the twin: admin, data, control and metrics.

use super::{
    World,
    admin::{self, Call},
    data,
    etcd::{Answer, Asked},
    faults::Trouble,
    metrics,
};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    future::{pending, poll_fn},
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::net::{TcpListener, TcpStream};

/// Longest admin request.
const MAX_BODY: usize = 8 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Admin,
    Data,
    Control,
    Metrics,
}

/// Takes connections in until the twin stops; each data connection belongs to the worker whose turn it is.
pub(super) async fn accept(listener: TcpListener, kind: Kind, world: Arc<World>) {
    let turn = AtomicUsize::new(0);
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        if world.is_down(kind) {
            let _best_effort = stream.set_zero_linger();
            continue;
        }
        let worker = turn.fetch_add(1, Ordering::Relaxed) % world.workers.len().max(1);
        let (world, life) = (Arc::clone(&world), world.life());
        world.tasks.clone().spawn(async move {
            let serve = async {
                match kind {
                    Kind::Data => serve_data(stream, peer, worker, world).await,
                    Kind::Admin | Kind::Control | Kind::Metrics => {
                        serve_own(stream, kind, world).await
                    }
                }
            };
            tokio::select! {
                () = serve => {}
                () = life.cancelled() => {}
            }
        });
    }
}

async fn serve_data(stream: TcpStream, peer: SocketAddr, worker: usize, world: Arc<World>) {
    let _best_effort = stream.set_nodelay(true);
    let own = stream.local_addr().unwrap_or(peer);
    let service = service_fn(move |request| {
        let world = Arc::clone(&world);
        async move { Ok::<_, io::Error>(data::answer(world, worker, (peer, own), request).await) }
    });
    let _how = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
}

async fn serve_own(stream: TcpStream, kind: Kind, world: Arc<World>) {
    let _best_effort = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let service = service_fn({
        let reset = Arc::clone(&reset);
        move |request| {
            let (world, reset) = (Arc::clone(&world), Arc::clone(&reset));
            Box::pin(async move {
                match kind {
                    Kind::Admin => admin_answer(world, request, &reset).await,
                    Kind::Control | Kind::Metrics | Kind::Data => {
                        Ok(page(&world, kind, request.uri().path()).await)
                    }
                }
            })
        }
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    let _how = poll_fn(|cx| connection.poll_without_shutdown(cx)).await;
    if reset.load(Ordering::SeqCst) {
        let stream = connection.into_parts().io.into_inner();
        let _best_effort = stream.set_zero_linger();
    }
}

async fn page(world: &World, kind: Kind, path: &str) -> Response<Full<Bytes>> {
    let (status, text) = if kind == Kind::Metrics {
        match path {
            "/apisix/prometheus/metrics" => (200, metrics::page(world)),
            _ => (404, String::new()),
        }
    } else {
        match metrics::control(world, path).await {
            Some((status, value)) => (status, value.to_string()),
            None => (404, r#"{"error_msg":"404 Route Not Found"}"#.to_owned()),
        }
    };
    let mut page = Response::new(Full::new(Bytes::from(text)));
    *page.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    page
}

/// One admin call, and the trouble it meets.
async fn admin_answer(
    world: Arc<World>,
    request: Request<Incoming>,
    reset: &AtomicBool,
) -> io::Result<Response<Full<Bytes>>> {
    let call = taken(request).await?;
    let trouble = world.meet(call.method.as_str(), &call.path);
    let number = world.begun(&call);
    let answer = match trouble {
        None => answered(admin::ask(&world, call)).await,
        Some(Trouble::Hang) => pending().await,
        Some(Trouble::DoneThenHang) => {
            let _done = admin::ask(&world, call);
            pending().await
        }
        Some(Trouble::DoneLate(wait)) => {
            let later = Arc::clone(&world);
            later.late.fetch_add(1, Ordering::SeqCst);
            world.tasks.spawn(async move {
                tokio::time::sleep(wait).await;
                let _done = admin::ask(&later, call);
                later.late.fetch_sub(1, Ordering::SeqCst);
            });
            pending().await
        }
        Some(Trouble::Status(status)) => told(status),
        Some(Trouble::DoneThenStatus(status)) => {
            let _done = admin::ask(&world, call);
            told(status)
        }
        Some(Trouble::Slow(wait)) => {
            tokio::time::sleep(wait).await;
            answered(admin::ask(&world, call)).await
        }
        Some(trouble @ (Trouble::Reset | Trouble::DoneThenReset)) => {
            if trouble == Trouble::DoneThenReset {
                let _done = admin::ask(&world, call);
            }
            reset.store(true, Ordering::SeqCst);
            return Err(io::Error::other("told to reset"));
        }
    };
    world.answered(number, answer.status);
    Ok(written(answer))
}

async fn answered(asked: Asked) -> Answer {
    match asked {
        Asked::Now(answer) => answer,
        Asked::Later(told) => match told.await {
            Ok(answer) => answer,
            Err(_) => pending().await,
        },
    }
}

/// The body that belongs to a status nobody worked for.
fn told(status: u16) -> Answer {
    match status {
        401 => admin::unauthorised("wrong apikey"),
        409 => Answer::wrong(409, "conflict"),
        _ => Answer::wrong(status, "told to fail"),
    }
}

fn written(answer: Answer) -> Response<Full<Bytes>> {
    let text = answer.body.map(|body| body.to_string()).unwrap_or_default();
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or_default();
    let headers = response.headers_mut();
    let json = http::HeaderValue::from_static("application/json");
    headers.insert(http::header::CONTENT_TYPE, json);
    headers.insert(
        http::header::SERVER,
        http::HeaderValue::from_static(super::SERVER),
    );
    for (name, value) in answer.headers {
        if let Ok(value) = http::HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    response
}

async fn taken(request: Request<Incoming>) -> io::Result<Call> {
    let (head, body) = request.into_parts();
    let header = |name: &str| {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok());
        value.map(str::to_owned)
    };
    let query = head.uri.query().unwrap_or_default();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let pairs = pairs.map(|(key, value)| (key.to_owned(), value.replace("%3A", ":")));
    let (key, digest) = (header("x-api-key"), header("x-digest"));
    let query = pairs.collect();
    let body = Limited::new(body, MAX_BODY)
        .collect()
        .await
        .map_err(io::Error::other)?
        .to_bytes();
    Ok(Call {
        method: head.method,
        path: head.uri.path().to_owned(),
        query,
        body: body.to_vec(),
        key,
        digest,
    })
}
