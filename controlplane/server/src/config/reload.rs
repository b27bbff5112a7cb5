//! `portcullis config reload`: asks the running control plane to read the configuration again.

use crate::http;
use crate::out::{Out, Paint};
use crate::paths::{Home, Part};
use crate::{run_file, sign_in};
use anyhow::{Context as _, bail};
use net_model::{Mistake, ReloadReport};
use reqwest::{StatusCode, header};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// How long it may take, with room for what the control plane itself allows.
const LIMIT: Duration = Duration::from_secs(20);

/// Asks, and prints how it went; exit status 1 when the file was not taken.
pub(crate) fn run(home: &Home, file: Option<&Path>, json: bool) -> anyhow::Result<ExitCode> {
    let report = http::block_on(ask(home, file))?;
    show(&report, json)
}

/// Prints how it went.
pub(crate) fn show(report: &ReloadReport, json: bool) -> anyhow::Result<ExitCode> {
    let mut out = Out::stdout();
    if json {
        out.json(report)?;
    } else {
        print(&mut out, report)?;
    }
    Ok(ExitCode::from(u8::from(!report.good)))
}

/// Signs in by a link of its own, as a person at this machine may, and out again.
async fn ask(home: &Home, file: Option<&Path>) -> anyhow::Result<ReloadReport> {
    let address = run_file::address(home, file, Part::Controlplane)?;
    let token = sign_in::make(&home.sign_in())?;
    let client = http::client(LIMIT)?;
    let post = |path: &str| client.post(format!("http://{address}{path}"));
    let entered = post("/sign-in")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(format!("token={}", token.expose()))
        .send()
        .await
        .with_context(|| {
            format!("no control plane answers at {address}; parts that run without one take the file when it changes, or at SIGHUP")
        })?;
    let cookie = entered.headers().get(header::SET_COOKIE);
    let cookie = cookie.and_then(|cookie| cookie.to_str().ok()?.split(';').next());
    let Some(cookie) = cookie.map(str::to_owned) else {
        bail!(
            "the control plane at {address} lets nobody in now: it answered {}",
            entered.status()
        );
    };
    let answer = post("/api/v1/config/reload")
        .header(header::COOKIE, &cookie)
        .send()
        .await?;
    let status = answer.status();
    let body = http::body(answer).await?;
    let left = post("/sign-out").header(header::COOKIE, &cookie).send();
    if let Err(why) = left.await {
        tracing::debug!(%why, "The session ends by itself.");
    }
    match status {
        StatusCode::OK | StatusCode::UNPROCESSABLE_ENTITY => {
            serde_json::from_slice(&body).context("the control plane's answer cannot be understood")
        }
        other => bail!("the control plane answered {other}"),
    }
}

fn print(out: &mut Out, report: &ReloadReport) -> anyhow::Result<()> {
    if report.good {
        out.line("The configuration was read again and is in force.")?;
    } else {
        out.line("The configuration was not taken; what was in force stays.")?;
    }
    findings(out, report)
}

/// Mistakes, warnings, and what counts only from the next start.
pub(super) fn findings(out: &mut Out, report: &ReloadReport) -> anyhow::Result<()> {
    for mistake in &report.mistakes {
        let mark = out.paint(Paint::Red, "mistake");
        out.line(format_args!("  {mark}  {}", shown(mistake)))?;
    }
    for warning in &report.warnings {
        let mark = out.paint(Paint::Yellow, "warning");
        out.line(format_args!("  {mark}  {}", shown(warning)))?;
    }
    for field in &report.needs_restart {
        let mark = out.paint(Paint::Yellow, "restart");
        out.line(format_args!("  {mark}  {field} counts from the next start"))?;
    }
    Ok(())
}

/// `FILE:LINE: field: problem; fix`, as compilers write it.
fn shown(mistake: &Mistake) -> String {
    let mut text = String::new();
    if let Some(file) = &mistake.file {
        text.push_str(file);
        if let Some(line) = mistake.line {
            text.push_str(&format!(":{line}"));
        }
        text.push_str(": ");
    }
    if !mistake.field.is_empty() {
        text.push_str(&mistake.field);
        text.push_str(": ");
    }
    text.push_str(&mistake.problem);
    if let Some(fix) = &mistake.fix {
        text.push_str("; ");
        text.push_str(fix);
    }
    text
}
