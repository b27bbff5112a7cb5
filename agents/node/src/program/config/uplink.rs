//! The section `[uplink]`: where the control plane is, or where it calls.

use kill_config::{ADDRESS, Problem, Problems, Section};
use std::net::{Ipv4Addr, SocketAddr};

/// Where a host that is dialled listens, unless the file says otherwise.
const PORT: u16 = 7415;
/// Most addresses.
const MOST: usize = 8;

/// What the file wants of the way to the control plane.
#[derive(Debug)]
pub(in crate::program) struct UplinkWish {
    /// Where to call, instead of the addresses that the house gave.
    pub(in crate::program) at: Vec<SocketAddr>,
    /// Where a host that is dialled listens.
    pub(in crate::program) listen: SocketAddr,
}

pub(super) fn read(section: Option<Section<'_>>, problems: &Problems) -> UplinkWish {
    let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT));
    let mut wish = UplinkWish {
        at: Vec::new(),
        listen: everywhere,
    };
    let Some(mut section) = section else {
        return wish;
    };
    wish.listen = section.parse("listen", ADDRESS).unwrap_or(everywhere);
    let expected = "a list of literal addresses, such as [\"192.0.2.10:7414\"]";
    let key = section.key("at");
    let texts = section.texts("at", expected).unwrap_or_default();
    for (n, text) in texts.iter().enumerate() {
        match text.parse::<SocketAddr>() {
            Ok(address) if address.port() != 0 && n < MOST => wish.at.push(address),
            _ => {
                let short: String = text.chars().take(60).collect();
                let text = format!("`{short}` is not {ADDRESS}, or one too many");
                problems.note(Problem::new(format!("{key}[{n}]"), text));
            }
        }
    }
    section.finish();
    wish
}
