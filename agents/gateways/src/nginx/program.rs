//! Runs the program `nginx` to try a configuration, and tells the running one to take a new one in. Never on the way of a cut.

use crate::GatewayError;
use rustix::process::{Pid, Signal, kill_process};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

/// A configuration may name hosts, which nginx looks up while it reads it.
const WAIT: Duration = Duration::from_secs(6);
/// Longest configuration that is looked at.
const MOST: u64 = 4 << 20;

/// What the program said.
#[derive(Clone, Debug)]
pub(super) struct Said {
    /// Whether the configuration is one.
    pub(super) good: bool,
    /// All of it, where it was asked for.
    pub(super) text: String,
    /// What nginx complains of: the first of it.
    pub(super) complaint: String,
}

/// Has nginx read `conf` and everything it includes, and print it.
pub(super) async fn read(program: &Path, conf: &Path) -> Result<Said, GatewayError> {
    let mut command = Command::new(program);
    command.arg("-T").arg("-c").arg(conf);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command.spawn().map_err(GatewayError::Unreachable)?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let told = async { tokio::join!(whole(out), whole(err), child.wait()) };
    let (text, errors, ended) = tokio::time::timeout(WAIT, told)
        .await
        .map_err(|_| GatewayError::Silent(WAIT))?;
    let mut lines = errors.lines().filter(|line| line.contains("[emerg]"));
    Ok(Said {
        good: ended.is_ok_and(|status| status.success()),
        complaint: lines.next().unwrap_or(&errors).chars().take(400).collect(),
        text,
    })
}

async fn whole(from: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        // What broke off was read so far.
        let _broken = from.take(MOST).read_to_end(&mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The process that `pid` names, if it is an nginx.
pub(super) fn master(pid: &Path) -> Result<Pid, String> {
    let shown = pid.display();
    let text = std::fs::read_to_string(pid).map_err(|why| format!("{shown}: {why}"))?;
    let number: i32 = text
        .trim()
        .parse()
        .map_err(|_| format!("{shown} holds no process id"))?;
    let process = Pid::from_raw(number).ok_or_else(|| format!("{shown} holds no process id"))?;
    let name = std::fs::read_to_string(format!("/proc/{number}/comm"));
    match name {
        Ok(name) if name.trim() == "nginx" => Ok(process),
        Ok(name) => Err(format!(
            "{shown} names process {number}, which is `{}`",
            name.trim()
        )),
        Err(_) => Err(format!(
            "{shown} names process {number}, which is not there"
        )),
    }
}

/// Has the running nginx take its configuration in anew.
pub(super) fn reload(pid: &Path) -> Result<(), String> {
    let process = master(pid)?;
    kill_process(process, Signal::HUP).map_err(|why| format!("SIGHUP to nginx: {why}"))
}
