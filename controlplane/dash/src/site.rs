//! What every handler works with: the database, the newest moment of the house, the kill switch.

use crate::attempts::Attempts;
use crate::channels::ChannelTest;
use crate::chronicle::JournalFile;
use crate::config::ConfigAsk;
use crate::feeds::{AT_ONCE, Feeds};
use crate::house::LastRead;
use crate::memory::Memory;
use crate::office::Office;
use crate::pace::{Last, Pace};
use crate::pulse::Newest;
use crate::seal::Seal;
use crate::tokens::as_session;
use crate::violations::Violations;
use inventory::Inventory;
use kill_wire::Timestamp;
use killctl::Lever;
use net_model::{KeyHash, MeshView, SignedInBy, Snapshot, TargetTest};
use passkeys::Passkeys;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::{Session, Store, StoreError};
use tasks::JobsReader;
use tokio::sync::{Semaphore, mpsc, watch};

/// Most browsers that listen at once.
const LISTENERS: usize = 64;

/// How long is waited to mark that a token was used.
const MARKING: Duration = Duration::from_millis(200);

/// How long the database is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// What the dashboard works with.
#[derive(Clone, Debug)]
pub struct App {
    /// The database, for sessions and figures.
    pub store: Store,
    /// The newest moment of the house. When its sender goes, open event streams end.
    pub snapshots: watch::Receiver<Arc<Snapshot>>,
    /// The house's hosts.
    pub inventory: Inventory,
    /// The mesh network, where the house has one.
    pub mesh: Option<watch::Receiver<Arc<MeshView>>>,
    /// What the control plane does by itself.
    pub jobs: JobsReader,
    /// The house's OpenID Connect provider, where it has one.
    pub oidc: Option<oidc::Provider>,
    /// What the configuration says of passkeys; none where they are off.
    pub passkeys: Option<passkeys::Settings>,
    /// The kill switch.
    pub lever: Lever,
    /// Who keeps the house's files.
    pub office: Arc<dyn Office>,
    /// Where one-time sign-in tokens lie, as empty files named by the SHA-256 of the token.
    pub sign_in_dir: PathBuf,
    /// Names besides `localhost` and literal addresses under which a browser may call, such as
    /// `portcullis.lan`; without port.
    pub hosts: Vec<String>,
    /// Who has the configuration read.
    pub config: mpsc::Sender<ConfigAsk>,
    /// The kill switch's journal, as a file of this machine.
    pub journal: JournalFile,
    /// Which other gateways may tell of their usage. Whoever holds the other end changes it.
    pub feeds: watch::Receiver<Arc<Feeds>>,
    /// Reads the clock.
    pub clock: fn() -> Timestamp,
}

/// What every handler sees.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) app: App,
    /// Sessions that were seen to be valid.
    pub(crate) memory: Memory,
    /// Attempts to sign in.
    pub(crate) attempts: Attempts,
    /// Seals what a sign-in on its way needs; ends with this process.
    pub(crate) seal: Seal,
    /// Asks for passkeys, where they are on.
    pub(crate) passkeys: Option<Passkeys>,
    /// Held while a provider renews a session.
    pub(crate) renewing: tokio::sync::Mutex<()>,
    /// A place for each browser that listens.
    pub(crate) listeners: Arc<Semaphore>,
    /// A place for each batch of usage that is read.
    pub(crate) batches: Arc<Semaphore>,
    /// What the kill switch said last.
    pub(crate) newest: Newest,
    /// The hosts as they were read last.
    pub(crate) house: LastRead,
    /// A place for who has the whole journal checked.
    pub(crate) verifying: Arc<Semaphore>,
    /// How often targets and channels are tested.
    pub(crate) pace: Pace,
    /// What the last test of each target has found.
    pub(crate) target_tests: Last<TargetTest>,
    /// What the last test of each channel has found.
    pub(crate) channel_tests: Last<ChannelTest>,
    /// What browsers tell of broken policies.
    pub(crate) violations: Violations,
}

impl Site {
    pub(crate) fn new(app: App) -> Self {
        let settings = app.passkeys.as_ref();
        Self {
            passkeys: settings.map(|settings| Passkeys::new(settings.party.clone())),
            app,
            memory: Memory::default(),
            attempts: Attempts::default(),
            seal: Seal::random(),
            renewing: tokio::sync::Mutex::default(),
            listeners: Arc::new(Semaphore::new(LISTENERS)),
            batches: Arc::new(Semaphore::new(AT_ONCE)),
            newest: Newest::default(),
            house: LastRead::default(),
            verifying: Arc::new(Semaphore::new(1)),
            pace: Pace::default(),
            target_tests: Last::default(),
            channel_tests: Last::default(),
            violations: Violations::default(),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.app.clock)()
    }

    /// Whether a session that was valid may go on. A database that does not answer ends none.
    pub(crate) async fn still_valid(&self, session: &Session) -> bool {
        let now = self.now();
        let asked = self.find(session.token, session.how == SignedInBy::Token, now);
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(found)) => found.is_some_and(|found| found.role == session.role),
            Ok(Err(_)) | Err(_) => now < session.expires,
        }
    }

    /// The session of a browser's token; of a program's, the same made from it.
    pub(crate) async fn find(
        &self,
        token: KeyHash,
        of_program: bool,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let store = &self.app.store;
        if !of_program {
            return store.find_session(token, now).await;
        }
        let Some(record) = store.find_token(token, now).await? else {
            return Ok(None);
        };
        let marking = store.token_used(&record.name, now);
        if !matches!(tokio::time::timeout(MARKING, marking).await, Ok(Ok(()))) {
            tracing::debug!(token = %record.name, "When a token was used is not marked: the database is busy.");
        }
        Ok(Some(as_session(token, record)))
    }

    /// The newest moment. When nobody looks at the house any more, it says so instead of the last state seen.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        let newest = Arc::clone(&self.app.snapshots.borrow());
        if self.app.snapshots.has_changed().is_ok() {
            return newest;
        }
        let why = format!("the control plane stopped looking at {}", newest.at.clock());
        let mut blind = Snapshot::clone(&newest);
        blind.killswitch = Err(why.clone());
        blind.gateway = Err(why);
        Arc::new(blind)
    }
}
