//! `node-agent join`: makes this host's key, checks the house, and has itself let in by a token.

use super::{clock, up};
use anyhow::{Context as _, bail};
use clap::Args;
use net_model::{MAX_TOKEN_BYTES, Reach, Token};
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use uplink::Identity;
use zeroize::Zeroizing;

pub(super) const EXAMPLES: &str = "\
Examples:
  node-agent join -                          asks for the token, or reads it from a pipe
  node-agent join token.txt --at 192.0.2.10:7414
  ssh house portcullis hosts reinvite gw1 --json | jq -r .token | sudo node-agent join -

The token is never an argument: other users could read it in the process list. The key is made here and stays here.";

/// How long a host that is dialled waits: as long as its token lives.
const WAIT: Duration = Duration::from_secs(15 * 60);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// File with the token, or `-` for standard input
    token: PathBuf,
    /// Where the control plane is, if not where the token says
    #[arg(long, value_name = "ADDRESS:PORT")]
    at: Vec<SocketAddr>,
    /// Where to wait for the control plane's call, if the token says that this host is called [default: every address]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Folder of the agent's state
    #[arg(long, value_name = "DIR", default_value = "/var/lib/portcullis-agent")]
    state: PathBuf,
    /// Print JSON instead of text for people
    #[arg(long)]
    json: bool,
}

pub(super) fn join(arguments: &Arguments) -> anyhow::Result<()> {
    let token: Token = token(&arguments.token)?.parse()?;
    let folder = up::folder(&arguments.state);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let first = !up::has_joined(&arguments.state);
    let identity = runtime.block_on(let_in(&token, arguments, &folder))?;
    if first
        && !arguments.state.join("latch.a").exists()
        && !arguments.state.join("latch.b").exists()
    {
        // A host that begins: nothing is cut. Latches that are lost later are never made anew.
        node_agent::create_state(&arguments.state).context("the agent's state cannot be made")?;
    }
    give_over(&arguments.state).context("the service may not be able to read what was made")?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        let joined = serde_json::json!({
            "host": identity.name.host,
            "zone": identity.name.zone,
            "site": identity.name.site,
            "roles": identity.roles,
            "dial": identity.dial,
        });
        writeln!(out, "{joined}")?;
    } else {
        writeln!(out, "This host is {} now.", identity.name)?;
    }
    Ok(())
}

async fn let_in(token: &Token, arguments: &Arguments, folder: &Path) -> anyhow::Result<Identity> {
    let port = match &token.reach {
        Reach::Listen(port) => *port,
        Reach::Dial(to) => {
            let at = if arguments.at.is_empty() {
                to
            } else {
                &arguments.at
            };
            return Ok(uplink::join(token, at, folder, clock::now).await?);
        }
    };
    let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
    let listen = arguments.listen.unwrap_or(everywhere);
    tell(&format!(
        "Waiting at {listen} for the control plane to call."
    ));
    let waiting = uplink::wait_to_be_called(token, listen, folder, clock::now);
    match tokio::time::timeout(WAIT, waiting).await {
        Ok(joined) => Ok(joined?),
        Err(_) => bail!("the control plane did not call; the token is over"),
    }
}

/// Run by root, it leaves everything to whoever the folder belongs to: the service.
fn give_over(state: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let owner = std::fs::metadata(state)?;
    let (user, group) = (Some(owner.uid()), Some(owner.gid()));
    let folder = up::folder(state);
    let inside = std::fs::read_dir(&folder)?.chain(std::fs::read_dir(state)?);
    for entry in inside {
        let entry = entry?;
        if !entry.file_type()?.is_symlink() {
            std::os::unix::fs::chown(entry.path(), user, group)?;
        }
    }
    Ok(())
}

fn token(file: &Path) -> anyhow::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let most = u64::try_from(MAX_TOKEN_BYTES)? + 1;
    if file == Path::new("-") {
        if std::io::stdin().is_terminal() {
            tell("Token, as `portcullis hosts invite` printed it:");
            std::io::stdin().read_line(&mut text)?;
        } else {
            std::io::stdin().take(most).read_to_string(&mut text)?;
        }
    } else {
        std::fs::File::open(file)
            .and_then(|file| file.take(most).read_to_string(&mut text))
            .with_context(|| format!("cannot read {}", file.display()))?;
    }
    Ok(text)
}

fn tell(text: &str) {
    // Nothing can be done when standard error is closed.
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}
