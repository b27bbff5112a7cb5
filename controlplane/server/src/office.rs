//! The dashboard's desk: consumers, people and settings, with the functions of the command line and over the one reload.
//!
//! Everything here blocks and is asked on threads for that. What is changed is checked whole before anything is written, written
//! whole, taken over by the same reload as a changed file, and put back when that refuses it.

mod consumers;
mod guests;
mod kept;
mod people;
mod settings;
mod targets;

use crate::config::{self, Config, mistakes};
use crate::paths::Home;
use dash::{
    Cards, ConfigAsk, ConsumerBook, ConsumerChange, Edit, Enrolled, NewHost, NewPerson, Office,
    Pending, PersonView, SettingsView, Shown, Ticket, Trouble, TroubleKind, Vouch,
};
use kill_config::{BadConfig, Problem};
use kill_wire::Name;
use net_model::{HostName, ReloadReport, TargetTest};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use store::Store;
use tokio::sync::{mpsc, oneshot};

/// What it works on.
#[derive(Debug)]
pub(crate) struct Desk {
    home: Home,
    file: Option<PathBuf>,
    asks: mpsc::Sender<ConfigAsk>,
    store: Store,
    waiting: Mutex<people::Waiting>,
    /// One change of files at a time.
    one: Mutex<()>,
}

impl Desk {
    pub(crate) fn new(
        home: &Home,
        file: Option<PathBuf>,
        asks: &mpsc::Sender<ConfigAsk>,
        store: &Store,
    ) -> Self {
        Self {
            home: home.clone(),
            file,
            asks: asks.clone(),
            store: store.clone(),
            waiting: Mutex::default(),
            one: Mutex::default(),
        }
    }

    fn read(&self) -> Result<Config, Trouble> {
        let read = config::read_whole(self.file.as_deref(), &self.home);
        read.map_err(|bad| self.mistaken(&bad))
    }

    /// What a configuration would be, of these two texts.
    fn checked(&self, own: toml::Table, kept: toml::Table) -> Result<Config, Vec<Problem>> {
        let folder = self.file.as_deref().and_then(Path::parent);
        let config = config::checked_beside(own, kept, folder.unwrap_or_else(|| Path::new("")))?;
        config::guess_bound(&config, &self.home).map_err(|bad| bad.problems)?;
        config.gateway.table(&self.fallback())?;
        Ok(config)
    }

    /// Stands in where the file names no target and no consumer.
    fn fallback(&self) -> config::Fallback {
        consumers::fallback(&self.home)
    }

    fn mistaken(&self, bad: &BadConfig) -> Trouble {
        let mistakes = mistakes::mistakes(bad, &self.home.consumers());
        Trouble {
            kind: TroubleKind::Refused,
            text: "The configuration has mistakes.".to_owned(),
            mistakes,
        }
    }

    /// Has the files taken over, as a changed file would be.
    fn reload(&self) -> Result<ReloadReport, Trouble> {
        let (reply, report) = oneshot::channel();
        let ask = ConfigAsk {
            only_check: false,
            by: "dashboard",
            reply,
        };
        let gone = |_| {
            let text = "the configuration cannot be taken over now; ask again in a moment";
            Trouble::new(TroubleKind::Unavailable, text)
        };
        self.asks.blocking_send(ask).map_err(|_| gone(()))?;
        report.blocking_recv().map_err(|_| gone(()))
    }
}

/// Nothing of what was asked for.
fn refused(text: impl Into<String>) -> Trouble {
    Trouble::new(TroubleKind::Refused, text)
}

/// A file that cannot be read or written here.
fn failed(why: &anyhow::Error) -> Trouble {
    Trouble::new(TroubleKind::Unavailable, format!("{why:#}"))
}

impl Office for Desk {
    fn consumers(&self) -> Result<ConsumerBook, Trouble> {
        consumers::book(self)
    }

    fn change_consumer(&self, change: &ConsumerChange) -> Result<Option<String>, Trouble> {
        consumers::change(self, change)
    }

    fn people(&self) -> Result<Vec<PersonView>, Trouble> {
        people::list(&self.home)
    }

    fn begin_person(&self, new: &NewPerson) -> Result<Pending, Trouble> {
        people::begin(self, new)
    }

    fn finish_person(&self, id: &str, shown: &Shown, vouch: &Vouch) -> Result<Enrolled, Trouble> {
        people::finish(self, id, shown, vouch)
    }

    fn cards(&self, name: &str, count: u8, digits: bool, vouch: &Vouch) -> Result<Cards, Trouble> {
        people::cards(&self.home, name, count, digits, vouch)
    }

    fn revoke(&self, name: &str, only_cards: bool, vouch: &Vouch) -> Result<String, Trouble> {
        people::revoke(&self.home, name, only_cards, vouch)
    }

    fn settings(&self) -> Result<SettingsView, Trouble> {
        settings::view(self)
    }

    fn check_settings(&self, text: &str) -> Result<Edit, Trouble> {
        settings::check(self, text)
    }

    fn apply_settings(&self, text: &str, over: &str) -> Result<ReloadReport, Trouble> {
        settings::apply(self, text, over)
    }

    fn test_target(&self, target: &Name) -> Result<TargetTest, Trouble> {
        targets::test(&self.home, target)
    }

    fn invite(&self, host: &NewHost) -> Result<Ticket, Trouble> {
        guests::invite(self, host)
    }

    fn reinvite(&self, name: &HostName) -> Result<Ticket, Trouble> {
        guests::reinvite(self, name)
    }
}
