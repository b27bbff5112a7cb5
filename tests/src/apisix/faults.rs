//! What a test can make go wrong with calls to the admin API.

use super::clock;
use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing is done and nothing is answered.
    Hang,
    /// It is done, and nothing is answered.
    DoneThenHang,
    /// Nothing is answered, and it is done so much later.
    DoneLate(Duration),
    /// Nothing is done; this status is answered, with the body that belongs to it.
    Status(u16),
    /// It is done, and this status is answered all the same.
    DoneThenStatus(u16),
    /// Nothing is done; the connection is reset.
    Reset,
    /// It is done; the connection is reset in place of an answer.
    DoneThenReset,
    /// It is done and answered so much later.
    Slow(Duration),
}

/// One trouble, and which calls it meets.
#[derive(Clone, Debug)]
pub struct Fault {
    trouble: Trouble,
    method: Option<String>,
    path: String,
    spare: u32,
    times: Option<u32>,
    until: Option<Instant>,
}

impl Fault {
    /// Meets every call until [`super::Twin::calm`].
    #[must_use]
    pub const fn new(trouble: Trouble) -> Self {
        Self {
            trouble,
            method: None,
            path: String::new(),
            spare: 0,
            times: None,
            until: None,
        }
    }

    /// Meets only this method; `write` is every method that is not GET.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Meets only paths that begin with this: `/apisix/admin/routes`.
    #[must_use]
    pub fn path(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.path);
        self
    }

    /// Spares so many calls before it begins: the trouble comes half-way.
    #[must_use]
    pub const fn after(mut self, calls: u32) -> Self {
        self.spare = calls;
        self
    }

    /// Meets so many calls.
    #[must_use]
    pub const fn times(mut self, calls: u32) -> Self {
        self.times = Some(calls);
        self
    }

    /// Meets calls for so long from now.
    #[must_use]
    pub fn lasting(mut self, time: Duration) -> Self {
        self.until = Some(clock::now() + time);
        self
    }

    fn meets(&self, method: &str, path: &str) -> bool {
        let asked = match self.method.as_deref() {
            None => true,
            Some("write") => method != "GET" && method != "HEAD",
            Some(wanted) => wanted == method,
        };
        asked && path.starts_with(&self.path)
    }
}

#[derive(Debug, Default)]
pub(super) struct Faults(VecDeque<Fault>);

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push_back(fault);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The trouble this call meets: the first that was asked for and still lasts.
    pub(super) fn meet(&mut self, method: &str, path: &str) -> Option<Trouble> {
        let now = clock::now();
        self.0
            .retain(|fault| fault.times != Some(0) && fault.until.is_none_or(|until| now < until));
        let fault = self.0.iter_mut().find(|fault| fault.meets(method, path))?;
        if fault.spare > 0 {
            fault.spare -= 1;
            return None;
        }
        if let Some(times) = &mut fault.times {
            *times -= 1;
        }
        Some(fault.trouble)
    }
}
