//! What is measured, what is aimed at, and what was measured of each peer.

use crate::peers::Kind;
use site_tests::bench::percentile::percentile;
use std::collections::BTreeMap;

/// One figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    SmallCpu,
    SmallCpuAt1000,
    SmallRate,
    PacedCpu,
    BurstCpu,
    BurstRate,
    IdleMemory,
    StreamMemory,
    RushMemory,
    Start,
    Dark,
    P50At20,
    P50At200,
    P99At200,
    P50At1000,
    P99At1000,
    FirstTokenP50,
    FirstTokenP99,
}

/// What a figure shall be: ours, or ours divided by a peer's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Aim {
    /// Ours is compared with this one's; with nobody's: the figure itself.
    pub(crate) against: Option<Kind>,
    pub(crate) bound: f64,
    /// Whether it shall be at least that much; otherwise at most.
    pub(crate) at_least: bool,
}

impl Aim {
    const fn at_most(against: Option<Kind>, bound: f64) -> Self {
        Self {
            against,
            bound,
            at_least: false,
        }
    }

    /// Whether a figure is as it shall be.
    pub(crate) fn met(self, figure: f64) -> bool {
        if self.at_least {
            figure >= self.bound
        } else {
            figure <= self.bound
        }
    }
}

const SMALL: [Aim; 3] = [
    Aim::at_most(Some(Kind::Nginx), 1.5),
    Aim::at_most(Some(Kind::LiterLlm), 0.5),
    Aim::at_most(Some(Kind::LiteLlm), 0.01),
];
const PACED: [Aim; 1] = [Aim::at_most(Some(Kind::Nginx), 1.3)];
const BURST: [Aim; 1] = [Aim {
    against: Some(Kind::Nginx),
    bound: 0.8,
    at_least: true,
}];
const TWENTY: [Aim; 1] = [Aim::at_most(None, 20.0)];
const START: [Aim; 1] = [Aim::at_most(None, 200.0)];
const DARK: [Aim; 1] = [Aim::at_most(None, 50.0)];

impl What {
    /// Those that are compared as ratios.
    pub(crate) const RATIOS: [Self; 11] = [
        Self::SmallCpu,
        Self::SmallCpuAt1000,
        Self::SmallRate,
        Self::PacedCpu,
        Self::BurstCpu,
        Self::BurstRate,
        Self::IdleMemory,
        Self::StreamMemory,
        Self::RushMemory,
        Self::Start,
        Self::Dark,
    ];
    /// Those of which the way without a gateway is taken away: milliseconds that are added.
    pub(crate) const ADDED: [Self; 7] = [
        Self::P50At20,
        Self::P50At200,
        Self::P99At200,
        Self::P50At1000,
        Self::P99At1000,
        Self::FirstTokenP50,
        Self::FirstTokenP99,
    ];

    /// As the tables name it.
    pub(crate) const fn name(self) -> &'static str {
        self.row().0
    }

    pub(crate) const fn unit(self) -> &'static str {
        self.row().1
    }

    pub(crate) const fn aims(self) -> &'static [Aim] {
        self.row().2
    }

    const fn row(self) -> (&'static str, &'static str, &'static [Aim]) {
        match self {
            Self::SmallCpu => ("CPU of a 1 KB answer", "us", &SMALL),
            Self::SmallCpuAt1000 => ("CPU of a 1 KB answer at 1000 a second", "us", &[]),
            Self::SmallRate => ("1 KB answers a second, 8 connections", "/s", &[]),
            Self::PacedCpu => ("CPU of a paced chunk", "us", &PACED),
            Self::BurstCpu => ("CPU of a 200-chunk stream at full speed", "us", &[]),
            Self::BurstRate => ("such streams a second", "/s", &BURST),
            Self::IdleMemory => ("memory idle", "MB", &TWENTY),
            Self::StreamMemory => ("memory of one open stream", "KB", &TWENTY),
            Self::RushMemory => ("memory of one more of 1,000 begun at once", "KB", &[]),
            Self::Start => ("start to first answer", "ms", &START),
            Self::Dark => ("1000 open streams dark after a text, p99", "ms", &DARK),
            Self::P50At20 => ("1 KB answer at 20 a second, p50", "ms", &[]),
            Self::P50At200 => ("1 KB answer at 200 a second, p50", "ms", &[]),
            Self::P99At200 => ("1 KB answer at 200 a second, p99", "ms", &[]),
            Self::P50At1000 => ("1 KB answer at 1000 a second, p50", "ms", &[]),
            Self::P99At1000 => ("1 KB answer at 1000 a second, p99", "ms", &[]),
            Self::FirstTokenP50 => ("first token of a stream, p50", "ms", &[]),
            Self::FirstTokenP99 => ("first token of a stream, p99", "ms", &[]),
        }
    }
}

