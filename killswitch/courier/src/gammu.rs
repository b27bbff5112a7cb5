//! gammu-smsd with a modem at this machine: its FILES service keeps every text as files, its `RunOnReceive` rings.
//!
//! The files are the message. `kill-gammu` only makes us look at once; without it we look every two seconds. Should the
//! folder not hold what it tells of, its own words are handed over instead.
//!
//! **Invariant:** a file is deleted only after the kill switch took its message.

mod doorbell;
mod inbox;
pub(crate) mod outbox;

use crate::channel::{ChannelSettings, optional, required};
use crate::clock;
use crate::context::Context;
use crate::stamp;
use doorbell::Doorbell;
use inbox::Message;
use kill_gammu::Notice;
use kill_inbound::Setting;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::time::Duration;
use tokio::task::JoinSet;

pub(crate) const KIND: &str = "gammu";

pub(crate) const SETTINGS: &[Setting] = &[
    required(
        "inbox",
        "the `inboxpath` of gammu-smsd; a text that was taken is deleted there",
    ),
    optional("outbox", "the `outboxpath` of gammu-smsd, for replies"),
    optional(
        "socket",
        "where kill-gammu rings, such as `/run/portcullis/gammu.sock`",
    ),
    optional(
        "centre_offset",
        "how far the SMS centre's clock is from UTC, in winter and in summer, such as `+01:00 +02:00`",
    ),
];

/// How often the folder is looked at without a ring.
const LOOK: Duration = Duration::from_secs(2);
/// Looks after which a reply that still waits shows that gammu-smsd does not send.
const LOOKS_TO_SEND: u32 = 60;
/// Messages seen in files of late, to know which of them a ring tells of.
const REMEMBERED: usize = 64;

/// One gammu-smsd.
pub(crate) struct Gammu {
    inbox: PathBuf,
    outbox: Option<PathBuf>,
    socket: Option<PathBuf>,
    /// Minutes east of UTC.
    offsets: Vec<i64>,
}

impl Gammu {
    pub(crate) const KIND: &str = KIND;

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        let offsets = channel.get("centre_offset").unwrap_or_default();
        let offsets = offsets
            .split_whitespace()
            .map(|word| {
                stamp::read_offset(word)
                    .ok_or_else(|| "centre_offset: expected such as `+01:00 +02:00`".to_owned())
            })
            .collect::<Result<_, _>>()?;
        Ok(Some(Self {
            inbox: channel.need("inbox")?.into(),
            outbox: channel.get("outbox").map(PathBuf::from),
            socket: channel.get("socket").map(PathBuf::from),
            offsets,
        }))
    }

    pub(crate) async fn run(&self, context: &Context) {
        let (mut doorbell, no_bell) = match Doorbell::hang(self.socket.as_deref()) {
            Ok(doorbell) => (doorbell, None),
            Err(why) => (
                Doorbell::none(),
                Some(format!("socket for kill-gammu: {why}")),
            ),
        };
        let mut desk = Desk::new(self, context);
        loop {
            let problem = desk.look(false).await.or_else(|| no_bell.clone());
            context.health(problem);
            tokio::select! {
                () = context.stop.cancelled() => return,
                notice = doorbell.rung() => {
                    desk.look(true).await;
                    desk.hear(&notice);
                }
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }
}

/// How far a message of a file has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The kill switch has it, and has not said that it took it.
    Offered,
    /// It was taken, and its files are still there.
    Taken,
}

/// What was found and is being handed over.
struct Desk<'a> {
    gammu: &'a Gammu,
    context: &'a Context,
    stages: BTreeMap<String, Stage>,
    /// What the last look found: a file that is still being written has another id at the next.
    before: BTreeSet<String>,
    /// What the newest messages of files say, in the order they were found.
    seen: VecDeque<String>,
    /// Rings so far whose message no file held: two within a millisecond are two.
    heard: u64,
    handing_over: JoinSet<Option<String>>,
    /// Looks in a row that found a reply waiting.
    waits: u32,
}

impl<'a> Desk<'a> {
    fn new(gammu: &'a Gammu, context: &'a Context) -> Self {
        Self {
            gammu,
            context,
            stages: BTreeMap::new(),
            before: BTreeSet::new(),
            seen: VecDeque::new(),
            heard: 0,
            handing_over: JoinSet::new(),
            waits: 0,
        }
    }

