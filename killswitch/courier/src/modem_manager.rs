//! A modem at this machine, by ModemManager: signals make us look at once, and every ten seconds we look without one.
//!
//! A modem holds a few dozen texts and receives none when it is full, so a text is deleted there as soon as the kill
//! switch took it. A text of several parts is shown by ModemManager only when all of them are there.

mod bus;

use crate::channel::{ChannelSettings, optional};
use crate::context::Context;
pub(crate) use bus::{Bus, Received};
use futures_util::StreamExt as _;
use kill_inbound::Setting;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use zbus::zvariant::OwnedObjectPath;

pub(crate) const KIND: &str = "modem-manager";

pub(crate) const SETTINGS: &[Setting] = &[
    optional(
        "bus",
        "another bus than the system's, such as `unix:path=/run/portcullis/bus`",
    ),
    optional("modem", "its number, such as `0`, where there are several"),
    optional(
        "slots",
        "how many texts the SIM card holds; 23 unless it is known better",
    ),
];

/// How often we look without a signal.
const LOOK: Duration = Duration::from_secs(10);
/// Least time between two looks: a modem signals many things.
const BREATH: Duration = Duration::from_millis(50);
/// Before the bus is connected to again.
const PAUSE: Duration = Duration::from_secs(5);
/// What the smallest SIM cards in use hold.
const FEWEST_SLOTS: usize = 23;
/// Most texts looked at in one modem.
const MOST_TEXTS: usize = 255;

/// Which bus and which modem.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    bus: Option<String>,
    modem: Option<String>,
    slots: usize,
}

impl Settings {
    pub(crate) fn read(channel: &ChannelSettings) -> Result<Self, String> {
        let slots = match channel.get("slots").map(str::parse) {
            None => FEWEST_SLOTS,
            Some(Ok(slots)) if (1..=MOST_TEXTS).contains(&slots) => slots,
            Some(_) => return Err(format!("slots: expected 1 to {MOST_TEXTS}")),
        };
        Ok(Self {
            bus: channel.get("bus").map(str::to_owned),
            modem: channel.get("modem").map(str::to_owned),
            slots,
        })
    }

    pub(crate) fn bus(&self) -> Option<&str> {
        self.bus.as_deref()
    }

    pub(crate) fn modem(&self) -> Option<&str> {
        self.modem.as_deref()
    }
}

/// The modems of one bus.
pub(crate) struct ModemManager {
    settings: Settings,
}

impl ModemManager {
    pub(crate) const KIND: &str = KIND;

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        let settings = Settings::read(channel)?;
        Ok(Some(Self { settings }))
    }

    pub(crate) async fn run(&self, context: &Context) {
        loop {
            let ended = tokio::select! {
                () = context.stop.cancelled() => return,
                ended = self.session(context) => ended,
            };
            if let Err(why) = ended {
                context.health(Some(Bus::problem(&why)));
            }
            if !context.nap(PAUSE).await {
                return;
            }
        }
    }

    /// One connection to the bus, until it is lost.
    async fn session(&self, context: &Context) -> zbus::Result<()> {
        let bus = Bus::connect(self.settings.bus()).await?;
        let mut signals = bus.signals().await?;
        let signalled = Notify::new();
        // Taken at all times: a queue that is full would hold up the answers as well.
        let take = async {
            while signals.next().await.is_some() {
                signalled.notify_one();
            }
        };
        let mut desk = Desk {
            settings: &self.settings,
            context,
            bus: &bus,
            stages: BTreeMap::new(),
            handing_over: JoinSet::new(),
        };
        let look = async {
            loop {
                context.health(desk.look().await);
                tokio::time::sleep(BREATH).await;
                tokio::select! {
                    () = signalled.notified() => {}
                    () = tokio::time::sleep(LOOK) => {}
                    Some(ended) = desk.handing_over.join_next() => desk.ended(ended.ok().flatten()),
                }
            }
        };
        tokio::select! {
            () = take => Ok(()),
            () = look => Ok(()),
        }
    }
}

/// How far a text has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The kill switch has it, and has not said that it took it.
    Offered,
    /// It was taken, and is still in the modem.
    Taken,
}

/// What was found and is being handed over.
struct Desk<'a> {
    settings: &'a Settings,
    context: &'a Context,
    bus: &'a Bus,
    stages: BTreeMap<String, Stage>,
    handing_over: JoinSet<Option<String>>,
}

impl Desk<'_> {
    fn ended(&mut self, taken: Option<String>) {
        if let Some(id) = taken {
            self.stages.insert(id, Stage::Taken);
        }
    }

    /// Hands over what is new, and deletes what was taken. What is wrong, for people.
    async fn look(&mut self) -> Option<String> {
        let modems = match self.bus.modems(self.settings.modem()).await {
            Ok(modems) if modems.is_empty() => return Some("no modem takes texts".to_owned()),
            Ok(modems) => modems,
            Err(why) => return Some(Bus::problem(&why)),
        };
        let mut problem = None;
        let mut there = BTreeSet::new();
        for modem in &modems {
            match self.look_into(modem, &mut there).await {
                Ok(wrong) => problem = problem.or(wrong),
                // What is in this modem is not known, so nothing is forgotten.
                Err(why) => return Some(Bus::problem(&why)),
            }
        }
        self.stages
            .retain(|id, stage| *stage == Stage::Offered || there.contains(id));
        problem
    }

    async fn look_into(
        &mut self,
        modem: &OwnedObjectPath,
        there: &mut BTreeSet<String>,
    ) -> zbus::Result<Option<String>> {
        let texts = self.bus.list(modem).await?;
        let mut problem = None;
        for path in texts.iter().take(MOST_TEXTS) {
            let Some(received) = self.bus.received(path).await? else {
                continue;
            };
            let id = id(path, &received);
            match self.stages.get(&id) {
                Some(Stage::Offered) => {}
                Some(Stage::Taken) => {
                    if let Err(why) = self.bus.delete(modem, path).await {
                        let why = Bus::problem(&why);
                        problem = Some(format!("a text that was taken cannot be deleted: {why}"));
                    }
                }
                None => self.offer(&id, modem, path, received),
            }
            there.insert(id);
        }
        let (count, slots) = (texts.len(), self.settings.slots);
        let full = count * 5 > slots * 4;
        Ok(problem.or_else(|| {
            full.then(|| {
                format!(
                    "{count} of {slots} places for texts are taken, and a full modem receives none"
                )
            })
        }))
    }

    fn offer(&mut self, id: &str, modem: &OwnedObjectPath, path: &OwnedObjectPath, text: Received) {
        self.stages.insert(id.to_owned(), Stage::Offered);
        let (id, modem, path) = (id.to_owned(), modem.clone(), path.clone());
        let (context, bus) = (self.context.clone(), self.bus.clone());
        self.handing_over.spawn(async move {
            let sender = Some(text.sender.as_str());
            let taken = context.text(&id, sender, &text.text, text.sent()).await;
            if taken.is_err() {
                return None;
            }
            // Deleting is tried again with every look for as long as it is there.
            bus.delete(&modem, &path).await.ok();
            Some(id)
        });
    }
}

/// Of what the text is, since ModemManager numbers its texts anew when it starts. Without a stamp the number has to do.
fn id(path: &OwnedObjectPath, received: &Received) -> String {
    let mut hash = Sha256::new();
    let path = if received.stamp.is_empty() {
        path.as_str()
    } else {
        ""
    };
    for part in [
        path,
        &received.centre,
        &received.sender,
        &received.stamp,
        &received.text,
    ] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    data_encoding::HEXLOWER.encode(digest.get(..16).unwrap_or_default())
}
