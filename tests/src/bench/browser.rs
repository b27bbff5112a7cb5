//! A browser's part, played as plainly as can be: one kept connection, a cookie, one request after the other. Nothing of a
//! client library stands between a byte and its time.

use anyhow::{Context as _, bail, ensure};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(60);

/// One open connection.
#[derive(Debug)]
pub struct Browser {
    at: SocketAddr,
    line: BufReader<TcpStream>,
    cookie: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// The cookie it sets, with its attributes.
    pub cookie: Option<String>,
    /// The body as it was sent.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Browser {
    /// Connects.
    pub fn open(at: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(at)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(Self {
            at,
            line: BufReader::new(stream),
            cookie: String::new(),
        })
    }

    /// Signs in with the token of a one-time link.
    pub fn sign_in(&mut self, token: &str) -> anyhow::Result<()> {
        let kind = "application/x-www-form-urlencoded";
        let page = self.send("POST", "/sign-in", kind, &format!("token={token}"))?;
        let cookie = page.cookie.with_context(|| {
            let status = page.status;
            format!("the link does not let in: {status}")
        })?;
        cookie
            .split(';')
            .next()
            .unwrap_or_default()
            .clone_into(&mut self.cookie);
        Ok(())
    }

    /// The cookie that lets in, as `name=value`.
    #[must_use]
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// Asks for a page, and fails where it is answered with anything but 200.
    pub fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        let page = self.send("GET", path, "", "")?;
        let status = page.status;
        ensure!(status == 200, "{path} is answered with {status}");
        Ok(page)
    }

    /// Sends a request with a body of this kind; none where both are empty.
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        kind: &str,
        body: &str,
    ) -> anyhow::Result<Answer> {
        let (at, cookie, length) = (self.at, &self.cookie, body.len());
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {at}\r\n");
        for (name, value) in [("cookie", cookie.as_str()), ("content-type", kind)] {
            if !value.is_empty() {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        text.push_str(&format!("content-length: {length}\r\n\r\n{body}"));
        self.line.get_mut().write_all(text.as_bytes())?;
        self.read().with_context(|| format!("{method} {path}"))
    }

    fn read(&mut self) -> anyhow::Result<Answer> {
        let (mut status, mut length, mut cookie) = (None, None, None);
        loop {
            let mut line = String::new();
            if self.line.read_line(&mut line)? == 0 {
                bail!("the connection was closed");
            }
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if status.is_none() {
                status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
            }
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = Some(value.parse::<usize>()?),
                "set-cookie" => cookie = Some(value.to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length.context("no length")?];
        self.line.read_exact(&mut body)?;
        Ok(Answer {
            status: status.context("no status")?,
            cookie,
            body,
        })
    }
}
