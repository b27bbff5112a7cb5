//! Stops whole control groups at once, as they are (cgroup v2, `cgroup.freeze`): memory stays for whoever looks later.

use std::io;
use std::path::Path;
use std::time::Duration;

/// The kernel says within about a millisecond that all processes stand still; one that sleeps in the kernel takes longer.
const ROUNDS: usize = 50;
const PAUSE: Duration = Duration::from_millis(1);

/// Freezes, and waits shortly until the kernel says that everything stands.
pub(crate) fn freeze(folder: &Path) -> io::Result<()> {
    std::fs::write(folder.join("cgroup.freeze"), "1")?;
    for _ in 0..ROUNDS {
        if frozen(folder)? {
            return Ok(());
        }
        std::thread::sleep(PAUSE);
    }
    Err(io::Error::other(
        "asked for, but not all of it stands still yet",
    ))
}

pub(crate) fn thaw(folder: &Path) -> io::Result<()> {
    std::fs::write(folder.join("cgroup.freeze"), "0")
}

/// Ends every process in it.
pub(crate) fn kill(folder: &Path) -> io::Result<()> {
    std::fs::write(folder.join("cgroup.kill"), "1")
}

fn frozen(folder: &Path) -> io::Result<bool> {
    let events = std::fs::read_to_string(folder.join("cgroup.events"))?;
    Ok(events.lines().any(|line| line == "frozen 1"))
}
