//! Sends new requests at fixed times, each on a connection of its own, whether or not the ones before were answered:
//! so no slow answer hides what would have been let through meanwhile.

use crate::prober::{connect, read_status};
use site_tests::bench::clock::{Mark, mark};
use std::{
    io::Write as _,
    net::{SocketAddr, TcpStream},
    sync::mpsc,
    thread::JoinHandle,
    time::Duration,
};

/// Requests of one volley, and the time between two of them: 40 ms in all.
const SHOTS: usize = 80;
const APART: Duration = Duration::from_micros(500);

/// A volley that is being fired.
#[derive(Debug)]
pub(crate) struct Volley {
    thread: JoinHandle<anyhow::Result<Vec<Shot>>>,
}

/// One request of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shot {
    /// When it was sent.
    pub(crate) sent: Mark,
    /// Whether it was let through.
    pub(crate) passed: bool,
}

impl Volley {
    /// Opens all connections, then begins to fire; returns when a quarter has been sent.
    pub(crate) fn fire(at: SocketAddr, request: &str) -> anyhow::Result<Self> {
        let request = request.to_owned();
        let (begun, quarter) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("volley".to_owned())
            .spawn(move || {
                let mut connections = Vec::new();
                for _ in 0..SHOTS {
                    connections.push(connect(at)?);
                }
                let mut shots: Vec<(Mark, TcpStream)> = Vec::new();
                for mut connection in connections {
                    let sent = mark();
                    connection.write_all(request.as_bytes())?;
                    shots.push((sent, connection));
                    if shots.len() == SHOTS / 4 {
                        // Nobody listening any more ends the round elsewhere.
                        let _listening = begun.send(());
                    }
                    std::thread::sleep(APART);
                }
                shots.into_iter().map(outcome).collect()
            })?;
        quarter.recv()?;
        Ok(Self { thread })
    }

    /// Waits for the end of it.
    pub(crate) fn shots(self) -> anyhow::Result<Vec<Shot>> {
        self.thread
            .join()
            .map_err(|_| anyhow::anyhow!("the volley panicked"))?
    }
}

fn outcome((sent, mut connection): (Mark, TcpStream)) -> anyhow::Result<Shot> {
    // A connection that the cut closed without an answer let nothing through.
    let passed = read_status(&mut connection).is_ok_and(|status| status == 200);
    Ok(Shot { sent, passed })
}
