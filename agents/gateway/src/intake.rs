//! Takes a request's body in: bounded in length, in time, and in what all of them hold together.

use crate::{deny::Denied, inflow::Inflow};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::time::{Instant, timeout, timeout_at};

/// Longest request body.
pub(crate) const MAX_BODY: usize = 32 * 1024 * 1024;
/// Bytes of all request bodies held at once.
const MAX_HELD: usize = 256 * 1024 * 1024;
/// Room that is made before anything came, at most: an announced length costs a client nothing.
const FIRST: usize = 16 * 1024;
/// Longest silence within a request body.
const SILENCE: Duration = Duration::from_secs(20);
/// Longest time for all of it.
const WHOLE: Duration = Duration::from_secs(120);

/// Counts the bytes of all request bodies that are held.
#[derive(Debug, Default)]
pub(crate) struct Held(AtomicUsize);

/// A request body, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct Taken<'a> {
    held: &'a Held,
    counted: usize,
    /// The bytes as they came.
    pub(crate) bytes: Bytes,
}

impl<'a> Taken<'a> {
    fn grow(&mut self, by: usize) -> Result<(), Denied> {
        self.counted += by;
        if self.counted > MAX_BODY {
            self.held.0.fetch_add(by, Ordering::Relaxed);
            return Err(Denied::TooLarge);
        }
        if self.held.0.fetch_add(by, Ordering::Relaxed) + by > MAX_HELD {
            return Err(Denied::Busy);
        }
        Ok(())
    }

    /// Takes a body in, bounded in length and time.
    pub(crate) async fn take(held: &'a Held, mut body: Inflow) -> Result<Self, Denied> {
        let mut taken = Self {
            held,
            counted: 0,
            bytes: Bytes::new(),
        };
        if body.size_hint().lower() > MAX_BODY as u64 {
            return Err(Denied::TooLarge);
        }
        let limit = Instant::now() + WHOLE;
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(0);
        let mut bytes = BytesMut::with_capacity(announced.min(FIRST));
        loop {
            let next = timeout_at(limit, timeout(SILENCE, body.frame())).await;
            let Ok(Ok(frame)) = next else {
                return Err(Denied::SlowBody);
            };
            // A body that breaks off ends the connection by itself; nobody reads this answer.
            let Some(frame) = frame.transpose().map_err(|_| Denied::NotJson)? else {
                taken.bytes = bytes.freeze();
                return Ok(taken);
            };
            if let Ok(data) = frame.into_data() {
                taken.grow(data.len())?;
                bytes.extend_from_slice(&data);
            }
        }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.held.0.fetch_sub(self.counted, Ordering::Relaxed);
    }
}
