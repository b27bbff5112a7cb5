//! The section `[hosts]`: where hosts join and report.

use kill_config::{Problem, Problems, Section, listen, loopback};
use kill_wire::Name;
use std::net::SocketAddr;

/// Where hosts are heard unless the file says otherwise.
const PORT: u16 = 7414;
/// Most addresses.
const MOST: usize = 8;
const HOUR: u64 = 3600;

/// What the file wants of the listener for hosts.
#[derive(Clone, Debug)]
pub(crate) struct HostsSection {
    /// Where it listens.
    pub(crate) listen: SocketAddr,
    /// Where hosts call, as a token and the house card say: literal addresses.
    pub(crate) addresses: Vec<SocketAddr>,
    /// How long a host's certificate is good, in seconds.
    pub(crate) certificate_life: u64,
    /// What the house is called, when its authority is made.
    pub(crate) site: Option<Name>,
}

pub(super) fn read(section: Option<Section<'_>>, problems: &Problems) -> HostsSection {
    let mut read = HostsSection {
        listen: loopback(PORT),
        addresses: Vec::new(),
        certificate_life: 72 * HOUR,
        site: None,
    };
    let Some(mut section) = section else {
        read.addresses.push(read.listen);
        return read;
    };
    read.listen = listen(&mut section, PORT);
    // A minute is for trying out how a renewal goes.
    let life = section.span("certificate_life", 60..=30 * 24 * HOUR);
    read.certificate_life = life.unwrap_or(read.certificate_life);
    let name = "a name: 1 to 24 of a-z, 0-9, `.`, `_`, `-`, starting with a letter";
    read.site = section.parse("site", name);
    read.addresses = addresses(&mut section, read.listen, problems);
    section.finish();
    read
}

fn addresses(
    section: &mut Section<'_>,
    listen: SocketAddr,
    problems: &Problems,
) -> Vec<SocketAddr> {
    let expected = "a list of literal addresses where hosts call, such as [\"192.0.2.10:7414\"]";
    let key = section.key("addresses");
    let texts = section.texts("addresses", expected).unwrap_or_default();
    let mut found = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        match text.parse::<SocketAddr>() {
            Ok(address) if address.port() != 0 && at < MOST => found.push(address),
            _ => {
                let short: String = text.chars().take(60).collect();
                let text = format!("`{short}` is not a literal address and port, or one too many");
                problems.note(Problem::new(format!("{key}[{at}]"), text));
            }
        }
    }
    if texts.is_empty() {
        if listen.ip().is_unspecified() {
            let text =
                format!("missing: {listen} is everywhere, and hosts must be told where to call");
            problems.note(Problem::new(key, text));
        } else if listen.port() != 0 {
            found.push(listen);
        }
    }
    found
}