    /// Hands over what is new in the folder, and deletes what was taken. gammu-smsd waits for the program that rings, so
    /// then every file is whole; without a ring a file has to look the same twice.
    async fn look(&mut self, rung: bool) -> Option<String> {
        while let Some(taken) = self.handing_over.try_join_next() {
            if let Ok(Some(id)) = taken {
                self.stages.insert(id, Stage::Taken);
            }
        }
        let folder = self.gammu.inbox.clone();
        let found = match tokio::task::spawn_blocking(move || inbox::look(&folder)).await {
            Ok(Ok(found)) => found,
            Ok(Err(why)) => return Some(why),
            Err(_) => return Some("reading the inbox folder failed".to_owned()),
        };
        let mut problem = found.problem;
        let ids: BTreeSet<String> = found.messages.iter().map(|m| m.id.clone()).collect();
        self.stages
            .retain(|id, stage| *stage == Stage::Offered || ids.contains(id));
        for message in found.messages {
            match self.stages.get(&message.id) {
                Some(Stage::Offered) => {}
                Some(Stage::Taken) => {
                    if let Err(why) = delete(message.files).await {
                        problem = Some(format!("a text that was taken cannot be deleted: {why}"));
                    }
                }
                None if rung || self.before.contains(&message.id) => self.offer(message),
                None => {}
            }
        }
        self.before = ids;
        problem.or(self.waiting().await)
    }

    fn offer(&mut self, message: Message) {
        let now = clock::now();
        let sent = message
            .written
            .and_then(|written| stamp::believed(written, &self.gammu.offsets, now));
        self.stages.insert(message.id.clone(), Stage::Offered);
        self.seen.truncate(REMEMBERED - 1);
        self.seen.push_front(folded(&message.sender, &message.text));
        let context = self.context.clone();
        self.handing_over.spawn(async move {
            let (sender, text) = (Some(message.sender.as_str()), &message.text);
            let taken = context.text(&message.id, sender, text, sent).await;
            if taken.is_err() {
                return None;
            }
            // Deleting is tried again with every look for as long as the files are there.
            delete(message.files).await.ok();
            Some(message.id)
        });
    }

    /// What the program that rang tells of, unless it was found in the folder.
    fn hear(&mut self, notice: &Notice) {
        let said = folded(&notice.sender, &notice.text);
        if let Some(at) = self.seen.iter().position(|seen| *seen == said) {
            self.seen.remove(at);
            return;
        }
        self.heard += 1;
        let mut hash = Sha256::new();
        hash.update(clock::now().millis().to_be_bytes());
        hash.update(self.heard.to_be_bytes());
        for part in [&notice.phone, &notice.sender, &notice.text] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        let message = Message {
            id: inbox::shortened(hash),
            sender: notice.sender.clone(),
            text: notice.text.clone(),
            written: None,
            files: Vec::new(),
        };
        self.offer(message);
        self.seen.pop_front();
    }

    /// Whether replies stay where gammu-smsd should have sent them from.
    async fn waiting(&mut self) -> Option<String> {
        let folder = self.gammu.outbox.clone()?;
        let waiting = tokio::task::spawn_blocking(move || outbox::waiting(&folder)).await;
        match waiting {
            Ok(Ok(0)) => {
                self.waits = 0;
                None
            }
            Ok(Ok(count)) => {
                self.waits = self.waits.saturating_add(1);
                (self.waits > LOOKS_TO_SEND)
                    .then(|| format!("gammu-smsd does not send: {count} replies wait"))
            }
            Ok(Err(why)) => Some(format!("outbox folder: {why}")),
            Err(_) => Some("reading the outbox folder failed".to_owned()),
        }
    }
}

async fn delete(files: Vec<PathBuf>) -> std::io::Result<()> {
    let delete = move || {
        files
            .iter()
            .try_for_each(|file| match std::fs::remove_file(file) {
                Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(()),
                other => other,
            })
    };
    tokio::task::spawn_blocking(delete)
        .await
        .unwrap_or_else(|_| Err(std::io::Error::other("deleting failed")))
}

/// Letters and digits of sender and text. The name of a file has `X` for `*`, and what is not ASCII comes in the daemon's
/// locale by one way and in UTF-16 by the other.
fn folded(sender: &str, text: &str) -> String {
    let plain = |text: &str| -> String {
        text.chars()
            .map(|c| if c == '*' { 'X' } else { c })
            .filter(char::is_ascii_alphanumeric)
            .collect()
    };
    format!("{} {}", plain(sender), plain(text))
}
