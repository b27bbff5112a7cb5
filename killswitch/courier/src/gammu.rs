//! gammu-smsd with a modem at this machine: its FILES service keeps every text as files, its `RunOnReceive` rings.
//!
//! The files are the message. `kill-gammu` only makes us look at once; without it we look every two seconds. Should the
//! folder not hold what it tells of, its own words are handed over instead.
//!
//! **Invariant:** a file is deleted only after the kill switch took its message.

mod doorbell;
mod inbox;
pub(crate) mod outbox;

use crate::clock;
use crate::context::Context;
use crate::settings::{ChannelSettings, optional, required};
use crate::stamp;
use doorbell::Doorbell;
use inbox::{Found, Message};
use kill_gammu::Notice;
use kill_inbound::Setting;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, VecDeque};
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
        let mut desk = Desk::new(self, context);
        let mut doorbell = match Doorbell::hang(self.socket.as_deref()) {
            Ok(doorbell) => doorbell,
            Err(why) => {
                desk.no_bell = Some(format!("socket for kill-gammu: {why}"));
                Doorbell::none()
            }
        };
        loop {
            tokio::select! {
                () = context.stop.cancelled() => return,
                notice = doorbell.rung() => {
                    desk.look(true).await;
                    desk.hear(&notice);
                }
                () = tokio::time::sleep(LOOK) => desk.look(false).await,
                Some(ended) = desk.handing_over.join_next() => {
                    if let Ok(id) = ended {
                        desk.given.remove(&id);
                    }
                }
            }
        }
    }
}

/// What was found and what is being handed over.
struct Desk<'a> {
    gammu: &'a Gammu,
    context: &'a Context,
    /// Ids of what is being handed over, or was and could not be deleted.
    given: BTreeMap<String, Given>,
    /// What the last look found, with ids: a file that is still being written has another the next time.
    before: Vec<String>,
    /// Sender and text of the newest messages seen in files.
    seen: VecDeque<(String, String)>,
    handing_over: JoinSet<String>,
    /// Looks in a row that found a reply waiting.
    waits: u32,
    no_bell: Option<String>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Given;
