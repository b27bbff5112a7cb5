//! What `portcullis serve` may be asked to run.

use crate::config::Config;
use crate::paths::Part;

/// A part, or the courier, which keeps no state and listens nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Wanted {
    /// Hears, verifies, orders, proves.
    Killswitch,
    /// Speaks to providers for the kill switch.
    Courier,
    /// The hand that cuts on this host.
    Agent,
    /// The embedded LLM gateway.
    Gateway,
    /// Dashboard, ledger, background tasks.
    Controlplane,
}

impl Wanted {
    const fn part(self) -> Option<Part> {
        match self {
            Self::Killswitch => Some(Part::Killswitch),
            Self::Agent => Some(Part::Agent),
            Self::Gateway => Some(Part::Gateway),
            Self::Controlplane => Some(Part::Controlplane),
            Self::Courier => None,
        }
    }
}

/// Which parts to run, and whether the courier. Nothing asked for: what the configuration names, or everything; the
/// courier then goes where the kill switch goes.
pub(super) fn chosen(wanted: &[Wanted], config: &Config) -> (Vec<Part>, bool) {
    let mut parts: Vec<Part> = match wanted {
        [] if config.named.is_empty() => Part::ALL.to_vec(),
        [] => config.named.iter().copied().collect(),
        some => some.iter().filter_map(|wanted| wanted.part()).collect(),
    };
    parts.sort();
    parts.dedup();
    let courier = match wanted {
        [] => parts.contains(&Part::Killswitch),
        some => some.contains(&Wanted::Courier),
    };
    (parts, courier)
}
