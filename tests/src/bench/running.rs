//! Programs that are measured: started on free ports, waited for, ended by their own ids.

use crate::bench::clock::{mark, ms};
use anyhow::{Context as _, bail};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// Until something that starts must answer.
pub const LIMIT: Duration = Duration::from_secs(90);

/// A process that is killed when let go, by its own id.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Starts it.
    pub fn start(command: &mut Command) -> anyhow::Result<Self> {
        let child = command.spawn();
        let name = command.get_program().to_string_lossy().into_owned();
        child.map(Self).with_context(|| format!("starting {name}"))
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _status = self.0.wait();
    }
}

/// The folder of this program: all programs of a build stand side by side.
pub fn beside() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().context("no folder of this program")?;
    Ok(folder.to_owned())
}

/// A command that reads nothing and logs little.
#[expect(
    clippy::disallowed_methods,
    reason = "a benchmark of programs runs programs"
)]
#[must_use]
pub fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).env("RUST_LOG", "warn");
    command
}

/// Free loopback ports, all different: held all together, let go just before they are used.
pub fn free_ports<const N: usize>() -> anyhow::Result<[SocketAddr; N]> {
    let mut held = Vec::new();
    for _ in 0..N {
        held.push(TcpListener::bind("127.0.0.1:0")?);
    }
    let ports: Vec<SocketAddr> = held
        .iter()
        .map(TcpListener::local_addr)
        .collect::<Result<_, _>>()?;
    ports.try_into().map_err(|_| anyhow::anyhow!("{N} ports"))
}

/// Waits until `path` is answered with 200.
pub fn await_answer(at: SocketAddr, path: &str) -> anyhow::Result<()> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {at}\r\nconnection: close\r\n\r\n");
    await_reply(at, &request).with_context(|| path.to_owned())
}

/// Waits until `request` is answered with 200, asking again and again.
pub fn await_reply(at: SocketAddr, request: &str) -> anyhow::Result<()> {
    let began = mark();
    while ms(began, mark()) < LIMIT.as_secs_f64() * 1000.0 {
        if let Ok(mut stream) = std::net::TcpStream::connect(at) {
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            let mut head = [0_u8; 12];
            let sent = stream.write_all(request.as_bytes());
            if sent.is_ok() && stream.read_exact(&mut head).is_ok() && head.ends_with(b"200") {
                return Ok(());
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    bail!("{at} does not answer")
}

/// Copies a folder's files and folders with their modes; sockets of the run before are left out.
pub fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir(to)?;
    std::fs::set_permissions(to, from.metadata()?.permissions())?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()))?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
