//! Run by gammu-smsd for every received message: tells the courier and ends.
//!
//! ```text
//! RunOnReceive = exec /usr/bin/kill-gammu /var/lib/portcullis/gammu.sock #
//! ```
//!
//! It always ends with 0: gammu-smsd keeps the message in its inbox folder, where the courier looks as well.

use kill_gammu::{ACKNOWLEDGED, MAX_NOTICE_LINE, Notice};
use std::io::{BufRead, BufReader, Error, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long gammu-smsd, which waits for this program, may be held up by one read or write.
const PATIENCE: Duration = Duration::from_secs(1);

fn main() {
    // gammu-smsd copies what is written here into its log: neither text nor number may stand in it.
    if let Err(why) = tell() {
        let said = format!("kill-gammu: {why}; the courier will find it in the inbox folder\n");
        std::io::stderr().write_all(said.as_bytes()).ok();
    }
}

fn tell() -> Result<(), Error> {
    let socket = std::env::args_os().nth(1);
    let socket = socket.ok_or_else(|| Error::other("usage: kill-gammu SOCKET"))?;
    let notice = Notice::from_environment(|name| std::env::var_os(name))
        .map_err(|_| Error::other("the environment names no message"))?;
    let mut line = serde_json::to_string(&notice)?;
    line.push('\n');
    if line.len() > MAX_NOTICE_LINE {
        return Err(Error::other("the message is too long"));
    }
    deliver(Path::new(&socket), line.as_bytes())
}

fn deliver(socket: &Path, line: &[u8]) -> Result<(), Error> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(line)?;
    let mut answer = String::new();
    BufReader::new(stream.take(16)).read_line(&mut answer)?;
    if answer.trim_end() == ACKNOWLEDGED {
        Ok(())
    } else {
        Err(Error::other("the courier did not take the message"))
    }
}
