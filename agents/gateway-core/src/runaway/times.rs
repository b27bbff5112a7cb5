//! When the last requests of one sort began.

/// Times that are kept.
const KEPT: usize = 64;

/// The last of them, in ticks. 256 bytes.
#[derive(Clone, Debug)]
pub(super) struct Times {
    ticks: [u32; KEPT],
    in_all: usize,
}

impl Times {
    /// None yet.
    pub(super) const fn new() -> Self {
        Self {
            ticks: [0; KEPT],
            in_all: 0,
        }
    }

    /// One more begins.
    pub(super) fn begin(&mut self, tick: u32) {
        if let Some(place) = self.ticks.get_mut(self.in_all % KEPT) {
            *place = tick;
        }
        self.in_all = self.in_all.wrapping_add(1);
    }

    /// Whether `times` make up that many tenths of all that began since then, as far as times are kept.
    pub(super) fn are_mostly(&self, times: u32, tenths: u32, since: u32) -> bool {
        let kept = self.ticks.iter().take(self.in_all);
        let all = kept.filter(|tick| **tick >= since).count();
        times * 10
            >= u32::try_from(all)
                .unwrap_or(u32::MAX)
                .saturating_mul(tenths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_of_those_since_then() {
        let mut times = Times::new();
        (0..100).for_each(|tick| times.begin(tick));
        assert!(times.are_mostly(6, 6, 90));
        assert!(!times.are_mostly(5, 6, 90));
        assert!(times.are_mostly(1, 10, 99));
    }
}