/// Of one peer in one round; what does not apply is absent.
pub(crate) type Figures = BTreeMap<What, f64>;

/// Of all rounds.
#[derive(Debug, Default)]
pub(crate) struct All(pub(crate) Vec<BTreeMap<Kind, Figures>>);

impl All {
    /// The median of one figure over the rounds.
    pub(crate) fn median(&self, kind: Kind, what: What) -> Option<f64> {
        self.over_rounds(|round| round.get(&kind)?.get(&what).copied())
    }

    /// Ours divided by a peer's in the same round; the median of that.
    pub(crate) fn ratio(&self, kind: Kind, what: What) -> Option<f64> {
        self.over_rounds(|round| {
            let ours = round.get(&Kind::Portcullis)?.get(&what)?;
            let ratio = ours / round.get(&kind)?.get(&what)?;
            // A short run takes less than the kernel's clock tells.
            ratio.is_finite().then_some(ratio)
        })
    }

    /// What a peer adds to the way without a gateway in the same round; the median of that.
    pub(crate) fn added(&self, kind: Kind, what: What) -> Option<f64> {
        self.over_rounds(|round| {
            let bare = round.get(&Kind::Direct)?.get(&what)?;
            Some(round.get(&kind)?.get(&what)? - bare)
        })
    }

    /// What an aim looks at.
    pub(crate) fn aimed(&self, what: What, aim: Aim) -> Option<f64> {
        match aim.against {
            None => self.median(Kind::Portcullis, what),
            Some(kind) => self.ratio(kind, what),
        }
    }

    fn over_rounds(&self, of: impl Fn(&BTreeMap<Kind, Figures>) -> Option<f64>) -> Option<f64> {
        let all: Vec<f64> = self.0.iter().filter_map(of).collect();
        (!all.is_empty()).then(|| percentile(&all, 50))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_was_measured_in_the_same_round() {
        let round = |ours: f64, theirs: f64, bare: f64| {
            let one = |figure| Figures::from([(What::P50At200, figure)]);
            BTreeMap::from([
                (Kind::Direct, one(bare)),
                (Kind::Portcullis, one(ours)),
                (Kind::Nginx, one(theirs)),
            ])
        };
        // The machine was three times as slow in the second round, for everybody.
        let all = All(vec![
            round(2.0, 1.0, 0.5),
            round(6.0, 3.0, 1.5),
            round(2.0, 1.0, 0.5),
        ]);
        assert_eq!(all.median(Kind::Portcullis, What::P50At200), Some(2.0));
        assert_eq!(all.ratio(Kind::Nginx, What::P50At200), Some(2.0));
        assert_eq!(all.added(Kind::Portcullis, What::P50At200), Some(1.5));
        assert_eq!(all.ratio(Kind::LiteLlm, What::P50At200), None);
        assert_eq!(all.median(Kind::Nginx, What::Dark), None);
    }

    #[test]
    fn an_aim_is_met_up_to_its_bound() {
        let most = Aim::at_most(None, 20.0);
        assert!(most.met(20.0) && !most.met(20.1) && !most.met(f64::NAN));
        let [least] = BURST;
        assert!(least.met(0.8) && !least.met(0.79) && !least.met(f64::NAN));
    }
}
