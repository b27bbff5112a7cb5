//! Serves the agent's binary, sealed by the key beside the authority. To anybody: there is no secret in it, and who takes it checks
//! the seal.

use crate::Intake;
use crate::desk::Desk;
use crate::house::House;
use crate::refusal::Refusal;
use anyhow::Context as _;
use hyper::StatusCode;
use net_link::{Answer, text};
use net_model::BinarySeal;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

/// Most bytes of a binary.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
const SEAL: &str = ".sig";

/// Puts a binary into the folder and seals it: what hosts of this target are given from now on.
///
/// # Errors
/// When it cannot be read, is no ELF program, or the disk refuses.
pub fn add(
    house: &House,
    folder: &Path,
    file: &Path,
    target: &str,
    version: &str,
) -> anyhow::Result<BinarySeal> {
    anyhow::ensure!(
        plain(target),
        "`{target}` is no target, such as x86_64-linux"
    );
    let numbers = BinarySeal::numbers(version);
    anyhow::ensure!(
        numbers.is_some(),
        "`{version}` is no version, such as 0.1.0"
    );
    let tried = || format!("cannot read {}", file.display());
    let length = std::fs::metadata(file).with_context(tried)?.len();
    anyhow::ensure!(length <= MAX_BYTES, "longer than {MAX_BYTES} bytes");
    let bytes = std::fs::read(file).with_context(tried)?;
    // The first bytes of every program on Linux (System V ABI, object files).
    anyhow::ensure!(
        bytes.starts_with(b"\x7fELF"),
        "{} is no program for Linux",
        file.display()
    );
    let seal = house.agent_key.seal(target, version, &bytes);
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let seal_text = serde_json::to_vec(&seal)?;
    // A new file under an old seal is refused by who takes it, until the second of these is done.
    kill_files::write_atomic(&folder.join(target), &bytes, 0o600)?;
    kill_files::write_atomic(&folder.join(format!("{target}{SEAL}")), &seal_text, 0o600)?;
    Ok(seal)
}

/// Answers with a binary or its seal.
pub(crate) async fn answer<I: Intake>(desk: &Desk<I>, name: &str) -> Result<Answer, Refusal> {
    let none = || Refusal::new(StatusCode::NOT_FOUND, "no binary for this target");
    let target = name.strip_suffix(SEAL).unwrap_or(name);
    if !plain(target) {
        return Err(none());
    }
    let Ok(_turn) = desk.downloads.try_acquire() else {
        return Err(Refusal::busy());
    };
    let file = desk.binaries.join(name);
    let read = tokio::task::spawn_blocking(move || std::fs::read(file)).await;
    let bytes = read.ok().and_then(Result::ok).ok_or_else(none)?;
    let kind = match name == target {
        true => "application/octet-stream",
        false => "application/json",
    };
    Ok(text(StatusCode::OK, kind, bytes))
}

fn plain(target: &str) -> bool {
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    (1..=64).contains(&target.len()) && target.chars().all(fine)
}
