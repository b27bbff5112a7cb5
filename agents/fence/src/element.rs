//! Which elements the four sets must hold for what is closed and what is open.

use crate::plan::Way;
use ipnet::IpNet;
use std::net::IpAddr;
use std::time::Duration;

/// How one way stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A latch closes it.
    Cut,
    /// Nobody permits it now.
    Paused,
    /// Open: for this long without another word, or until somebody says otherwise.
    Open(Option<Duration>),
}

/// A set of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Set {
    Cut4,
    Cut6,
    Lease4,
    Lease6,
}

impl Set {
    pub(crate) const ALL: [Self; 4] = [Self::Cut4, Self::Cut6, Self::Lease4, Self::Lease6];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Cut4 => "cut4",
            Self::Cut6 => "cut6",
            Self::Lease4 => "lease4",
            Self::Lease6 => "lease6",
        }
    }

    const fn cut(net: &IpNet) -> Self {
        match net {
            IpNet::V4(_) => Self::Cut4,
            IpNet::V6(_) => Self::Cut6,
        }
    }

    const fn lease(net: &IpNet) -> Self {
        match net {
            IpNet::V4(_) => Self::Lease4,
            IpNet::V6(_) => Self::Lease6,
        }
    }
}

/// Longest timeout of an element: the kernel counts in ticks of a machine word.
const LONGEST: Duration = Duration::from_secs(86_400);

/// One element, and whether it must be there: the network address stands for the prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) set: Set,
    pub(crate) key: IpAddr,
    pub(crate) there: Presence,
}

/// Whether an element is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Absent,
    /// With this timeout; without one it stays.
    Present(Option<Duration>),
}

/// Two elements for each prefix: it is in the cut set, or leased, or neither.
pub(crate) fn elements(ways: &[Way], standings: &[Standing]) -> Vec<Element> {
    let mut all = Vec::new();
    for (at, way) in ways.iter().enumerate() {
        // What nobody speaks of is not permitted.
        let standing = standings.get(at).copied().unwrap_or(Standing::Paused);
        let (cut, lease) = match standing {
            Standing::Cut => (Presence::Present(None), Presence::Absent),
            Standing::Paused => (Presence::Absent, Presence::Absent),
            // No time left is no lease; to the kernel a timeout of nothing means for ever.
            Standing::Open(Some(left)) if left < Duration::from_millis(1) => {
                (Presence::Absent, Presence::Absent)
            }
            Standing::Open(left) => {
                let left = left.map(|left| left.min(LONGEST));
                (Presence::Absent, Presence::Present(left))
            }
        };
        for net in &way.nets {
            let key = net.network();
            all.push(Element {
                set: Set::cut(net),
                key,
                there: cut,
            });
            all.push(Element {
                set: Set::lease(net),
                key,
                there: lease,
            });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Side, everything};

    fn host() -> Vec<Way> {
        vec![Way {
            name: "claw".parse().unwrap(),
            side: Side::Host,
            nets: everything(),
            flows: Vec::new(),
        }]
    }

    fn present(standing: Standing) -> Vec<(&'static str, Option<Duration>)> {
        let all = elements(&host(), &[standing]);
        let present = all.iter().filter_map(|element| match element.there {
            Presence::Present(timeout) => Some((element.set.name(), timeout)),
            Presence::Absent => None,
        });
        present.collect()
    }

    #[test]
    fn a_cut_and_a_lease_never_stand_together_and_v6_is_never_forgotten() {
        assert_eq!(present(Standing::Cut), [("cut4", None), ("cut6", None)]);
        assert_eq!(present(Standing::Paused), []);
        let left = Some(Duration::from_secs(60));
        assert_eq!(
            present(Standing::Open(left)),
            [("lease4", left), ("lease6", left)]
        );
        assert_eq!(
            present(Standing::Open(None)),
            [("lease4", None), ("lease6", None)]
        );
    }

    #[test]
    fn a_lease_with_no_time_left_is_none() {
        assert_eq!(present(Standing::Open(Some(Duration::ZERO))), []);
        assert!(
            elements(&host(), &[])
                .iter()
                .all(|it| it.there == Presence::Absent)
        );
    }
}
