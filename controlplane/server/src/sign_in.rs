//! One-time links to the dashboard.
//!
//! The folder holds a file named by the SHA-256 of each unused token; the dashboard takes a link by removing its file.

use crate::{config, out::Out, paths::Home, paths::Part, random::random, run_file};
use anyhow::Context as _;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use net_model::Secret;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::net::SocketAddr;
use std::path::Path;

/// How long a link may wait, in minutes; the dashboard enforces it by the file's age.
pub(crate) const MINUTES: u32 = 15;

/// Makes a token and leaves its hash for the dashboard.
pub(crate) fn make(folder: &Path) -> anyhow::Result<Secret> {
    let token = BASE64URL_NOPAD.encode(&*random::<32>()?);
    let name = HEXLOWER.encode(&Sha256::digest(token.as_bytes()));
    kill_files::write_atomic(&folder.join(name), b"", 0o600)
        .with_context(|| format!("cannot write into {}", folder.display()))?;
    Ok(Secret::new(&token)?)
}

/// The address a browser opens.
pub(crate) fn link(dashboard: SocketAddr, token: &Secret) -> String {
    format!("http://{dashboard}/sign-in?token={}", token.expose())
}

/// `portcullis sign-in`.
pub(crate) fn print(home: &Home, file: Option<&Path>, json: bool) -> anyhow::Result<()> {
    let folder = home.sign_in();
    if !folder.is_dir() {
        anyhow::bail!(
            "{} holds no control plane; run `portcullis up` first, or say where its state is: --data DIR",
            home.root().display()
        );
    }
    let dashboard = run_file::address(home, file, Part::Controlplane)?;
    let token = make(&folder)?;
    let over_mesh = config::read(file).ok().and_then(|config| config.over_mesh);
    let over_mesh = over_mesh.map(|at| link(at, &token));
    let link = link(dashboard, &token);
    let mut out = Out::stdout();
    if json {
        out.json(&json!({ "link": link, "link_over_mesh": over_mesh, "minutes": MINUTES }))?;
    } else {
        out.line(link)?;
        if let Some(link) = over_mesh {
            out.line(link)?;
        }
        crate::out::aside(format_args!(
            "Opens the dashboard once, within {MINUTES} minutes."
        ));
    }
    Ok(())
}
