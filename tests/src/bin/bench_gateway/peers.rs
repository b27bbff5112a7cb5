//! Who is measured, and how each is started. All lead to one scripted upstream.

mod litellm;
mod liter_llm;
mod nginx;
mod portcullis;

use crate::asked::Asked;
use anyhow::{Context as _, bail};
use site_tests::bench::running::{Running, await_answer, command, free_ports};
use std::{net::SocketAddr, path::Path, process::Stdio};
use tempfile::TempDir;

/// One of those that are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// No gateway at all.
    Direct,
    Portcullis,
    Nginx,
    LiterLlm,
    LiteLlm,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [
        Self::Direct,
        Self::Portcullis,
        Self::Nginx,
        Self::LiterLlm,
        Self::LiteLlm,
    ];

    /// As the command line and the table name it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Portcullis => "portcullis",
            Self::Nginx => "nginx",
            Self::LiterLlm => "liter-llm",
            Self::LiteLlm => "litellm",
        }
    }

    /// Reads a name.
    pub(crate) fn of(name: &str) -> anyhow::Result<Self> {
        let known = Self::ALL.into_iter().find(|kind| kind.name() == name);
        match known {
            Some(kind) => Ok(kind),
            None => bail!("--peers: `{name}` is not known"),
        }
    }

    /// How many small requests are worth asking where `all` are asked of the fast ones.
    pub(crate) const fn requests(self, all: usize) -> usize {
        match self {
            Self::LiteLlm => all / 40 + 20,
            Self::Direct | Self::Portcullis | Self::Nginx | Self::LiterLlm => all,
        }
    }
}

/// A peer that runs, with its own upstream behind it.
pub(crate) struct Peer {
    pub(crate) kind: Kind,
    pub(crate) at: SocketAddr,
    pub(crate) key: String,
    /// From starting it to its first answer, milliseconds.
    pub(crate) start_ms: Option<f64>,
    /// What is measured; nothing for `direct`.
    pub(crate) program: Option<Running>,
    _beside: Vec<Running>,
    _folder: TempDir,
}

/// What a peer is made of before it is told apart.
struct Started {
    key: String,
    start_ms: f64,
    program: Running,
    beside: Vec<Running>,
}

/// Starts it with an upstream of its own; `None` when its program is not on this machine.
pub(crate) fn start(kind: Kind, asked: &Asked) -> anyhow::Result<Option<Peer>> {
    let folder = tempfile::Builder::new().prefix("pc-bench-").tempdir()?;
    let [upstream, at] = free_ports()?;
    let serving = Running::start(
        command(&asked.bin.join("scripted_upstream"))
            .args(["--listen", &upstream.to_string()])
            .stdout(Stdio::null()),
    )?;
    await_answer(upstream, "/v1/models")?;
    let started = match kind {
        Kind::Direct => None,
        Kind::Portcullis => Some(portcullis::start(asked, folder.path(), at, upstream)?),
        Kind::Nginx => Some(match nginx::start(folder.path(), at, upstream)? {
            Some(started) => started,
            None => return Ok(None),
        }),
        Kind::LiterLlm if there(&asked.liter_llm) => {
            Some(liter_llm::start(asked, folder.path(), at, upstream)?)
        }
        Kind::LiteLlm if there(&asked.litellm) => {
            Some(litellm::start(asked, folder.path(), at, upstream)?)
        }
        Kind::LiterLlm | Kind::LiteLlm => return Ok(None),
    };
    let Some(started) = started else {
        return Ok(Some(Peer {
            kind,
            at: upstream,
            key: "none".to_owned(),
            start_ms: None,
            program: None,
            _beside: vec![serving],
            _folder: folder,
        }));
    };
    let mut beside = started.beside;
    beside.push(serving);
    Ok(Some(Peer {
        kind,
        at,
        key: started.key,
        start_ms: Some(started.start_ms),
        program: Some(started.program),
        _beside: beside,
        _folder: folder,
    }))
}

fn there(program: &Path) -> bool {
    program.components().count() > 1 && program.exists() || in_path(program)
}

fn in_path(program: &Path) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn write(folder: &Path, name: &str, text: &str) -> anyhow::Result<std::path::PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join(name);
    std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(path)
}
