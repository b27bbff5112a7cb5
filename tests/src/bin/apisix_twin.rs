//! The TWIN of APISIX as a program: not APISIX. Prints its addresses as one line of JSON, then serves until it is ended.

use anyhow::Context as _;
use clap::Parser;
use serde_json::json;
use site_tests::apisix::{Options, Twin, levers};
use std::{io::Write as _, net::TcpListener, path::PathBuf};

/// Pretends to be an APISIX, for tests alone.
#[derive(Debug, Parser)]
struct Asked {
    /// The admin API; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    admin: String,
    /// The data plane.
    #[arg(long, default_value = "127.0.0.1:0")]
    data: String,
    /// The control API.
    #[arg(long, default_value = "127.0.0.1:0")]
    control: String,
    /// The Prometheus page.
    #[arg(long, default_value = "127.0.0.1:0")]
    metrics: String,
    /// What only the twin has: where it is told to fail.
    #[arg(long, default_value = "127.0.0.1:0")]
    levers: String,
    /// Holds the key that may write.
    #[arg(long, value_name = "FILE")]
    admin_key_file: Option<PathBuf>,
    /// API-driven standalone mode.
    #[arg(long)]
    standalone: bool,
}

fn bound(at: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(at).with_context(|| format!("listening on {at}"))
}

fn main() -> anyhow::Result<()> {
    let asked = Asked::parse();
    let mut options = Options {
        standalone: asked.standalone,
        ..Options::default()
    };
    if let Some(file) = &asked.admin_key_file {
        let text = std::fs::read_to_string(file);
        let text = text.with_context(|| format!("reading {}", file.display()))?;
        text.trim().clone_into(&mut options.admin_key);
    }
    let listeners = [
        bound(&asked.admin)?,
        bound(&asked.data)?,
        bound(&asked.control)?,
        bound(&asked.metrics)?,
    ];
    let levers_at = bound(&asked.levers)?;
    levers_at.set_nonblocking(true)?;
    let twin = Twin::on(listeners, options)?;
    let at = json!({
        "admin": twin.admin.to_string(), "data": twin.data.to_string(), "control": twin.control.to_string(),
        "metrics": twin.metrics.to_string(), "levers": levers_at.local_addr()?.to_string(),
    });
    writeln!(std::io::stdout(), "{at}")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(levers_at)?;
        levers::serve(listener, &twin).await
    })?;
    Ok(())
}
