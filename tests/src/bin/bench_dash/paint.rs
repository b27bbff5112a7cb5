//! How long a real browser takes until it shows something of a page: chromium, driven over the W3C WebDriver protocol.

use crate::asked::Asked;
use crate::house::House;
use crate::pages::{Found, Kind};
use anyhow::{Context as _, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use site_tests::bench::browser::Browser;
use site_tests::bench::clock::{mark, ms};
use site_tests::bench::running::{LIMIT, Running, await_answer, command, free_ports};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// How often each page is shown.
const TIMES: u64 = 5;

/// Of the paint that shows content first, in milliseconds since the page was asked for.
const SCRIPT: &str = "const it = performance.getEntriesByName('first-contentful-paint')[0]; return it ? it.startTime : null";

const FLAGS: [&str; 7] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
];

/// An answer of the driver.
#[derive(Deserialize)]
struct Said {
    value: Value,
}

/// A browser's window; closed when dropped.
struct Window {
    line: Browser,
    session: String,
    _driver: Running,
}

impl Window {
    fn open(folder: &Path) -> anyhow::Result<Self> {
        let [at]: [SocketAddr; 1] = free_ports()?;
        let driver = Running::start(
            command(Path::new("chromedriver"))
                .arg(format!("--port={}", at.port()))
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )?;
        await_answer(at, "/status")?;
        let mut args: Vec<String> = FLAGS.iter().map(|it| (*it).to_owned()).collect();
        args.push(format!(
            "--user-data-dir={}",
            folder.join("chromium").display()
        ));
        let options = json!({ "goog:chromeOptions": { "args": args } });
        let mut window = Self {
            line: Browser::open(at)?,
            session: String::new(),
            _driver: driver,
        };
        let wish = json!({ "capabilities": { "alwaysMatch": options } });
        let made = window.post("/session", &wish)?;
        let id = made.get("sessionId").and_then(Value::as_str);
        window.session = format!("/session/{}", id.context("no session")?);
        Ok(window)
    }

    fn post(&mut self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let path = format!("{}{path}", self.session);
        let kind = "application/json";
        let answer = self.line.send("POST", &path, kind, &body.to_string())?;
        let text = answer.text();
        ensure!(answer.status == 200, "chromedriver {path}: {text}");
        let answer: Said = serde_json::from_str(&text)?;
        Ok(answer.value)
    }

    /// Shows a page; waits until it has been painted.
    fn paint(&mut self, url: &str) -> anyhow::Result<f64> {
        self.post("/url", &json!({ "url": url }))?;
        let began = mark();
        while ms(began, mark()) < LIMIT.as_secs_f64() * 1000.0 {
            let script = json!({ "script": SCRIPT, "args": [] });
            if let Some(paint) = self.post("/execute/sync", &script)?.as_f64() {
                return Ok(paint);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        anyhow::bail!("{url} is never painted")
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // Closes the browser; the driver alone would leave it behind.
        let _gone_already = self.line.send("DELETE", &self.session, "", "");
    }
}

/// Shows every page of what was found to a browser that has a session's cookie.
pub(crate) fn look(
    house: &House,
    cookie: &str,
    asked: &Asked,
    found: &mut [Found],
) -> anyhow::Result<()> {
    let mut window = Window::open(house.folder())?;
    let at = house.dash;
    let (name, value) = cookie.split_once('=').context("no cookie")?;
    // A cookie is taken for the site that is shown.
    window.post("/url", &json!({ "url": format!("http://{at}/sign-in") }))?;
    let cookie = json!({ "cookie": { "name": name, "value": value, "path": "/" } });
    window.post("/cookie", &cookie)?;
    for it in found.iter_mut().filter(|it| it.place.kind == Kind::Page) {
        for time in 0..TIMES {
            let path = (it.place.path)(asked, time);
            let paint = window.paint(&format!("http://{at}{path}"));
            it.paint.push(paint.with_context(|| path.clone())?);
        }
    }
    Ok(())
}
