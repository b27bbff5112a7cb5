//! Who is measured, and how each is started. All lead to a scripted upstream of their own.

mod litellm;
mod liter_llm;
mod nginx;
mod portcullis;

use crate::{asked::Asked, client::Question, measure::SMALL_WORDS};
use clap::{ValueEnum, builder::PossibleValue};
use site_tests::bench::{
    clock::{mark, ms},
    running::{Running, await_answer, await_reply, command, free_ports},
};
use std::{
    fmt,
    io::Write as _,
    net::SocketAddr,
    path::Path,
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// What clients of the peers that are not ours show.
const KEY: &str = "sk-benchmark-7f3e9a1c5b8d2f60417ae93c";
/// What the scripted upstream is asked to play, for peers that want to know the names of their models.
const MODELS: [&str; 4] = ["steady", "paced", "burst", "slow"];

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

    /// As the command line and the tables name it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Portcullis => "portcullis",
            Self::Nginx => "nginx",
            Self::LiterLlm => "liter-llm",
            Self::LiteLlm => "litellm",
        }
    }

    /// How much is worth asking of it, where `all` is asked of the fast ones.
    pub(crate) const fn fewer(self, all: usize, few: usize) -> usize {
        match self {
            Self::LiteLlm => few,
            Self::Direct | Self::Portcullis | Self::Nginx | Self::LiterLlm => all,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl ValueEnum for Kind {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

/// A peer that runs, with its own upstream behind it.
pub(crate) struct Peer {
    pub(crate) kind: Kind,
    pub(crate) at: SocketAddr,
    pub(crate) key: String,
    /// From starting it to its first answer of a model, milliseconds.
    pub(crate) start_ms: Option<f64>,
    /// What is measured; nothing for `direct`.
    pub(crate) program: Option<Running>,
    _beside: Vec<Running>,
    _folder: TempDir,
}

/// What a peer is made of before it is told apart.
struct Started {
    key: &'static str,
    start_ms: f64,
    program: Running,
    beside: Vec<Running>,
}

/// Where a peer is started.
struct Place<'a> {
    asked: &'a Asked,
    folder: &'a Path,
    at: SocketAddr,
    upstream: SocketAddr,
}

impl Started {
    /// Starts what is measured and waits until it answers for a model.
    fn by(command: &mut Command, at: SocketAddr, key: &'static str) -> anyhow::Result<Self> {
        let question = Question::new(at, key, "steady", SMALL_WORDS, false).as_text();
        let began = mark();
        let program = Running::start(command.stdout(Stdio::null()))?;
        await_reply(at, &question)?;
        Ok(Self {
            key,
            start_ms: ms(began, mark()),
            program,
            beside: Vec::new(),
        })
    }
}

/// Starts all that were asked for and are on this machine. Each round another one is the first of them.
pub(crate) fn start_all(asked: &Asked, round: usize) -> anyhow::Result<Vec<Peer>> {
    let mut kinds = asked.peers.clone();
    let first = round % kinds.len().max(1);
    kinds.rotate_left(first);
    let mut peers = Vec::new();
    for kind in kinds {
        match start(kind, asked)? {
            Some(peer) => peers.push(peer),
            None => writeln!(std::io::stderr(), "  {kind} is not here; left out")?,
        }
    }
    Ok(peers)
}

/// Starts it with an upstream of its own; `None` when its program is not on this machine.
fn start(kind: Kind, asked: &Asked) -> anyhow::Result<Option<Peer>> {
    let folder = tempfile::Builder::new().prefix("pc-bench-").tempdir()?;
    let [upstream, at] = free_ports()?;
    let serving = Running::start(
        command(&asked.bin()?.join("scripted_upstream"))
            .args(["--listen", &upstream.to_string()])
            .stdout(Stdio::null()),
    )?;
    await_answer(upstream, "/v1/models")?;
    let place = Place {
        asked,
        folder: folder.path(),
        at,
        upstream,
    };
    let started = match kind {
        Kind::Direct => None,
        Kind::Portcullis => Some(portcullis::start(&place)?),
        Kind::Nginx => Some(match nginx::start(&place)? {
            Some(started) => started,
            None => return Ok(None),
        }),
        Kind::LiterLlm if there(&asked.liter_llm) => Some(liter_llm::start(&place)?),
        Kind::LiteLlm if there(&asked.litellm) => Some(litellm::start(&place)?),
        Kind::LiterLlm | Kind::LiteLlm => return Ok(None),
    };
    let Some(mut started) = started else {
        return Ok(Some(Peer {
            kind,
            at: upstream,
            key: KEY.to_owned(),
            start_ms: None,
            program: None,
            _beside: vec![serving],
            _folder: folder,
        }));
    };
    started.beside.push(serving);
    Ok(Some(Peer {
        kind,
        at,
        key: started.key.to_owned(),
        start_ms: Some(started.start_ms),
        program: Some(started.program),
        _beside: started.beside,
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
