//! Where a target stands that is called by a name: asked of the program that every host has for it.
//!
//! Not of the C library: a static program that looks up a name loads the host's own parts of that library into itself, of
//! whatever version they are. What the host says of names (its file of hosts, its resolver, its mesh) counts all the same.
//! Nothing on the way of a cut comes here.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::process::Stdio;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

const PROGRAM: &str = "getent";
/// Where it is sought.
const FOLDERS: &str = "/usr/bin:/bin:/usr/local/bin:/run/current-system/sw/bin";
/// Longest answer that is read, in bytes.
const LONGEST: u64 = 16 * 1024;
/// Most addresses of one name that are tried.
const MOST: usize = 8;

/// A literal address as it is, a name as the host knows it. Whoever asks bounds the time; the program ends with the question.
pub(super) async fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(literal) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(literal, port)]);
    }
    // It would be taken for an option.
    if host.starts_with('-') {
        return Err(unknown(host));
    }
    let mut child = Command::new(PROGRAM)
        .args(["ahosts", host])
        .env_clear()
        .env("PATH", FOLDERS)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let mut said = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(LONGEST).read_to_end(&mut said).await?;
    }
    child.wait().await?;
    let found = listed(&String::from_utf8_lossy(&said), port);
    if found.is_empty() {
        return Err(unknown(host));
    }
    Ok(found)
}

/// One line for each address and kind of socket, the address first.
fn listed(said: &str, port: u16) -> Vec<SocketAddr> {
    let mut found = Vec::new();
    for line in said.lines() {
        let first = line.split_whitespace().next();
        let Some(ip) = first.and_then(|word| word.parse::<IpAddr>().ok()) else {
            continue;
        };
        let address = SocketAddr::new(ip, port);
        if found.len() < MOST && !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

fn unknown(host: &str) -> io::Error {
    let text = format!("this host knows no address of `{host}`");
    io::Error::new(io::ErrorKind::NotFound, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(host: &str) -> io::Result<Vec<SocketAddr>> {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        runtime.block_on(addresses(host, 443))
    }

    #[test]
    fn a_literal_is_asked_of_nobody_and_a_name_of_the_host() {
        assert_eq!(
            asked("192.0.2.7").unwrap(),
            ["192.0.2.7:443".parse().unwrap()]
        );
        assert_eq!(
            asked("fd00::7").unwrap(),
            ["[fd00::7]:443".parse().unwrap()]
        );
        let here = asked("localhost").unwrap();
        assert!(here.iter().all(|at| at.ip().is_loopback()), "{here:?}");
        let none = asked("no-such-host.invalid").unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::NotFound);
        let option = asked("--help").unwrap_err();
        assert_eq!(option.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn each_address_counts_once_and_no_answer_is_endless() {
        let said =
            "192.0.2.7 STREAM nas\n192.0.2.7 DGRAM\nfe80::1%eth0 STREAM\n\nfd00::7 RAW\nnonsense\n";
        let found: Vec<String> = listed(said, 80).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["192.0.2.7:80", "[fd00::7]:80"]);
        let many: String = (0..99).map(|n| format!("192.0.2.{n} STREAM\n")).collect();
        assert_eq!(listed(&many, 80).len(), MOST);
    }
}
