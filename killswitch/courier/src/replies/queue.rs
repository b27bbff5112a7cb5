//! Sends replies, each with as many attempts as fit into ten minutes, none holding up another.

use super::Way;
use crate::letter::{Again, Letter};
use crate::link::Link;
use crate::web::Web;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// After this long the sender no longer waits for it.
const GIVE_UP: Duration = Duration::from_secs(600);
/// Seconds between attempts; the last one repeats.
const PAUSES: [u64; 7] = [1, 2, 5, 10, 20, 40, 80];
/// Calls to one provider at the same time.
const AT_ONCE: usize = 4;

/// Everything that goes out.
#[derive(Clone)]
pub(crate) struct Queue {
    ways: Arc<BTreeMap<String, (Way, Semaphore)>>,
    link: Link,
    web: Web,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Queue {
    pub(crate) fn new(
        ways: BTreeMap<String, Way>,
        link: Link,
        web: Web,
        stop: CancellationToken,
    ) -> Self {
        let ways = ways.into_iter();
        let ways = ways.map(|(name, way)| (name, (way, Semaphore::new(AT_ONCE))));
        Self {
            ways: Arc::new(ways.collect()),
            link,
            web,
            tasks: TaskTracker::new(),
            stop,
        }
    }

    /// Takes a reply over; at once. What becomes of it is told over the link, except at shutdown: then the kill switch
    /// hands it to the next courier.
    pub(crate) fn send(&self, channel: &str, letter: Letter) {
        if !self.link.reply_begins(letter.number) {
            return;
        }
        if !self.ways.contains_key(channel) {
            let why = "this channel has no way to reply in the configuration";
            self.link.reply_ended(letter.number, Err(why.to_owned()));
            return;
        }
        let (queue, channel) = (self.clone(), channel.to_owned());
        self.tasks.spawn(async move {
            tokio::select! {
                () = queue.stop.cancelled() => {}
                () = queue.deliver(&channel, &letter) => {}
            }
        });
    }

    async fn deliver(&self, channel: &str, letter: &Letter) {
        let begun = Instant::now();
        let mut pauses = PAUSES.into_iter().map(Duration::from_secs);
        let mut pause = Duration::ZERO;
        let result = loop {
            let Some((way, at_once)) = self.ways.get(channel) else {
                break Err("its channel is gone".to_owned());
            };
            let tried = {
                let Ok(_place) = at_once.acquire().await else {
                    return;
                };
                way.send(&self.web, letter).await
            };
            let Err(failure) = tried else {
                self.link.reply_health(channel, None);
                break Ok(());
            };
            if failure.again != Again::Never {
                self.link.reply_health(channel, Some(failure.why.clone()));
            }
            pause = match failure.again {
                Again::Never | Again::Broken => break Err(failure.why),
                Again::Later => pauses.next().unwrap_or(pause),
                Again::After(wait) => wait.max(pauses.next().unwrap_or(pause)),
            };
            if begun.elapsed() + pause > GIVE_UP {
                break Err(failure.why);
            }
            tracing::debug!(
                channel,
                why = failure.why,
                ?pause,
                "A reply waits for another attempt."
            );
            tokio::time::sleep(pause).await;
        };
        self.link.reply_ended(letter.number, result);
    }

    /// Waits for what is under way; attempts end at shutdown.
    pub(crate) async fn ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}
