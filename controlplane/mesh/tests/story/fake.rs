//! A server for HTTP/1.1 that answers by a list of paths, over a unix socket or TCP on loopback, and notes what it was asked.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;

/// What is answered to one `METHOD /path`.
#[derive(Clone, Debug)]
pub(crate) enum Says {
    /// Status, further header lines, body.
    Whole(u16, &'static str, Vec<u8>),
    /// The head of an answer, half a body, and then the end of the connection.
    Half,
    /// Nothing, ever.
    Nothing,
    /// Status 200 and then these pieces, each as a chunk, a few milliseconds apart; then nothing more comes.
    Pieces(Vec<&'static str>),
}

impl Says {
    pub(crate) fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::Whole(200, "", body.into())
    }

    pub(crate) fn status(status: u16, body: &str) -> Self {
        Self::Whole(status, "", body.as_bytes().to_vec())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) head: String,
    pub(crate) body: String,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    answers: Arc<Mutex<BTreeMap<String, Says>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Book {
    /// From now on `METHOD /path` is answered like this.
    pub(crate) fn on(&self, line: &str, says: Says) {
        self.answers.lock().unwrap().insert(line.to_owned(), says);
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }

    pub(crate) fn count(&self, line: &str) -> usize {
        self.lines().iter().filter(|it| *it == line).count()
    }

    /// Waits until that was asked so often.
    pub(crate) async fn wait_for(&self, line: &str, times: usize) {
        let waited = tokio::time::timeout(Duration::from_secs(20), async {
            while self.count(line) < times {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let met = waited.await.is_ok();
        assert!(
            met,
            "{line} was not asked {times} times: {:?}",
            self.lines()
        );
    }

    async fn serve(self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        while let Some(asked) = read(&mut stream).await {
            let says = self.answers.lock().unwrap().get(&asked.line).cloned();
            self.asked.lock().unwrap().push(asked);
            let says = says.unwrap_or_else(|| Says::status(404, "{}"));
            if !answer(&mut stream, says).await {
                return;
            }
        }
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Asked> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
    let mut body = bytes.split_off(end + 4);
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().unwrap())
    });
    while body.len() < length.unwrap_or(0) {
        stream.read_buf(&mut body).await.ok()?;
    }
    let first = head.lines().next().unwrap();
    Some(Asked {
        line: first.trim_end_matches(" HTTP/1.1").to_owned(),
        body: String::from_utf8_lossy(&body).into_owned(),
        head,
    })
}

/// Whether the connection goes on.
async fn answer(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), says: Says) -> bool {
    match says {
        Says::Whole(status, headers, body) => {
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status} Said\r\n{headers}content-length: {length}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.is_ok() && stream.write_all(&body).await.is_ok()
        }
        Says::Half => {
            let text = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"BackendState\":";
            drop(stream.write_all(text).await);
            false
        }
        Says::Nothing => {
            // Until the other side gives up.
            drop(stream.read(&mut [0]).await);
            false
        }
        Says::Pieces(pieces) => {
            let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            drop(stream.write_all(head).await);
            for piece in pieces {
                let chunk = format!("{:x}\r\n{piece}\r\n", piece.len());
                drop(stream.write_all(chunk.as_bytes()).await);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            drop(stream.read(&mut [0]).await);
            false
        }
    }
}

/// Ends with the test.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) book: Book,
    _tasks: JoinSet<()>,
    folder: Option<TempDir>,
    port: u16,
}

impl Server {
    pub(crate) fn local() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("s")).unwrap();
        let book = Book::default();
        let mut tasks = JoinSet::new();
        let served = book.clone();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.spawn(served.clone().serve(stream));
            }
        });
        Self {
            book,
            _tasks: tasks,
            folder: Some(folder),
            port: 0,
        }
    }

    pub(crate) async fn control() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let book = Book::default();
        let mut tasks = JoinSet::new();
        let served = book.clone();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.spawn(served.clone().serve(stream));
            }
        });
        Self {
            book,
            _tasks: tasks,
            folder: None,
            port,
        }
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.as_ref().unwrap().path().join("s")
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

pub(crate) const STATUS: &[u8] = include_bytes!("../answers/status.json");
pub(crate) const WHOIS: &[u8] = include_bytes!("../answers/whois.json");

/// One of the recorded answers with a member put in, changed or (with `null`) emptied.
pub(crate) fn with(answer: &[u8], pointer: &str, value: serde_json::Value) -> Vec<u8> {
    let mut json: serde_json::Value = serde_json::from_slice(answer).unwrap();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    json.pointer_mut(parent).unwrap()[name] = value;
    json.to_string().into_bytes()
}
