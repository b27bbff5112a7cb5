//! A program that is started, read up to a bound and stopped when it takes too long.

use crate::clock::passing_ms;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

/// Longest output that is read.
const MOST: u64 = 4 * 1024 * 1024;
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// What a program did.
pub(crate) struct Ran {
    /// Whether it ended well.
    pub(crate) well: bool,
    /// What it printed.
    pub(crate) output: Vec<u8>,
}

/// Runs `program` with nothing but `environment`; none when it cannot be started or took longer than `limit`.
#[expect(
    clippy::disallowed_methods,
    reason = "engines and NVIDIA's driver are asked by their own programs"
)]
pub(crate) fn run(
    program: &Path,
    arguments: &[&str],
    environment: &[(String, String)],
    limit: Duration,
) -> Option<Ran> {
    let mut child = std::process::Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment.iter().map(|(key, value)| (key, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let output = child.stdout.take()?;
    let (tell, told) = channel();
    let reader = std::thread::Builder::new().spawn(move || {
        let mut bytes = Vec::new();
        let read = output.take(MOST).read_to_end(&mut bytes);
        drop(tell.send(read.map(|_| bytes)));
    });
    if reader.is_err() {
        stop(&mut child);
        return None;
    }
    let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    let until = passing_ms().saturating_add(limit_ms);
    let Ok(Ok(output)) = told.recv_timeout(limit) else {
        stop(&mut child);
        return None;
    };
    loop {
        match child.try_wait() {
            Ok(Some(status)) => {
                return Some(Ran {
                    well: status.success(),
                    output,
                });
            }
            Ok(None) if passing_ms() < until => std::thread::sleep(LOOK_AGAIN),
            Ok(None) | Err(_) => {
                stop(&mut child);
                return None;
            }
        }
    }
}

/// Ends the child and waits for it, so that none is left behind.
fn stop(child: &mut Child) {
    drop(child.kill());
    drop(child.wait());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_takes_too_long_is_stopped() {
        let shell = Path::new("/bin/sh");
        let none = run(
            shell,
            &["-c", "exec sleep 60"],
            &[],
            Duration::from_millis(50),
        );
        assert!(none.is_none());
        let ran = run(
            shell,
            &["-c", "echo $A; exit 3"],
            &[("A".into(), "b".into())],
            Duration::from_secs(20),
        );
        let ran = ran.unwrap();
        assert_eq!((ran.well, ran.output.as_slice()), (false, &b"b\n"[..]));
        assert!(run(Path::new("/absent"), &[], &[], Duration::from_secs(1)).is_none());
    }
}
