//! How clients reach the gateway: `[gateway.tls]` and `trusted_proxies`.

use gateway::{BadTls, Front, IpNet, Tls};
use kill_config::Section;
use std::net::IpAddr;
use std::path::Path;

/// Reads both; `None` when a problem was noted.
pub(super) fn front(section: &mut Section<'_>, folder: &Path) -> Option<Front> {
    let tls = match section.section("tls") {
        Some(section) => Some(tls(section, folder)?),
        None => None,
    };
    let wish = "a list of addresses, such as [\"127.0.0.1/32\"]";
    let nets = section.texts("trusted_proxies", wish).unwrap_or_default();
    let mut trusted_proxies = Vec::new();
    for (at, net) in nets.iter().enumerate() {
        let one = || net.parse::<IpAddr>().map(IpNet::from);
        let Ok(net) = net.parse().or_else(|_| one()) else {
            let short: String = net.chars().take(60).collect();
            let text = format!("`{short}` is no address or network, such as `127.0.0.1/32`");
            section.note(&format!("trusted_proxies[{at}]"), &text);
            return None;
        };
        trusted_proxies.push(net);
    }
    Some(Front {
        tls,
        trusted_proxies,
    })
}

fn tls(mut section: Section<'_>, folder: &Path) -> Option<Tls> {
    let certificate = section.need("certificate_file", "the path of a certificate chain in PEM");
    let key = section.need("key_file", "the path of its private key in PEM");
    let read = match (certificate, key) {
        (Some(certificate), Some(key)) => Tls::read(&folder.join(certificate), &folder.join(key)),
        _ => {
            section.finish();
            return None;
        }
    };
    let tls = match read {
        Ok(tls) => Some(tls),
        Err(BadTls::Certificate(text)) => {
            section.note("certificate_file", &text);
            None
        }
        Err(BadTls::Key(text)) => {
            section.note("key_file", &text);
            None
        }
    };
    section.finish();
    tls
}
