//! Questions on the terminal.

use anyhow::Context as _;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use zeroize::Zeroizing;

/// Longest answer in bytes.
const MAX_BYTES: u64 = 256;

/// Asks on standard error, reads one line from standard input.
pub(crate) fn line(question: &str) -> anyhow::Result<Zeroizing<String>> {
    let mut stderr = io::stderr().lock();
    write!(stderr, "{question}").and_then(|()| stderr.flush())?;
    read()
}

/// The same without showing what is typed; without a terminal nothing is asked, only read.
pub(crate) fn hidden(question: &str) -> anyhow::Result<Zeroizing<String>> {
    if !io::stdin().is_terminal() {
        return read();
    }
    let quiet = Quiet::begin()?;
    let answer = line(question);
    drop(quiet);
    crate::out::aside("");
    answer
}

fn read() -> anyhow::Result<Zeroizing<String>> {
    use std::io::Read as _;
    let mut text = Zeroizing::new(String::new());
    let mut limited = io::stdin().lock().take(MAX_BYTES);
    let length = limited
        .read_line(&mut text)
        .context("standard input cannot be read")?;
    anyhow::ensure!(length > 0, "no answer on standard input");
    Ok(Zeroizing::new(text.trim().to_owned()))
}

/// The terminal does not show what is typed as long as this lives.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // A terminal that is gone needs no echo.
        tcsetattr(io::stdin(), OptionalActions::Now, &self.0).unwrap_or_default();
    }
}
