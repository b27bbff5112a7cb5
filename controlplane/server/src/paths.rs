//! Where everything lies below the data folder.

use anyhow::{Context as _, bail};
use std::path::{Path, PathBuf};

/// Longest path of a unix socket, in bytes (`sun_path` of unix(7), without the closing zero).
const SOCKET_PATH_MAX: usize = 107;

/// One of the four parts of the product, each with a folder of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// Hears, verifies, orders, proves.
    Killswitch,
    /// The hand that cuts on this host.
    Agent,
    /// The embedded LLM gateway.
    Gateway,
    /// Dashboard, ledger, background tasks.
    Controlplane,
}

impl Part {
    /// All of them, in the order they start.
    pub(crate) const ALL: [Self; 4] = [
        Self::Killswitch,
        Self::Agent,
        Self::Gateway,
        Self::Controlplane,
    ];

    /// Its name, which is also its folder's and its section's in the configuration.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Killswitch => "killswitch",
            Self::Agent => "agent",
            Self::Gateway => "gateway",
            Self::Controlplane => "controlplane",
        }
    }
}

/// systemd's state folder; with several, the first.
fn state_directory() -> Option<PathBuf> {
    let folders = std::env::var_os("STATE_DIRECTORY")?;
    std::env::split_paths(&folders)
        .next()
        .filter(|folder| folder.is_absolute())
}

/// The data folder.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    root: PathBuf,
    default: bool,
    lever: Option<PathBuf>,
}

impl Home {
    /// `--data`, else systemd's state folder, else the user's.
    pub(crate) fn find(flag: Option<&Path>) -> anyhow::Result<Self> {
        let env = |name: &str| {
            std::env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let home = || env("HOME").map(|home| home.join(".local/state"));
        let (root, default) = if let Some(root) = flag {
            (root.to_owned(), false)
        } else if let Some(root) = state_directory() {
            (root, true)
        } else {
            let base = env("XDG_STATE_HOME")
                .filter(|base| base.is_absolute())
                .or_else(home);
            let base = base.context("no home folder is set; say where state goes: --data DIR")?;
            (base.join("portcullis"), true)
        };
        let root = std::path::absolute(&root)
            .with_context(|| format!("`{}` is not a usable folder", root.display()))?;
        Ok(Self {
            root,
            default,
            lever: None,
        })
    }

    /// The same with the lever's socket elsewhere, if the configuration says so.
    pub(crate) fn with_lever(self, lever: Option<PathBuf>) -> Self {
        Self { lever, ..self }
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Whether a command finds it without `--data`.
    pub(crate) const fn is_default(&self) -> bool {
        self.default
    }

    /// The same layout below another folder: first start builds there before it moves everything in.
    pub(crate) fn below(&self, name: &str) -> Self {
        Self {
            root: self.root.join(name),
            default: false,
            lever: None,
        }
    }

    /// The folder of one part.
    pub(crate) fn part(&self, part: Part) -> PathBuf {
        self.root.join(part.name())
    }

    fn kill(&self, name: &str) -> PathBuf {
        self.part(Part::Killswitch).join(name)
    }

    fn gateway(&self, name: &str) -> PathBuf {
        self.part(Part::Gateway).join(name)
    }

    /// Persons and their keys.
    pub(crate) fn people(&self) -> PathBuf {
        self.kill("people.json")
    }

    /// The kill switch's socket for local commands.
    pub(crate) fn lever(&self) -> PathBuf {
        let own = || self.kill("lever.sock");
        self.lever.clone().unwrap_or_else(own)
    }

    /// The kill switch's journal.
    pub(crate) fn journal(&self) -> PathBuf {
        self.kill("journal.jsonl")
    }

    /// Secret of the generic channel `local`.
    pub(crate) fn local_secret(&self) -> PathBuf {
        self.kill("channels/local.secret")
    }

    /// QR codes of keys.
    pub(crate) fn enrol(&self) -> PathBuf {
        self.kill("enrol")
    }

    /// The key whose signatures this host's agent obeys.
    pub(crate) fn order_pub(&self) -> PathBuf {
        self.part(Part::Agent).join("order.pub")
    }

    /// The gateway's socket for its agent.
    pub(crate) fn control_socket(&self) -> PathBuf {
        self.gateway("control.sock")
    }

    /// Usage, as the gateway writes it down.
    pub(crate) fn spool(&self) -> PathBuf {
        self.gateway("spool")
    }

    /// Key of the consumer that first start makes.
    pub(crate) fn agent_key(&self) -> PathBuf {
        self.gateway("keys/agent.key")
    }

    /// Key by which probes are known.
    pub(crate) fn probe_key(&self) -> PathBuf {
        self.gateway("probe.key")
    }

    /// The house's own prices of models.
    pub(crate) fn prices(&self) -> PathBuf {
        self.gateway("prices.json")
    }

    /// Consumers that the control plane keeps. It stands with the gateway, which reads it.
    pub(crate) fn consumers(&self) -> PathBuf {
        self.gateway(gateway_config::KEPT)
    }

    /// The control plane's database.
    pub(crate) fn database(&self) -> PathBuf {
        self.part(Part::Controlplane).join("portcullis.db")
    }

    /// The mesh's policy of before a cut.
    pub(crate) fn mesh_policy(&self) -> PathBuf {
        self.part(Part::Controlplane).join("mesh-policy.hujson")
    }

    /// The authority of the house.
    pub(crate) fn authority(&self) -> PathBuf {
        self.part(Part::Controlplane).join("ca")
    }

    /// The agent's binaries, which hosts are given.
    pub(crate) fn agent_binaries(&self) -> PathBuf {
        self.part(Part::Controlplane).join("agent-binaries")
    }

    /// One file for each sign-in link that was not used yet.
    pub(crate) fn sign_in(&self) -> PathBuf {
        self.part(Part::Controlplane).join("sign-in")
    }

    /// Addresses and process id of what runs.
    pub(crate) fn run_file(&self) -> PathBuf {
        self.root.join("run.json")
    }

    /// Refuses a folder so deep that the sockets in it could not be bound.
    pub(crate) fn check_length(&self) -> anyhow::Result<()> {
        for socket in [self.control_socket(), self.lever()] {
            let length = socket.as_os_str().len();
            if length > SOCKET_PATH_MAX {
                bail!(
                    "the data folder's path is too long: `{}` has {length} bytes and a unix socket may have {SOCKET_PATH_MAX}; choose a shorter one with --data DIR",
                    socket.display()
                );
            }
        }
        Ok(())
    }
}
