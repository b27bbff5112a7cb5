//! LiteLLM's administration, pretended: as it is with a database, which cannot be had in a test run. Written from LiteLLM
//! 1.102.4's source, and from the answers it gave without one.
#![expect(
    clippy::unwrap_used,
    reason = "a double fails by panicking, as the tests that use it do"
)]

mod answering;

use answering::{answer, set};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Its master key.
pub const MASTER: &str = "sk-0123456789abcdef0123456789abcdef";

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing is done; this is answered.
    Status(u16),
    /// It is done, and this is answered all the same.
    DoneThenStatus(u16),
    /// Nothing is done; the connection breaks.
    Reset,
    /// It is done; the connection breaks in place of an answer.
    DoneThenReset,
    /// It is done and answered so much later, if whoever asked still waits.
    Slow(Duration),
    /// Nothing is ever answered.
    Hang,
    /// It is done, and nothing is answered.
    DoneThenHang,
    /// Nothing is answered, and it is done so much later.
    DoneLate(Duration),
}

/// A trouble, and which calls it meets.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// What happens.
    pub trouble: Trouble,
    /// Only calls that block or unblock.
    pub writes: bool,
    /// Spares so many first: it comes half-way.
    pub spares: u32,
    /// How many it meets.
    pub times: u32,
}

#[derive(Debug, Default)]
struct State {
    faults: Vec<Fault>,
    /// Writes that will still come about.
    unfinished: usize,
    late: JoinSet<()>,
    /// A database that does not answer.
    away: bool,
    keys: Vec<(String, bool)>,
    models: Vec<(String, String, bool, bool)>,
    no_database: bool,
    /// Does what it is asked, and never says so.
    silent: bool,
}

/// One that runs.
#[derive(Debug)]
pub struct Double {
    /// Where it serves.
    pub at: SocketAddr,
    state: Arc<Mutex<State>>,
    _serving: JoinSet<()>,
}

impl Double {
    /// Serves on a free port, with nothing in its database.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let state: Arc<Mutex<State>> = Arc::default();
        let mut serving = JoinSet::new();
        let shared = Arc::clone(&state);
        serving.spawn(async move {
            let mut clients = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let state = Arc::clone(&shared);
                clients.spawn(async move {
                    let serve = service_fn(|request| answer(Arc::clone(&state), request));
                    let builder = hyper::server::conn::http1::Builder::new();
                    drop(builder.serve_connection(TokioIo::new(client), serve).await);
                });
            }
        });
        Self {
            at,
            state,
            _serving: serving,
        }
    }

    /// Makes a key.
    pub fn key(&self, alias: &str) {
        self.state
            .lock()
            .unwrap()
            .keys
            .push((alias.to_owned(), false));
    }

    /// Makes a model that leads to `base`.
    pub fn model(&self, name: &str, base: &str, in_database: bool) {
        let model = (name.to_owned(), base.to_owned(), in_database, false);
        self.state.lock().unwrap().models.push(model);
    }

    /// It has no database.
    pub fn without_database(&self) {
        self.state.lock().unwrap().no_database = true;
    }

    /// What is asked is done, and never answered.
    pub fn carry_out_in_silence(&self, silent: bool) {
        self.state.lock().unwrap().silent = silent;
    }

    /// Somebody blocks a key.
    pub fn block(&self, alias: &str) {
        set(&mut self.state.lock().unwrap().keys, alias, true);
    }

    /// Somebody unblocks a key.
    pub fn unblock(&self, alias: &str) {
        set(&mut self.state.lock().unwrap().keys, alias, false);
    }

    /// From now on calls meet this, until it has met enough of them, or [`Self::calm`].
    pub fn fault(&self, fault: Fault) {
        self.state.lock().unwrap().faults.push(fault);
    }

    /// Its database does not answer, or does again.
    pub fn away(&self, away: bool) {
        self.state.lock().unwrap().away = away;
    }

    /// No trouble from now on; what hangs late comes about all the same.
    pub fn calm(&self) {
        let mut state = self.state.lock().unwrap();
        state.faults.clear();
        state.away = false;
        state.silent = false;
    }

    /// Writes that nobody waits for and that will still come about.
    pub fn unfinished(&self) -> usize {
        self.state.lock().unwrap().unfinished
    }

    /// Keys and models that are blocked, by name.
    pub fn blocked(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let keys = state.keys.iter().filter(|it| it.1).map(|it| it.0.clone());
        let models = state.models.iter().filter(|it| it.3).map(|it| it.0.clone());
        let mut all: Vec<String> = keys.chain(models).collect();
        all.sort();
        all
    }
}
