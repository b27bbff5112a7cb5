//! What the scripted upstream saw and did, one record per request.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{
    fs::File,
    io::Write as _,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Everything the script had to send was taken.
    Complete,
    /// The peer went away first.
    Aborted,
    /// The script broke the connection off itself.
    BrokenOff,
}

/// One ended request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Served {
    /// Number of the request, from 1.
    pub id: u64,
    /// Path and query asked for.
    pub path: String,
    /// Model named in the body; empty when none.
    pub model: String,
    /// Names and values of the request's headers; credentials only as SHA-256.
    pub headers: Vec<(String, String)>,
    /// SHA-256 of the bearer credential, when one came.
    pub bearer_sha256: Option<String>,
    /// SHA-256 of the credential in `x-api-key`, when one came.
    pub api_key_sha256: Option<String>,
    /// SHA-256 of the body as received.
    pub body_sha256: String,
    /// Length of the body as received.
    pub body_bytes: u64,
    /// Body bytes handed to the connection.
    pub sent_bytes: u64,
    /// SHA-256 of these.
    pub sent_sha256: String,
    /// Content chunks among them.
    pub sent_chunks: u64,
    /// Prompt and completion tokens claimed in a usage frame, when one was sent.
    pub usage: Option<(u64, u64)>,
    /// When the request had come in, milliseconds since the epoch.
    pub started_ms: u64,
    /// When it ended, milliseconds since the epoch.
    pub ended_ms: u64,
    /// How it ended.
    pub end: End,
}

/// All records of one run.
#[derive(Clone, Debug)]
pub(super) struct Log(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    next: u64,
    open: usize,
    served: Vec<Served>,
    file: Option<File>,
}

impl Log {
    pub(super) fn new(path: Option<PathBuf>) -> std::io::Result<Self> {
        let file = path
            .map(|path| File::options().create(true).append(true).open(path))
            .transpose()?;
        Ok(Self(Arc::new(Mutex::new(Inner {
            next: 1,
            open: 0,
            served: Vec::new(),
            file,
        }))))
    }

    pub(super) fn served(&self) -> Vec<Served> {
        self.lock().served.clone()
    }

    pub(super) fn open(&self) -> usize {
        self.lock().open
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the record of a request; it is closed and written when the returned value is dropped.
    pub(super) fn begin(&self, path: String, headers: &http::HeaderMap, body: &[u8]) -> Running {
        let id = {
            let mut inner = self.lock();
            inner.open += 1;
            inner.next += 1;
            inner.next - 1
        };
        let text =
            |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let api_key = headers.get("x-api-key").map(text);
        let bearer = headers
            .get(http::header::AUTHORIZATION)
            .map(text)
            .and_then(|value| value.strip_prefix("Bearer ").map(str::to_owned));
        Running {
            log: self.clone(),
            sent: Sha256::new(),
            record: Served {
                id,
                path,
                model: String::new(),
                headers: headers
                    .iter()
                    .filter(|(name, _)| {
                        *name != http::header::AUTHORIZATION && *name != "x-api-key"
                    })
                    .map(|(name, value)| (name.to_string(), text(value)))
                    .collect(),
                bearer_sha256: bearer.map(|key| hex(&Sha256::digest(key.as_bytes()))),
                api_key_sha256: api_key.map(|key| hex(&Sha256::digest(key.as_bytes()))),
                body_sha256: hex(&Sha256::digest(body)),
                body_bytes: body.len() as u64,
                sent_bytes: 0,
                sent_sha256: String::new(),
                sent_chunks: 0,
                usage: None,
                started_ms: now_ms(),
                ended_ms: 0,
                end: End::Aborted,
            },
        }
    }
}

/// The open record of one request.
#[derive(Debug)]
pub(super) struct Running {
    log: Log,
    sent: Sha256,
    pub(super) record: Served,
}

impl Running {
    /// Counts bytes the connection has taken.
    pub(super) fn sent(&mut self, bytes: &[u8], chunks: u64) {
        self.sent.update(bytes);
        self.record.sent_bytes += bytes.len() as u64;
        self.record.sent_chunks += chunks;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.record.ended_ms = now_ms();
        self.record.sent_sha256 = hex(&std::mem::take(&mut self.sent).finalize());
        let mut inner = self.log.lock();
        inner.open = inner.open.saturating_sub(1);
        if let (Some(file), Ok(mut line)) = (&mut inner.file, serde_json::to_vec(&self.record)) {
            line.push(b'\n');
            let _best_effort = file.write_all(&line);
        }
        inner.served.push(self.record.clone());
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the ground truth carries wall-clock times, to be compared with those of other processes"
)]
fn now_ms() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
}
