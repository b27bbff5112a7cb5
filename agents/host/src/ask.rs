//! One question by HTTP to a literal address: no names are looked up, no redirection is followed, the answer is bounded.
//!
//! HTTP/1.0, so that the answer ends with the connection (RFC 1945).

use crate::clock::passing_ms;
use host_core::services::Answer;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longest answer that is read, head and body.
const MOST: u64 = 512 * 1024;
const MAX_HEADERS: usize = 64;

/// Asks for `path` and waits at most `limit`.
pub(crate) fn get(address: SocketAddr, path: &str, limit: Duration) -> Answer {
    let began = passing_ms();
    match bytes_of(address, path, limit) {
        Ok(bytes) => {
            let took = passing_ms().saturating_sub(began);
            read(&bytes, u32::try_from(took).unwrap_or(u32::MAX))
        }
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Answer::Refused,
        Err(_) => Answer::Silent,
    }
}

fn bytes_of(address: SocketAddr, path: &str, limit: Duration) -> std::io::Result<Vec<u8>> {
    let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    let until = passing_ms().saturating_add(limit_ms);
    let mut stream = TcpStream::connect_timeout(&address, limit)?;
    stream.set_write_timeout(Some(limit))?;
    let head =
        format!("GET {path} HTTP/1.0\r\nhost: {address}\r\naccept: application/json\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let (mut bytes, mut part) = (Vec::new(), [0; 8192]);
    loop {
        let left = until.saturating_sub(passing_ms());
        if left == 0 {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(Duration::from_millis(left)))?;
        let count = stream.read(&mut part)?;
        bytes.extend_from_slice(part.get(..count).unwrap_or_default());
        if count == 0 || bytes.len() as u64 > MOST {
            return Ok(bytes);
        }
    }
}

/// An answer that is too long or not HTTP is as good as none.
fn read(bytes: &[u8], took_ms: u32) -> Answer {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(bytes);
    let (Ok(httparse::Status::Complete(head)), Some(status)) = (parsed, response.code) else {
        return Answer::Silent;
    };
    if bytes.len() as u64 > MOST {
        return Answer::Silent;
    }
    Answer::Body {
        status,
        body: bytes.get(head..).unwrap_or_default().to_vec(),
        took_ms,
    }
}
