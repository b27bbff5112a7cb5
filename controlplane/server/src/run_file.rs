//! `run.json`: what runs from a data folder and where it listens, for scripts and for the other commands.

use crate::{config, paths::Home, paths::Part};
use anyhow::Context as _;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;

/// Addresses by part. The file stays when the process ends: a port chosen once is a hint, never a proof of life.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RunFile {
    /// Version of the program that wrote it last.
    pub(crate) version: String,
    /// Its process id.
    pub(crate) pid: u32,
    /// Where the parts listen; `controlplane` is the dashboard.
    #[serde(flatten)]
    pub(crate) listening: BTreeMap<String, SocketAddr>,
}

impl RunFile {
    /// What the folder's file says; nothing when it is absent or of another form.
    pub(crate) fn read(home: &Home) -> Self {
        std::fs::read_to_string(home.run_file())
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default()
    }

    /// Writes down what this process runs; what other processes run from the same folder stays.
    pub(crate) fn write(home: &Home, parts: &[(Part, SocketAddr)]) -> anyhow::Result<Self> {
        // Parts may start at the same time; the lock goes when `folder` does.
        let folder = File::open(home.root())?;
        flock(&folder, FlockOperation::LockExclusive)?;
        let mut file = Self::read(home);
        env!("CARGO_PKG_VERSION").clone_into(&mut file.version);
        file.pid = std::process::id();
        for (part, address) in parts {
            file.listening.insert(part.name().to_owned(), *address);
        }
        let mut text = serde_json::to_string_pretty(&file)?;
        text.push('\n');
        kill_files::write_atomic(&home.run_file(), text.as_bytes(), 0o600)
            .with_context(|| format!("cannot write {}", home.run_file().display()))?;
        Ok(file)
    }
}

/// Where a part listens: as it was last started from this folder, else as configured.
pub(crate) fn address(home: &Home, file: Option<&Path>, part: Part) -> anyhow::Result<SocketAddr> {
    if let Some(address) = RunFile::read(home).listening.get(part.name()) {
        return Ok(*address);
    }
    let config = config::read(file)?;
    Ok(match part {
        Part::Killswitch => config.killswitch.listen,
        Part::Agent => config.agent.listen,
        Part::Gateway => config.gateway.listen,
        Part::Controlplane => config.controlplane,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_start_together_do_not_forget_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::find(Some(folder.path())).unwrap();
        for round in 1..=20 {
            let at = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
            std::thread::scope(|scope| {
                for (n, part) in [
                    (0, Part::Gateway),
                    (1000, Part::Agent),
                    (2000, Part::Killswitch),
                ] {
                    let home = &home;
                    scope.spawn(move || RunFile::write(home, &[(part, at(n + round))]).unwrap());
                }
            });
            let ports: Vec<u16> = RunFile::read(&home)
                .listening
                .values()
                .map(SocketAddr::port)
                .collect();
            assert_eq!(ports, [1000 + round, round, 2000 + round]);
        }
    }
}
