//! The socket where `kill-gammu` tells of a received message.

use kill_gammu::{ACKNOWLEDGED, MAX_NOTICE_LINE, Notice};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long one who rings is listened to; it waits no longer itself.
const PATIENCE: Duration = Duration::from_secs(1);
/// Most who ring at the same time, and most notices that wait.
const MOST: usize = 16;

/// Where `kill-gammu` rings.
pub(super) struct Doorbell {
    rung: Option<mpsc::Receiver<Notice>>,
    /// Ends with the doorbell.
    _answering: JoinSet<()>,
}

impl Doorbell {
    /// Without a socket nobody rings.
    pub(super) fn none() -> Self {
        Self {
            rung: None,
            _answering: JoinSet::new(),
        }
    }

    /// Listens at `socket`, for members of our group; takes away what an earlier run has left there.
    pub(super) fn hang(socket: Option<&Path>) -> io::Result<Self> {
        let Some(socket) = socket else {
            return Ok(Self::none());
        };
        if std::os::unix::net::UnixStream::connect(socket).is_ok() {
            return Err(io::Error::other("another program listens there"));
        }
        match std::fs::remove_file(socket) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
            _ => {}
        }
        let listener = UnixListener::bind(socket)?;
        std::fs::set_permissions(socket, std::fs::Permissions::from_mode(0o660))?;
        let (tell, rung) = mpsc::channel(MOST);
        let mut answering = JoinSet::new();
        answering.spawn(answer_all(listener, tell));
        Ok(Self {
            rung: Some(rung),
            _answering: answering,
        })
    }

    /// The next message told of.
    pub(super) async fn rung(&mut self) -> Notice {
        match &mut self.rung {
            Some(rung) => match rung.recv().await {
                Some(notice) => notice,
                None => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    }
}

async fn answer_all(listener: UnixListener, tell: mpsc::Sender<Notice>) {
    let mut answering = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                while answering.len() >= MOST {
                    answering.join_next().await;
                }
                answering.spawn(timeout(PATIENCE, answer(stream, tell.clone())));
            }
            // Too many open files: others close theirs in time.
            Err(_) => tokio::time::sleep(PATIENCE).await,
        }
    }
}

/// One line, acknowledged when it waits for the desk.
async fn answer(mut stream: UnixStream, tell: mpsc::Sender<Notice>) -> io::Result<()> {
    let (read, mut write) = stream.split();
    let mut line = Vec::new();
    let most = u64::try_from(MAX_NOTICE_LINE).unwrap_or(u64::MAX);
    let mut reader = BufReader::new(read.take(most));
    reader.read_until(b'\n', &mut line).await?;
    let notice =
        serde_json::from_slice(&line).map_err(|_| io::Error::other("not what kill-gammu says"))?;
    if tell.send(notice).await.is_ok() {
        write.write_all(ACKNOWLEDGED.as_bytes()).await?;
        write.write_all(b"\n").await?;
    }
    Ok(())
}
