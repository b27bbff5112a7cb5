//! Starts everything on a thread of its own, and ends it.

use crate::context::Context;
use crate::link::Link;
use crate::replies::Way;
use crate::replies::queue::Queue;
use crate::settings::Settings;
use crate::sources::Source;
use crate::web::Web;
use anyhow::Context as _;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Before a source that ended is started again.
const REST: Duration = Duration::from_secs(5);

/// A running courier.
#[derive(Debug)]
pub struct Courier {
    stop: CancellationToken,
    thread: JoinHandle<()>,
}

struct Works {
    socket: PathBuf,
    sources: Vec<(Arc<Source>, Context)>,
    link: Link,
    queue: Queue,
    stop: CancellationToken,
}

impl Courier {
    /// Starts on its own thread. The kill switch need not be there yet, nor any provider.
    ///
    /// # Errors
    /// Names every channel whose settings cannot be worked with.
    pub fn start(settings: Settings) -> anyhow::Result<Self> {
        let stop = CancellationToken::new();
        let works = Works::new(settings, &stop)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the courier's runtime")?;
        let thread = std::thread::Builder::new()
            .name("kill-courier".to_owned())
            .spawn(move || {
                runtime.block_on(works.run());
                // A look-up of a name may hang in the system: it is not waited for.
                runtime.shutdown_background();
            })
            .context("cannot start the courier's thread")?;
        Ok(Self { stop, thread })
    }

    /// Whether its thread has ended by itself, which it never should.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Ends within `limit`; what was not taken or sent stays with its provider or the kill switch. Blocking.
    pub fn stop(self, limit: Duration) {
        self.stop.cancel();
        let mut left = limit;
        while !self.thread.is_finished() && !left.is_zero() {
            let nap = left.min(Duration::from_millis(5));
            std::thread::sleep(nap);
            left -= nap;
        }
        if !self.thread.is_finished() {
            tracing::warn!(?limit, "The courier did not stop in time.");
        } else if self.thread.join().is_err() {
            tracing::error!("The courier had died before shutdown.");
        }
    }
}

impl Works {
    fn new(settings: Settings, stop: &CancellationToken) -> anyhow::Result<Self> {
        let mut problems = Vec::new();
        let mut found = Vec::new();
        let mut ways = BTreeMap::new();
        for channel in &settings.channels {
            match (Source::of(channel), Way::of(channel)) {
                (Ok(source), Ok(way)) => {
                    found.extend(source.map(|source| (channel.name.clone(), Arc::new(source))));
                    ways.extend(way.map(|way| (channel.name.clone(), way)));
                }
                (Err(why), _) | (_, Err(why)) => {
                    problems.push(format!("channel `{}`: {why}", channel.name));
                }
            }
        }
        anyhow::ensure!(problems.is_empty(), "{}", problems.join("\n"));
        let web = Web::new()?;
        let link = Link::new(settings.channels.iter().map(|channel| channel.name.clone()));
        let queue = Queue::new(ways, link.clone(), web.clone(), stop.clone());
        let context = |name: &str| Context::new(name, link.clone(), web.clone(), stop.clone());
        let sources = found.into_iter();
        Ok(Self {
            socket: settings.socket,
            sources: sources
                .map(|(name, source)| (source, context(&name)))
                .collect(),
            link,
            queue,
            stop: stop.clone(),
        })
    }

    async fn run(self) {
        let mut running = JoinSet::new();
        let mut places = BTreeMap::new();
        for (at, (source, context)) in self.sources.iter().enumerate() {
            let handle = running.spawn(fetch(Arc::clone(source), context.clone()));
            places.insert(handle.id(), at);
        }
        let mind = async {
            while let Some(ended) = running.join_next_with_id().await {
                let Err(died) = ended else { continue };
                let place = places.remove(&died.id());
                let Some((source, context)) = place.and_then(|at| self.sources.get(at)) else {
                    continue;
                };
                tracing::error!(
                    channel = context.channel(),
                    "A source died; it is started again."
                );
                context.health(Some("its source died and was started again".to_owned()));
                if context.nap(REST).await {
                    let handle = running.spawn(fetch(Arc::clone(source), context.clone()));
                    places.extend(place.map(|at| (handle.id(), at)));
                }
            }
        };
        let send = |channel: &str, letter| self.queue.send(channel, letter);
        let talk = self.link.run(&self.socket, &send, &self.stop);
        tokio::join!(mind, talk);
        self.queue.ended().await;
    }
}

/// Runs a source; one that ends before shutdown is run again.
async fn fetch(source: Arc<Source>, context: Context) {
    while !context.stop.is_cancelled() {
        source.run(&context).await;
        context.nap(REST).await;
    }
}
