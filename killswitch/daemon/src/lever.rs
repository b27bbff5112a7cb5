//! The unix socket of the owner: who may open it may cut.

use crate::alarms;
use crate::clock;
use crate::conclude::conclude;
use crate::cut;
use crate::drill;
use crate::event::Event;
use crate::other;
use crate::report;
use crate::restore;
use crate::state;
use crate::switch::Switch;
use crate::vouch;
use kill_core::{DrillPlan, Feigned, Opening, Why};
use kill_wire::{ErrorCode, LeverError, LeverReply, LeverRequest, Scope};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{Instant, timeout};

/// Longest request in bytes.
const MAX_REQUEST: u64 = 8 * 1024;
/// Until a request must be there.
const LIMIT: Duration = Duration::from_secs(5);

/// Accepts until shutdown.
pub(crate) async fn serve(switch: Arc<Switch>, listener: UnixListener) {
    loop {
        let accepted = tokio::select! {
            () = switch.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let shared = Arc::clone(&switch);
        switch.tasks.spawn(async move {
            if let Err(why) = one(&shared, stream).await {
                tracing::debug!(%why, "A lever connection broke.");
            }
        });
    }
}

async fn one(switch: &Arc<Switch>, stream: UnixStream) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    timeout(
        LIMIT,
        BufReader::new(read.take(MAX_REQUEST)).read_line(&mut line),
    )
    .await??;
    let reply = match serde_json::from_str(&line) {
        Ok(request) => {
            // In a task of its own: a caller that leaves does not stop a cut half-way.
            let shared = Arc::clone(switch);
            let work = switch
                .tasks
                .spawn(async move { answer(&shared, request).await });
            work.await.unwrap_or_else(|why| {
                refused(
                    ErrorCode::Unavailable,
                    format!("the kill switch failed inside: {why}"),
                )
            })
        }
        Err(why) => refused(ErrorCode::BadRequest, format!("not a lever request: {why}")),
    };
    let mut answer = serde_json::to_vec(&reply)?;
    answer.push(b'\n');
    timeout(LIMIT, write.write_all(&answer)).await?
}

async fn answer(switch: &Arc<Switch>, request: LeverRequest) -> LeverReply {
    match request {
        LeverRequest::Cut { scope, by, why } => {
            let accepted = Instant::now();
            let cut = switch.core().lever_cut(scope, &by, &why, clock::now());
            let report = cut::carry_out(switch, &cut, accepted).await;
            conclude(switch, &report).await;
            LeverReply::Cut(report)
        }
        LeverRequest::Restore { scope, code, by } => open(switch, &scope, &code, &by).await,
        LeverRequest::State => LeverReply::State(Box::new(report::state(switch))),
        LeverRequest::Incidents { limit } => LeverReply::Incidents {
            incidents: switch
                .incidents
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .newest(limit),
        },
        LeverRequest::Reload => reload(switch).await,
        LeverRequest::Vouch { code, by, what } => vouch::answer(switch, &code, &by, &what).await,
        LeverRequest::Unlock => {
            switch.core().clear_restore_lock();
            switch.note(Event::Unlocked);
            LeverReply::Unlocked
        }
        LeverRequest::Drill { by } => {
            let plan = DrillPlan::new(&by, "lever", clock::now());
            LeverReply::Drilled {
                drill: drill::run(switch, &plan).await,
            }
        }
        LeverRequest::CheckIn { by } => check_in(switch, &by),
        LeverRequest::Tell { by, text } => {
            match alarms::pass_on(switch, &by, &text, clock::now()) {
                Some(people) => LeverReply::Told { people },
                None => refused(
                    ErrorCode::Unavailable,
                    "as many texts as a day allows were sent already".to_owned(),
                ),
            }
        }
    }
}

/// Reads the file on another thread: a disk that hangs must not hold up this one.
async fn reload(switch: &Switch) -> LeverReply {
    let file = switch.people_file.clone();
    let read = tokio::task::spawn_blocking(move || state::read_people(&file));
    match timeout(LIMIT, read).await {
        Ok(Ok(Ok(people))) => {
            let count = u32::try_from(people.len()).unwrap_or(u32::MAX);
            let mut core = switch.core();
            if let Err(why) = core.rules().check(&people) {
                return refused(ErrorCode::BadRequest, why.to_string());
            }
            core.set_people(people);
            let known = |sender: &str| core.people().sender(sender).is_some();
            switch.book().keep_only(known);
            drop(core);
            switch.note(Event::People { count });
            LeverReply::Reloaded { people: count }
        }
        Ok(Ok(Err(why))) => refused(ErrorCode::BadRequest, why),
        Ok(Err(_)) | Err(_) => refused(
            ErrorCode::Unavailable,
            "people.json could not be read in time".to_owned(),
        ),
    }
}

async fn open(switch: &Arc<Switch>, scope: &Scope, code: &str, by: &str) -> LeverReply {
    let decided = switch.core().lever_restore(scope, code, by, clock::now());
    let restore = match decided {
        Ok(Opening::Now(restore)) => restore,
        Ok(Opening::Held(wish)) => {
            other::held(switch, &wish).await;
            return LeverReply::Held {
                text: wish.reply.into(),
            };
        }
        Ok(Opening::Feigned(pretence)) => return feigned(switch, pretence).await,
        Err(why) => {
            let why = why.why;
            switch.note_refusal("lever", &why.to_string());
            return refused(kind(&why), why.to_string());
        }
    };
    match restore::carry_out(switch, restore).await {
        Ok(released) => LeverReply::Restored {
            scope: released.latch.scope,
            incident: released.latch.incident,
            remaining: released.remaining,
            text: released.text.into(),
        },
        Err(why) => refused(ErrorCode::NotRecorded, why.to_string()),
    }
}

/// As a program may act on it.
pub(crate) const fn kind(why: &Why) -> ErrorCode {
    match why {
        Why::Locked => ErrorCode::Locked,
        Why::NotCut(_) => ErrorCode::NotCut,
        Why::NoCode
        | Why::NotAccepted
        | Why::StepUp
        | Why::TooOld
        | Why::NoScope
        | Why::Untrusted
        | Why::NotByText(_) => ErrorCode::BadCode,
    }
}

/// Answers as a real restore would.
async fn feigned(switch: &Switch, pretence: Feigned) -> LeverReply {
    other::feigned(switch, &pretence).await;
    let mut remaining = switch.latches();
    let incident = remaining.of(&pretence.scope).map(|latch| latch.incident);
    let Some(incident) = incident else {
        return refused(ErrorCode::NotCut, format!("{} is not cut", pretence.scope));
    };
    remaining.release(incident);
    LeverReply::Restored {
        scope: pretence.scope,
        incident,
        remaining,
        text: pretence.reply.into(),
    }
}

fn check_in(switch: &Switch, by: &str) -> LeverReply {
    let now = clock::now();
    let mut core = switch.core();
    let done = core.lever_check_in(by, now);
    let check_in = core.check_in_state(now);
    drop(core);
    switch.note(Event::CheckedIn {
        by: done.by,
        via: done.via,
    });
    LeverReply::CheckedIn { check_in }
}

pub(crate) fn refused(code: ErrorCode, message: String) -> LeverReply {
    LeverReply::Refused(LeverError { code, message })
}
