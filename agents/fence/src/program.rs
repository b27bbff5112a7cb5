//! The program `nft`: makes the table, and stands in when netlink fails. Bounded in time, with an empty environment.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Loading a table takes 10 to 40 ms, more on a busy machine.
const LIMIT: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(1);
/// Most of its complaints that is passed on.
const MOST_WORDS: usize = 300;

/// What to do with the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Only say whether it could be done.
    Check,
    /// Do it, all or nothing.
    Load,
}

/// Hands a text to `nft`; the error is what it said, or why it could not be asked.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the crate that runs programs"
)]
pub(crate) fn nft(program: &Path, mode: Mode, text: &str) -> Result<(), String> {
    let arguments: &[&str] = match mode {
        Mode::Check => &["-c", "-f", "-"],
        Mode::Load => &["-f", "-"],
    };
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|why| format!("cannot run {}: {why}", program.display()))?;
    let written = match child.stdin.take() {
        // It reads all before it does anything, and a text of ours is far below what a pipe holds back for long.
        Some(mut stdin) => stdin.write_all(text.as_bytes()),
        None => Ok(()),
    };
    let ended = wait(&mut child)?;
    let mut words = String::new();
    if let Some(stderr) = child.stderr.take() {
        drop(stderr.take(4096).read_to_string(&mut words));
    }
    if ended && written.is_ok() {
        return Ok(());
    }
    let plain: String = words
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MOST_WORDS)
        .collect();
    Err(format!("nft refused: {}", plain.trim()))
}

/// Whether it ended well; one that does not end is killed.
fn wait(child: &mut Child) -> Result<bool, String> {
    let rounds = LIMIT.as_millis() / PAUSE.as_millis();
    for _ in 0..rounds {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) => std::thread::sleep(PAUSE),
            Err(why) => return Err(format!("nft was lost: {why}")),
        }
    }
    drop(child.kill());
    drop(child.wait());
    Err(format!("nft did not end within {LIMIT:?}"))
}
