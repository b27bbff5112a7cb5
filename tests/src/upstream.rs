//! A scripted server that speaks OpenAI's, Anthropic's and Ollama's APIs: the ground truth of tests and benchmarks.
//!
//! The model name chooses what it does (see [`Script`]); it writes down for each request what it received,
//! what it sent, and when and how that ended.

mod answer;
mod log;
mod realtime;
mod script;
mod words;

pub use log::{End, Served};
pub use script::Script;

use anyhow::Context as _;
use http_body_util::Either;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use log::Log;
use std::{
    future::poll_fn,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};
use tokio::net::TcpStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// What one run of the server shares.
#[derive(Debug)]
struct Shared {
    log: Log,
    /// Plays this script whatever the model is called.
    always: Mutex<Option<Script>>,
    tasks: TaskTracker,
}

impl Shared {
    fn always(&self) -> Option<Script> {
        *self.always.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running scripted upstream on its own thread; stops when dropped.
#[derive(Debug)]
pub struct Upstream {
    /// Where it listens.
    pub addr: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Upstream {
    /// Starts on a free loopback port.
    pub fn start() -> anyhow::Result<Self> {
        Self::on(TcpListener::bind("127.0.0.1:0")?, None, None)
    }

    /// Starts on a free loopback port and plays `script` for every model.
    pub fn start_as(script: Script) -> anyhow::Result<Self> {
        Self::on(TcpListener::bind("127.0.0.1:0")?, Some(script), None)
    }

    /// Starts on `listener`; each ended request is also appended to `file` as one JSON line.
    pub fn on(
        listener: TcpListener,
        always: Option<Script>,
        file: Option<PathBuf>,
    ) -> anyhow::Result<Self> {
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared {
            log: Log::new(file)?,
            always: Mutex::new(always),
            tasks: TaskTracker::new(),
        });
        let stop = CancellationToken::new();
        let thread = std::thread::Builder::new()
            .name("scripted-upstream".to_owned())
            .spawn({
                let (shared, stop) = (Arc::clone(&shared), stop.clone());
                move || run(listener, &shared, &stop)
            })
            .context("starting the scripted upstream's thread")?;
        Ok(Self {
            addr,
            shared,
            stop,
            thread: Some(thread),
        })
    }

    /// From now on plays `script` for every model; `None`: what the model is called.
    pub fn play(&self, script: Option<Script>) {
        *self
            .shared
            .always
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = script;
    }

    /// The base URL a target is given.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.addr)
    }

    /// Every ended request, in the order in which they ended.
    #[must_use]
    pub fn log(&self) -> Vec<Served> {
        self.shared.log.served()
    }

    /// How many requests are being answered now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.shared.log.open()
    }

    /// Waits until at least `count` requests have ended; what has ended by then either way.
    pub async fn ended(&self, count: usize, limit: Duration) -> Vec<Served> {
        let until = tokio::time::Instant::now() + limit;
        while self.log().len() < count && tokio::time::Instant::now() < until {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        self.log()
    }

    /// Waits until at least `count` requests are being answered at once.
    pub async fn busy(&self, count: usize, limit: Duration) -> bool {
        let until = tokio::time::Instant::now() + limit;
        while self.open() < count {
            if tokio::time::Instant::now() >= until {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        true
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _joined = thread.join();
        }
    }
}

fn run(listener: TcpListener, shared: &Arc<Shared>, stop: &CancellationToken) {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return eprintln!("scripted upstream: no runtime: {error}"),
    };
    runtime.block_on(async {
        match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => {
                tokio::select! {
                    () = accept(&listener, shared) => {}
                    () = stop.cancelled() => {}
                }
            }
            Err(error) => eprintln!("scripted upstream: no listener: {error}"),
        }
    });
}

async fn accept(listener: &tokio::net::TcpListener, shared: &Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                shared.tasks.spawn(serve(stream, Arc::clone(shared)));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let _best_effort = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let slot = realtime::Slot::default();
    let service = service_fn({
        let (reset, slot) = (Arc::clone(&reset), slot.clone());
        move |request| {
            let (shared, reset, slot) = (Arc::clone(&shared), Arc::clone(&reset), slot.clone());
            Box::pin(async move {
                if let Some(agreed) = realtime::handshake(&request, &shared, &slot).await {
                    return Ok(agreed.map(Either::Left));
                }
                let answered = answer::answer(request, shared, reset).await;
                answered.map(|answer| answer.map(Either::Right))
            })
        }
    });
    let mut conn = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service);
    let _how = poll_fn(|cx| conn.poll_without_shutdown(cx)).await;
    let mut stream = conn.into_parts().io.into_inner();
    if let Some(session) = slot.take() {
        reset.store(realtime::play(&mut stream, session).await, Ordering::SeqCst);
    }
    if reset.load(Ordering::SeqCst) {
        let _best_effort = stream.set_zero_linger();
    }
}
