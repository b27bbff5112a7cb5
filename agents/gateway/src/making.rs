//! Makes the answers of one thread's connections, in rooms that are used again.
//!
//! What makes an answer takes nine kilobytes. Made anew for each call they would be asked of the allocator and copied
//! each time; held by every connection, they would be half of what an open stream holds.

use crate::{app::App, http1, inflow::Inflow, line::Line, reply::Reply};
use http::{Request, Response};
use std::{
    cell::RefCell,
    convert::Infallible,
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

/// Free rooms that one thread keeps: seldom are more answers begun at once.
const KEPT: usize = 8;

thread_local! {
    static FREE: RefCell<Vec<Room>> = const { RefCell::new(Vec::new()) };
}

/// What is asked on a connection.
pub(crate) struct Call {
    pub(crate) app: Arc<App>,
    pub(crate) line: Arc<Line>,
    pub(crate) request: Request<Inflow>,
}

/// Where a call is put into a room and its answer taken out.
#[derive(Default)]
struct Hatch {
    call: Option<Call>,
    made: Option<Response<Reply>>,
}

fn open(hatch: &Mutex<Hatch>) -> MutexGuard<'_, Hatch> {
    hatch.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes one answer after the other.
struct Room {
    hatch: Arc<Mutex<Hatch>>,
    work: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Room {
    fn new() -> Self {
        let hatch: Arc<Mutex<Hatch>> = Arc::default();
        let inside = Arc::clone(&hatch);
        Self {
            hatch,
            work: Box::pin(async move {
                loop {
                    // Whoever puts a call in looks at once.
                    let next = |_: &mut Context<'_>| match open(&inside).call.take() {
                        Some(call) => Poll::Ready(call),
                        None => Poll::Pending,
                    };
                    let made = http1::answer(poll_fn(next).await).await;
                    open(&inside).made = Some(made);
                }
            }),
        }
    }
}

/// An answer in the making. Dropped before it is made, it leaves nothing behind.
pub(crate) struct Making(Option<Room>);

impl Making {
    /// The answer to `call`.
    pub(crate) fn of(call: Call) -> Self {
        let room = FREE.with_borrow_mut(Vec::pop).unwrap_or_else(Room::new);
        open(&room.hatch).call = Some(call);
        Self(Some(room))
    }
}

impl fmt::Debug for Making {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Making").finish_non_exhaustive()
    }
}

impl Future for Making {
    /// As a service gives it.
    type Output = Result<Response<Reply>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(room) = &mut self.0 else {
            return Poll::Pending;
        };
        // It never ends: after an answer it waits for the next call.
        let _waits = room.work.as_mut().poll(cx);
        let Some(made) = open(&room.hatch).made.take() else {
            return Poll::Pending;
        };
        let room = self.0.take();
        FREE.with_borrow_mut(|free| {
            if free.len() < KEPT {
                free.extend(room);
            }
        });
        Poll::Ready(Ok(made))
    }
}
