//! Connections that idle.

use super::{Live, Socket, live::is_quiet, socket::moved_here};
use crate::lanes;
use net_model::Server;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Idle connections are used again for this long; shorter than what common servers keep them.
const IDLE_LIMIT: Duration = Duration::from_secs(20);
/// Idle connections of one target.
const MAX_IDLE: usize = 32;

#[derive(Debug)]
struct Idle {
    socket: Socket,
    /// Where it was used last.
    lane: usize,
    since: Instant,
}

impl Idle {
    fn is_good(&mut self) -> bool {
        self.since.elapsed() < IDLE_LIMIT && is_quiet(&mut self.socket)
    }
}

/// Connections that idle, by the server they lead to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pool(Arc<Mutex<HashMap<Server, Vec<Idle>>>>);

impl Pool {
    /// The connection of this lane that idled least, if one is good; else one of another lane's.
    pub(crate) fn take(&self, server: &Server) -> Option<Live> {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = pool.get_mut(server)?;
        let here = lanes::here();
        while !idle.is_empty() {
            let own = idle.iter().rposition(|idle| idle.lane == here);
            let mut last = idle.remove(own.unwrap_or(idle.len() - 1));
            if !last.is_good() {
                continue;
            }
            let socket = if own.is_some() {
                Some(last.socket)
            } else {
                moved_here(last.socket)
            };
            if let Some(socket) = socket {
                return Some(Live::new(socket, server.clone(), self));
            }
        }
        None
    }

    pub(super) fn park(&self, server: Server, socket: Socket) {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = pool.entry(server).or_default();
        if idle.len() < MAX_IDLE {
            idle.push(Idle {
                socket,
                lane: lanes::here(),
                since: Instant::now(),
            });
        }
    }

    /// Lets go of connections that idled too long or were closed; with `all`, of all.
    pub(crate) fn prune(&self, all: bool) {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for idle in pool.values_mut() {
            idle.retain_mut(|idle| !all && idle.is_good());
        }
        pool.retain(|_, idle| !idle.is_empty());
    }
}
