//! The agent's lever: a unix socket that takes overlays, on its own thread, so that a busy gateway hears it at once.

use crate::{app::App, clock, registry::Swept, targets::health};
use anyhow::{Context as _, bail};
use kill_wire::Name;
use net_model::{CaptureView, ControlReply, ControlRequest};
use std::{
    fs, io,
    os::unix::{
        fs::{FileTypeExt as _, PermissionsExt as _},
        net::{UnixListener as StdListener, UnixStream as StdStream},
    },
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Longest line; a full latch set has about 25 KiB.
const MAX_LINE: u64 = 256 * 1024;
/// Longest time between two lines of one connection.
const IDLE_LIMIT: Duration = Duration::from_secs(60);
const MAX_CONNECTIONS: usize = 64;

/// The running control thread.
#[derive(Debug)]
pub(crate) struct Control {
    path: PathBuf,
    stop: CancellationToken,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Control {
    /// Listens at `path`, with mode 0600, in place of a socket nobody listens at any more.
    pub(crate) fn start(app: Arc<App>, path: PathBuf) -> anyhow::Result<Self> {
        let listener = bind(&path)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("starting the control runtime")?;
        let stop = CancellationToken::new();
        let thread = std::thread::Builder::new()
            .name("gateway-control".to_owned())
            .spawn({
                let stop = stop.clone();
                move || {
                    if let Err(error) = runtime.block_on(serve(app, listener, stop)) {
                        tracing::error!(%error, "The control socket is dead: this gateway cannot be told anything.");
                    }
                }
            })
            .context("starting the control thread")?;
        Ok(Self {
            path,
            stop,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Stops listening and removes the socket. Blocks until the thread has ended.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            let _panicked = thread.join();
            let _gone_already = fs::remove_file(&self.path);
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn bind(path: &Path) -> anyhow::Result<StdListener> {
    let shown = path.display();
    if let Ok(there) = fs::symlink_metadata(path) {
        if !there.file_type().is_socket() {
            bail!("{shown} is there and is no socket");
        }
        if StdStream::connect(path).is_ok() {
            bail!("another gateway listens at {shown}");
        }
        fs::remove_file(path).with_context(|| format!("removing the stale socket {shown}"))?;
    }
    let listener = StdListener::bind(path).with_context(|| format!("listening at {shown}"))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
        .with_context(|| format!("closing {shown} to others"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn serve(app: Arc<App>, listener: StdListener, stop: CancellationToken) -> io::Result<()> {
    let listener = UnixListener::from_std(listener)?;
    let tasks = TaskTracker::new();
    let seats = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "Could not accept a control connection.");
                    sleep(Duration::from_millis(20)).await;
                    continue;
                }
            },
        };
        if let Ok(seat) = Arc::clone(&seats).try_acquire_owned() {
            let app = Arc::clone(&app);
            tasks.spawn(async move {
                let _ended = converse(&app, stream).await;
                drop(seat);
            });
        }
    }
}

async fn converse(app: &Arc<App>, stream: UnixStream) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut bounded = (&mut reader).take(MAX_LINE);
        timeout(IDLE_LIMIT, bounded.read_until(b'\n', &mut line)).await??;
        if line.is_empty() {
            return Ok(());
        }
        let whole = line.ends_with(b"\n");
        let reply = if whole {
            answer(app, &line).await
        } else {
            refused("a line ends with a line feed and has at most 256 KiB")
        };
        let mut text = serde_json::to_vec(&reply)?;
        text.push(b'\n');
        writer.write_all(&text).await?;
        if !whole {
            return Ok(());
        }
    }
}

async fn answer(app: &Arc<App>, line: &[u8]) -> ControlReply {
    match serde_json::from_slice(line) {
        Ok(ControlRequest::Observe) => ControlReply::Observed(Box::new(app.observed())),
        Ok(ControlRequest::Follow) => {
            app.followed.now();
            ControlReply::Observed(Box::new(app.observed()))
        }
        Ok(ControlRequest::Apply(overlay)) => {
            app.followed.now();
            let seq = overlay.seq;
            match app.apply(overlay) {
                Ok(swept) => applied(app, seq, swept).await,
                Err(older) => refused(&older.to_string()),
            }
        }
        Ok(ControlRequest::Capture(ask)) => match app.captures.start(app, ask, clock::now()) {
            Ok(()) => capture(app.captures.view()),
            Err(why) => refused(&why),
        },
        Ok(ControlRequest::StopCapture) => capture(app.captures.stop(app, "it was stopped")),
        Ok(ControlRequest::CaptureStatus) => capture(app.captures.view()),
        Ok(ControlRequest::Test { target }) => tested(app, target).await,
        Err(error) => refused(&format!("not a control request: {error}")),
    }
}

async fn applied(app: &App, seq: u64, swept: Swept) -> ControlReply {
    let severed = swept.severed;
    let lingering = swept.gone().await;
    app.books.metrics.severed(severed, lingering);
    ControlReply::Applied {
        seq,
        severed,
        lingering,
    }
}

/// Where the gateway's other probes are asked: this thread goes on hearing what is cut.
async fn tested(app: &Arc<App>, target: Name) -> ControlReply {
    let (on, name) = (Arc::clone(app), target.clone());
    let asked = async move { health::test(&on, &name).await };
    match app.tasks.spawn_on(asked, &app.door).await {
        Ok(Some(test)) => ControlReply::Tested(test),
        Ok(None) => refused(&format!("this gateway has no target `{target}`")),
        Err(why) => refused(&format!("the test broke off: {why}")),
    }
}

const fn capture(capture: Option<CaptureView>) -> ControlReply {
    ControlReply::Capture { capture }
}

fn refused(message: &str) -> ControlReply {
    ControlReply::Refused {
        message: message.to_owned(),
    }
}
