//! Tells systemd that it runs (`sd_notify`, one datagram a word): from the kill switch's own thread, so that a hang of that
//! thread is seen and mended by a restart, which comes up as cut as it was.

use crate::switch::Switch;
use std::ffi::OsString;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Without a watchdog there is nothing to say but the first and the last word.
const IDLE: Duration = Duration::from_secs(3600);

/// Where to say it, and how often it must be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watchdog {
    /// `$NOTIFY_SOCKET`: a path, or after an `@` an abstract name.
    pub socket: OsString,
    /// `$WATCHDOG_USEC`: silence this long means a hang. None: only the start and the end are told.
    pub limit: Option<Duration>,
}

impl Watchdog {
    /// What systemd asks of this process, if it asks anything.
    #[must_use]
    pub fn from_environment() -> Option<Self> {
        let own = |pid: String| pid.parse() == Ok(std::process::id());
        let meant = std::env::var("WATCHDOG_PID").map_or(true, own);
        let micros = std::env::var("WATCHDOG_USEC").ok();
        let limit = micros.and_then(|micros| micros.parse().ok());
        Some(Self {
            socket: std::env::var_os("NOTIFY_SOCKET")?,
            limit: limit.filter(|_| meant).map(Duration::from_micros),
        })
    }

    fn open(&self) -> std::io::Result<UnixDatagram> {
        let name = self.socket.as_bytes();
        let address = match name.strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(&self.socket)?,
        };
        let socket = UnixDatagram::unbound()?;
        // A full queue of systemd's must not hold up this thread.
        socket.set_nonblocking(true)?;
        socket.connect_addr(&address)?;
        Ok(socket)
    }
}

/// Says it until shutdown.
pub(crate) async fn feed(switch: Arc<Switch>) {
    let Some(watchdog) = &switch.wishes.watchdog else {
        return;
    };
    let socket = match watchdog.open() {
        Ok(socket) => socket,
        Err(why) => {
            tracing::warn!(%why, "systemd cannot be told that this runs.");
            return;
        }
    };
    let say = |word: &[u8]| {
        if let Err(why) = socket.send(word) {
            tracing::debug!(%why, "systemd was not told.");
        }
    };
    say(b"READY=1");
    let mut beats = interval(
        watchdog
            .limit
            .map_or(IDLE, |limit| limit / 3)
            .max(Duration::from_millis(1)),
    );
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while switch
        .stop
        .run_until_cancelled(beats.tick())
        .await
        .is_some()
    {
        if watchdog.limit.is_some() {
            say(b"WATCHDOG=1");
        }
    }
    say(b"STOPPING=1");
}
