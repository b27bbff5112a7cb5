//! A signed-in person looks at the hosts: one kept connection, one page after the other.

use crate::asked::Asked;
use crate::join::name;
use anyhow::{Context as _, bail, ensure};
use site_tests::bench::clock::{mark, ms};
use site_tests::bench::controlplane::House;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Between two pages: reports come in meanwhile.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a page may take.
const LIMIT: Duration = Duration::from_secs(30);
/// Hosts on one page of the list.
const ON_A_PAGE: u32 = 100;

/// Milliseconds that the pages of the list took, and those of single hosts.
type Looked = (Vec<f64>, Vec<f64>);

/// Will sign in and look at as many pages as is asked for; blocks.
pub(crate) fn look(
    house: &House,
    asked: &Asked,
) -> impl FnOnce() -> anyhow::Result<Looked> + use<> {
    let (at, token) = (house.dash, house.sign_in_token());
    let (hosts, pages) = (asked.hosts, asked.pages);
    move || {
        let mut browser = Browser::open(at)?;
        browser.sign_in(&token?)?;
        let list = |n| format!("/hosts?page={}", n % hosts.div_ceil(ON_A_PAGE));
        let one = |n| format!("/hosts/{}", name(n * 37 % hosts));
        let list = browser.fetch(pages, "id=\"hosts-title\"", list)?;
        Ok((list, browser.fetch(pages, "container5", one)?))
    }
}

struct Browser {
    at: SocketAddr,
    line: BufReader<TcpStream>,
    cookie: String,
}

struct Page {
    status: u16,
    cookie: Option<String>,
    body: String,
}

impl Browser {
    fn open(at: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(at)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(Self {
            at,
            line: BufReader::new(stream),
            cookie: String::new(),
        })
    }

    fn sign_in(&mut self, token: &str) -> anyhow::Result<()> {
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

    /// Fetches so many; each must hold `word`.
    fn fetch(
        &mut self,
        count: u32,
        word: &str,
        path: impl Fn(u32) -> String,
    ) -> anyhow::Result<Vec<f64>> {
        let mut took = Vec::new();
        for n in 0..count {
            let path = path(n);
            let began = mark();
            let page = self.ask(&format!("GET {path} HTTP/1.1"), "")?;
            took.push(ms(began, mark()));
            ensure!(
                page.status == 200,
                "{path} is answered with {}",
                page.status
            );
            ensure!(page.body.contains(word), "{path} holds no {word}");
            std::thread::sleep(PAUSE);
        }
        Ok(took)
    }

    fn ask(&mut self, head: &str, body: &str) -> anyhow::Result<Page> {
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
