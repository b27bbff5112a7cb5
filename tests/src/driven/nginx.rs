//! The program nginx, with files of its own.

use super::LIMIT;
use crate::bench::running::{command, free_ports};
use anyhow::{Context as _, bail, ensure};
use gateways::NginxSettings;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// Where Debian has it.
pub const PROGRAM: &str = "/usr/sbin/nginx";

/// One nginx. Let go, it is told to end, and its workers with it.
#[derive(Debug)]
pub struct NginxSite {
    /// Where it serves.
    pub data: SocketAddr,
    /// Its configuration.
    pub conf: PathBuf,
    upstream: SocketAddr,
    folder: TempDir,
    child: Option<Child>,
}

impl NginxSite {
    /// Its files, on a free port; not started.
    ///
    /// # Errors
    /// When there is no nginx, or no room for its files.
    pub fn new(upstream: SocketAddr) -> anyhow::Result<Self> {
        ensure!(Path::new(PROGRAM).exists(), "no {PROGRAM}");
        let folder = tempfile::tempdir()?;
        // Its workers may be somebody else.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let [data] = free_ports()?;
        let site = Self {
            data,
            conf: folder.path().join("nginx.conf"),
            upstream,
            folder,
            child: None,
        };
        site.configure(&format!("include {};", site.overlay().display()), "")?;
        Ok(site)
    }

    /// What a driver is told of it.
    #[must_use]
    pub fn settings(&self) -> NginxSettings {
        NginxSettings {
            overlay: self.overlay(),
            program: PROGRAM.into(),
            conf: self.conf.clone(),
            pid: self.pid_file(),
            data: vec![self.data],
            manage: true,
            sever: true,
        }
    }

    /// The file of ours that it includes.
    #[must_use]
    pub fn overlay(&self) -> PathBuf {
        self.folder.path().join("ours/overlay.conf")
    }

    /// Where it writes its process id.
    #[must_use]
    pub fn pid_file(&self) -> PathBuf {
        self.folder.path().join("nginx.pid")
    }

    /// Writes its configuration: `first` begins the server block, `more` stands in each location.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn configure(&self, first: &str, more: &str) -> anyhow::Result<()> {
        let folder = self.folder.path().display();
        let (data, upstream) = (self.data, self.upstream);
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|what| format!("    {what}_temp_path {folder}/{what};\n"))
            .concat();
        let location = |route: &str| {
            format!(
                "        location /{route}/ {{ proxy_pass http://{upstream}/; proxy_http_version 1.1; proxy_buffering off; {more} }}\n"
            )
        };
        let (chat, side) = (location("chat"), location("side"));
        let text = format!(
            "daemon off;\nworker_processes 2;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\n\
             events {{ worker_connections 512; }}\nhttp {{\n    access_log off;\n{temporary}    \
             server {{\n        listen {data};\n        {first}\n{chat}{side}    }}\n}}\n"
        );
        fs::write(&self.conf, text)?;
        Ok(())
    }

    /// Starts it; waits until it takes connections.
    ///
    /// # Errors
    /// When it does not.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        let mut nginx = command(Path::new(PROGRAM));
        nginx.arg("-c").arg(&self.conf);
        // What it complains of before it has read where its log is.
        nginx.stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(nginx.spawn()?);
        self.until(|site| site.pid().is_some() && std::net::TcpStream::connect(site.data).is_ok())
            .await
            .context("starting nginx")
    }

    /// The id of its first process.
    #[must_use]
    pub fn pid(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.pid_file()).ok()?;
        Pid::from_raw(text.trim().parse().ok()?)
    }

    /// Has it take in its configuration anew, as its owner would.
    ///
    /// # Errors
    /// When it does not run.
    pub fn reload(&self) -> anyhow::Result<()> {
        Ok(kill_process(self.pid().context("runs")?, Signal::HUP)?)
    }

    /// Takes our file out of the server block, and waits until nginx serves without it.
    ///
    /// # Errors
    /// When it does not come to that.
    pub async fn unguard(&mut self) -> anyhow::Result<()> {
        self.configure("", "")?;
        let old = self.workers();
        self.reload()?;
        self.until(|site| site.workers().iter().all(|worker| !old.contains(worker)))
            .await
            .context("the old workers")
    }

    /// Its workers.
    #[must_use]
    pub fn workers(&self) -> Vec<i32> {
        let Some(pid) = self.pid().map(|pid| pid.as_raw_nonzero().get()) else {
            return Vec::new();
        };
        let file = format!("/proc/{pid}/task/{pid}/children");
        let text = fs::read_to_string(file).unwrap_or_default();
        let ids = text.split_whitespace();
        ids.filter_map(|id| id.parse().ok()).collect()
    }

    /// Ends it, at once and with its workers.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        self.end()?;
        let begun = Instant::now();
        while let Some(child) = &mut self.child {
            if child.try_wait()?.is_some() {
                self.child = None;
            } else if begun.elapsed() > LIMIT {
                bail!("nginx does not end");
            }
            sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    fn end(&self) -> anyhow::Result<()> {
        let child = self.child.as_ref().context("runs")?;
        let pid = Pid::from_raw(i32::try_from(child.id())?).context("an id")?;
        Ok(kill_process(pid, Signal::TERM)?)
    }

    async fn until(&self, wanted: impl Fn(&Self) -> bool) -> anyhow::Result<()> {
        let begun = Instant::now();
        while !wanted(self) {
            ensure!(begun.elapsed() < LIMIT, "never");
            sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

impl Drop for NginxSite {
    fn drop(&mut self) {
        let told = self.end();
        if let Some(child) = &mut self.child
            && told.is_ok()
        {
            let _status = child.wait();
        }
    }
}
