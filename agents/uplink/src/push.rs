//! A host that dials out: brings what waits, keeps its certificate fresh.

use crate::identity::{Identity, State};
use crate::patience::Patience;
use crate::{Settings, renew};
use hyper::{Method, StatusCode};
use net_link::{CONTROL_NAME, Reply, Talk, TalkError, parsed};
use net_model::{MAX_TALK_BYTES, REPORTS_PATH, ReportsAnswer};
use std::net::SocketAddr;
use std::sync::PoisonError;
use std::time::Duration;

/// Bytes of reports brought at a time, less than the other end takes: what an agent once needed it keeps.
const LOAD: usize = 64 * 1024;
/// How often is looked whether something waits.
const LOOK: Duration = Duration::from_secs(1);
/// How long one exchange may take.
const STEP: Duration = Duration::from_secs(20);

/// What came of one attempt.
enum Came {
    /// Nothing waits any more.
    Empty,
    /// The control plane asks for a pause.
    Later(Option<u64>),
    /// This host has another identity now, or none that counts.
    Somebody,
}

/// Brings reports until this host is somebody else; gives why.
pub(crate) async fn keep_bringing(settings: &Settings, identity: Identity) -> &'static str {
    let mut bringer = Bringer {
        settings,
        identity,
        talk: None,
        turn: 0,
        gets_on: false,
    };
    let mut patience = Patience::default();
    let mut trouble = false;
    loop {
        let brought = bringer.bring().await;
        // Whoever takes a part each time and then asks for a pause is not waited for ever longer.
        if std::mem::take(&mut bringer.gets_on) {
            patience.reset();
        }
        let wait = match brought {
            Ok(Came::Empty) => {
                if std::mem::take(&mut trouble) {
                    tracing::info!("Reports reach the control plane again.");
                }
                patience.reset();
                LOOK
            }
            Ok(Came::Somebody) => return "another identity",
            Ok(Came::Later(asked)) => patience.after_failure(asked, (settings.chance)()),
            Err(why) => {
                bringer.talk = None;
                bringer.turn += 1;
                // A certificate that is over ends the handshake: there may be a new one.
                if bringer.is_somebody_else() {
                    return "another identity";
                }
                if !std::mem::replace(&mut trouble, true) {
                    tracing::warn!("Reports wait: {}.", chain(&why));
                }
                patience.after_failure(None, (settings.chance)())
            }
        };
        tokio::time::sleep(wait).await;
    }
}

struct Bringer<'s> {
    settings: &'s Settings,
    identity: Identity,
    talk: Option<Talk>,
    /// Which address is tried.
    turn: usize,
    /// Something was taken since it was last asked.
    gets_on: bool,
}

impl Bringer<'_> {
    /// Brings everything that waits.
    async fn bring(&mut self) -> Result<Came, TalkError> {
        loop {
            let Some(lines) = self.next_lines() else {
                return Ok(Came::Empty);
            };
            let last = last_seq(&lines);
            let reply = self.ask(lines).await?;
            match reply.status {
                StatusCode::OK => {}
                StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => {
                    return Ok(self.refused(&reply));
                }
                _ => return Ok(Came::Later(reply.retry_after)),
            }
            let answer: ReportsAnswer = parsed(&reply.body).map_err(|_| TalkError::Answer)?;
            for refused in &answer.refused {
                tracing::warn!(seq = refused.seq, why = %refused.why.escape_debug(), "A report was refused.");
            }
            // Nothing that was not brought is ever given away.
            self.give_away(answer.through.min(last));
            self.gets_on = true;
            if answer.renew {
                return self.renew().await;
            }
            if answer.through < last {
                // Some of it was taken: the rest is brought at a pace.
                return Ok(Came::Later(Some(1)));
            }
        }
    }

    fn next_lines(&self) -> Option<Vec<u8>> {
        let shelf = self.settings.shelf.lock();
        let shelf = shelf.unwrap_or_else(PoisonError::into_inner);
        match shelf.after(0, LOAD) {
            Ok(lines) => Some(lines).filter(|lines| !lines.is_empty()),
            Err(why) => {
                tracing::error!(%why, "The reports that wait cannot be read.");
                None
            }
        }
    }

    fn give_away(&self, through: u64) {
        let shelf = self.settings.shelf.lock();
        let mut shelf = shelf.unwrap_or_else(PoisonError::into_inner);
        if let Err(why) = shelf.through(through) {
            tracing::error!(%why, "What was brought cannot be taken off the shelf; it will be brought again.");
        }
    }

    async fn ask(&mut self, lines: Vec<u8>) -> Result<Reply, TalkError> {
        let mut talk = self.connected().await?;
        let reply = talk
            .ask(
                Method::POST,
                REPORTS_PATH,
                lines.into(),
                MAX_TALK_BYTES,
                STEP,
            )
            .await?;
        self.talk = Some(talk);
        Ok(reply)
    }

    async fn connected(&mut self) -> Result<Talk, TalkError> {
        if let Some(talk) = self.talk.take().filter(Talk::is_open) {
            return Ok(talk);
        }
        let Some(to) = self.address() else {
            return Err(TalkError::Answer);
        };
        let config = self.identity.trust.client(Some(&self.identity.credentials));
        let config = config.map_err(|why| TalkError::Insecure {
            to,
            source: std::io::Error::other(why),
        })?;
        Talk::open(to, &config, CONTROL_NAME, STEP).await
    }

    /// One address after the other.
    fn address(&self) -> Option<SocketAddr> {
        let at = match self.settings.at.as_slice() {
            [] => self.identity.card.addresses.as_slice(),
            at => at,
        };
        at.get(self.turn.checked_rem(at.len())?).copied()
    }

    /// Shut out, unless this host has joined anew meanwhile.
    fn refused(&mut self, reply: &Reply) -> Came {
        let said = String::from_utf8_lossy(&reply.body);
        let said: String = said.chars().take(200).collect();
        self.talk = None;
        if self.is_somebody_else() {
            return Came::Somebody;
        }
        tracing::error!(said = %said.escape_debug(), "The control plane has shut this host out; it must be invited anew.");
        Came::Later(Some(15))
    }

    /// Whether this host has joined anew meanwhile.
    fn is_somebody_else(&self) -> bool {
        let now = State::at(&self.settings.state_dir, self.settings.clock).read();
        now.is_ok_and(|now| !now.is(&self.identity))
    }

    async fn renew(&mut self) -> Result<Came, TalkError> {
        let mut talk = self.connected().await?;
        let done = renew::renew(&mut talk, &self.identity, self.settings).await;
        // The next connection shows the new certificate.
        drop(talk);
        match done {
            Ok(identity) => {
                self.identity = identity;
                Ok(Came::Empty)
            }
            Err(why) => {
                tracing::warn!("The certificate was not renewed: {}.", chain(&why));
                Ok(Came::Later(Some(5)))
            }
        }
    }
}

/// The number of the last whole report of a batch.
fn last_seq(lines: &[u8]) -> u64 {
    #[derive(serde::Deserialize)]
    struct Numbered {
        seq: u64,
    }
    let last = lines.split(|b| *b == b'\n').rfind(|line| !line.is_empty());
    let last = last.and_then(|line| serde_json::from_slice::<Numbered>(line).ok());
    last.map_or(0, |it| it.seq)
}

/// An error and everything it came from.
pub(crate) fn chain(why: &dyn std::error::Error) -> String {
    let mut text = why.to_string();
    let mut source = why.source();
    while let Some(why) = source {
        text = format!("{text}: {why}");
        source = why.source();
    }
    text
}
