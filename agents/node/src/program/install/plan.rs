//! What is done, in order. Files first; then commands of systemd, which may be run again.

use super::units;
use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

const PROGRAM: &str = "/usr/local/bin/node-agent";
const CONFIG: &str = "/etc/portcullis/node-agent.toml";

/// One thing that is done.
#[derive(Debug)]
pub(super) enum Step {
    /// A folder, with its mode.
    Folder(&'static str, u32),
    /// This program itself.
    Program,
    /// A file, replaced.
    File(&'static str, String),
    /// A file that is left alone where there is one.
    Keep(&'static str, &'static str),
    /// A command.
    Command(&'static [&'static str]),
}

/// Everything that is done.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
}

impl Plan {
    /// With a fence, the unit may change the host's firewall.
    pub(super) fn of(fence: bool) -> Self {
        let mut steps = vec![
            Step::Program,
            Step::Folder("/etc/portcullis", 0o755),
            Step::Keep(CONFIG, units::CONFIG),
            Step::File(
                "/usr/lib/sysusers.d/node-agent.conf",
                units::USERS.to_owned(),
            ),
            Step::File(
                "/etc/systemd/system/node-agent.service",
                units::service(fence),
            ),
        ];
        if fence {
            let latch = units::RESTORE_LATCH.to_owned();
            steps.push(Step::File(
                "/etc/systemd/system/node-agent-latch.service",
                latch,
            ));
        }
        steps.push(Step::Command(&["systemd-sysusers", "node-agent.conf"]));
        steps.push(Step::Command(&["systemctl", "daemon-reload"]));
        if fence {
            let enable = &["systemctl", "enable", "node-agent-latch.service"];
            steps.push(Step::Command(enable));
        }
        Self { steps }
    }
}

impl Step {
    /// One line.
    pub(super) fn title(&self) -> String {
        match self {
            Self::Folder(path, mode) => format!("folder  {path} ({mode:o})"),
            Self::Program => format!("program {PROGRAM}"),
            Self::File(path, _) => format!("file    {path}"),
            Self::Keep(path, _) => format!("file    {path}, unless it is there"),
            Self::Command(words) => format!("command {}", words.join(" ")),
        }
    }

    /// The line, and the whole text of a file below it.
    pub(super) fn shown(&self) -> String {
        let text = match self {
            Self::File(_, text) => text.as_str(),
            Self::Keep(_, text) => text,
            Self::Folder(..) | Self::Program | Self::Command(_) => return self.title(),
        };
        let lines = text.lines().map(|line| format!("        {line}\n"));
        format!("{}\n{}", self.title(), lines.collect::<String>())
    }

    pub(super) fn json(&self) -> Value {
        match self {
            Self::Folder(path, mode) => json!({ "folder": path, "mode": format!("{mode:o}") }),
            Self::Program => json!({ "program": PROGRAM }),
            Self::File(path, text) => json!({ "file": path, "text": text }),
            Self::Keep(path, text) => json!({ "file": path, "text": text, "kept": true }),
            Self::Command(words) => json!({ "command": words }),
        }
    }

    /// Does it, below `root` if there is one.
    pub(super) fn take(&self, root: Option<&Path>, own: &[u8]) -> anyhow::Result<()> {
        let place = |path: &str| match root {
            None => Path::new(path).to_owned(),
            Some(root) => root.join(path.trim_start_matches('/')),
        };
        match self {
            Self::Folder(path, mode) => folder(&place(path), *mode),
            Self::Program => {
                let to = place(PROGRAM);
                parent(&to)?;
                // Replaced whole: what runs keeps the file it was started from.
                kill_files::write_atomic(&to, own, 0o755)
                    .with_context(|| format!("cannot write {}", to.display()))
            }
            Self::File(path, text) => write(&place(path), text),
            Self::Keep(path, text) => {
                let path = place(path);
                if path.exists() {
                    Ok(())
                } else {
                    write(&path, text)
                }
            }
            Self::Command(_) if root.is_some() => Ok(()),
            Self::Command(words) => command(words),
        }
    }
}

fn folder(path: &Path, mode: u32) -> anyhow::Result<()> {
    let tried = || format!("cannot make {}", path.display());
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .with_context(tried)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).with_context(tried)
}

fn parent(path: &Path) -> anyhow::Result<()> {
    let above = path.parent().unwrap_or_else(|| Path::new("/"));
    std::fs::create_dir_all(above).with_context(|| format!("cannot make {}", above.display()))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    parent(path)?;
    kill_files::write_atomic(path, text.as_bytes(), 0o644)
        .with_context(|| format!("cannot write {}", path.display()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "an installation by hand of the owner; nothing that runs as a service gets here"
)]
fn command(words: &[&str]) -> anyhow::Result<()> {
    let said = words.join(" ");
    let (program, arguments) = words.split_first().context("no command")?;
    let status = std::process::Command::new(program)
        .args(arguments)
        .status()
        .with_context(|| format!("cannot run {said}"))?;
    ensure!(status.success(), "{said} ended with {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_a_folder_everything_is_there_and_a_configuration_of_one_s_own_stays() {
        let root = tempfile::tempdir().unwrap();
        let config = root.path().join("etc/portcullis/node-agent.toml");
        std::fs::create_dir_all(config.parent().unwrap()).unwrap();
        std::fs::write(&config, "mine").unwrap();
        for _ in 0..2 {
            for step in &Plan::of(true).steps {
                step.take(Some(root.path()), b"elf").unwrap();
            }
        }
        assert_eq!(std::fs::read_to_string(config).unwrap(), "mine");
        let program = root.path().join("usr/local/bin/node-agent");
        assert_eq!(std::fs::read(&program).unwrap(), b"elf");
        let mode = std::fs::metadata(program).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        let unit = root
            .path()
            .join("etc/systemd/system/node-agent-latch.service");
        assert!(unit.exists());
    }

    #[test]
    fn the_agent_of_before_looks_ahead_of_each_start() {
        for fence in [false, true] {
            let unit = units::service(fence);
            let before = unit.find("ExecStartPre=-+/usr/local/bin/node-agent.former settle\n");
            let start = unit.find(&format!("ExecStart={PROGRAM} run\n"));
            assert!(before.unwrap() < start.unwrap());
        }
    }

    #[test]
    fn only_a_host_with_a_fence_may_touch_the_firewall() {
        assert!(!units::service(false).contains("CAP_NET_ADMIN"));
        assert!(units::service(true).contains("CAP_NET_ADMIN"));
    }
}
