//! Looks at pages of the dashboard as a signed-in person does; blocks.

use crate::bench::clock::{mark, ms};
use anyhow::{Context as _, bail, ensure};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long a page may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A signed-in person's browser: one kept connection, one page after the other.
#[derive(Debug)]
pub struct Browser {
    at: SocketAddr,
    line: BufReader<TcpStream>,
    cookie: String,
}

/// What came.
#[derive(Debug)]
pub struct Page {
    /// Its status.
    pub status: u16,
    cookie: Option<String>,
    /// Its text.
    pub body: String,
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

    /// Enters by the token of a fresh link.
    pub fn sign_in(&mut self, token: &str) -> anyhow::Result<()> {
        let body = format!("token={token}");
        let kind = "content-type: application/x-www-form-urlencoded";
        let page = self.ask(&format!("POST /sign-in HTTP/1.1\r\n{kind}"), &body)?;
        let cookie = page.cookie.with_context(|| {
            let status = page.status;
            format!("the link does not let in: {status}")
        })?;
        self.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(())
    }

    /// Fetches one, which must be there: its milliseconds, and its text.
    pub fn get(&mut self, path: &str) -> anyhow::Result<(f64, String)> {
        let began = mark();
        let page = self.ask(&format!("GET {path} HTTP/1.1"), "")?;
        let took = ms(began, mark());
        let status = page.status;
        ensure!(status == 200, "{path} is answered with {status}");
        Ok((took, page.body))
    }

    /// Asks once: `head` is the first line of the request and any header.
    pub fn ask(&mut self, head: &str, body: &str) -> anyhow::Result<Page> {
        let (at, cookie, length) = (self.at, &self.cookie, body.len());
        let text = format!(
            "{head}\r\nhost: {at}\r\ncookie: {cookie}\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        self.line.get_mut().write_all(text.as_bytes())?;
        self.read()
    }

    fn read(&mut self) -> anyhow::Result<Page> {
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
            let Some((name, value)) = line.split_once(": ") else {
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = Some(value.parse::<usize>()?),
                "set-cookie" => cookie = Some(value.to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length.context("no length")?];
        self.line.read_exact(&mut body)?;
        Ok(Page {
            status: status.context("no status")?,
            cookie,
            body: String::from_utf8(body)?,
        })
    }
}
