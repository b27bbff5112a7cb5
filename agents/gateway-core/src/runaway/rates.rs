//! How fast something is spent: sums over the last ten seconds, minute and five minutes.

/// Spans that are summed over, seconds: shortest first.
pub(super) const SPANS: [u16; 3] = [10, 60, 300];
const SECONDS: usize = 300;

/// Amounts of the last five minutes, second by second. 1.2 KB.
#[derive(Clone, Debug)]
pub(super) struct Rates {
    seconds: Box<[u32; SECONDS]>,
    /// The second that is being filled, since the start.
    now: u64,
    sums: [u64; 3],
}

impl Rates {
    /// Nothing spent yet.
    pub(super) fn new() -> Self {
        Self {
            seconds: Box::new([0; SECONDS]),
            now: 0,
            sums: [0; 3],
        }
    }

    /// Goes on to this second. Time that stands still or runs back changes nothing.
    pub(super) fn turn(&mut self, second: u64) {
        if second.saturating_sub(self.now) >= SECONDS as u64 {
            self.seconds.fill(0);
            self.sums = [0; 3];
            self.now = second;
        }
        while self.now < second {
            self.now += 1;
            for (span, at) in SPANS.iter().zip(0..) {
                let left = self.amount(self.now.wrapping_sub(u64::from(*span)));
                if let Some(sum) = self.sums.get_mut::<usize>(at) {
                    *sum = sum.saturating_sub(left);
                }
            }
            *self.place(self.now) = 0;
        }
    }

    /// Spends in the second now.
    pub(super) fn add(&mut self, amount: u64) {
        let place = self.place(self.now);
        let before = *place;
        *place = before.saturating_add(u32::try_from(amount).unwrap_or(u32::MAX));
        let taken = u64::from(*place - before);
        for sum in &mut self.sums {
            *sum += taken;
        }
    }

    /// Takes back what turned out not to be spent, as far as this second goes.
    pub(super) fn take_back(&mut self, amount: u64) {
        let place = self.place(self.now);
        let taken = (*place).min(u32::try_from(amount).unwrap_or(u32::MAX));
        *place -= taken;
        for sum in &mut self.sums {
            *sum = sum.saturating_sub(u64::from(taken));
        }
    }

    /// The sums, in the order of [`SPANS`].
    pub(super) const fn sums(&self) -> [u64; 3] {
        self.sums
    }

    fn amount(&self, second: u64) -> u64 {
        let at = usize::try_from(second % SECONDS as u64).unwrap_or_default();
        self.seconds.get(at).copied().map_or(0, |amount| {
            if second > self.now {
                0
            } else {
                u64::from(amount)
            }
        })
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "the remainder of a division by the length is below the length"
    )]
    fn place(&mut self, second: u64) -> &mut u32 {
        &mut self.seconds[usize::try_from(second % SECONDS as u64).unwrap_or_default() % SECONDS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_sums_are_those_of_the_last_seconds(steps in proptest::collection::vec((0_u64..400, 0_u64..1000), 1..60)) {
            let mut rates = Rates::new();
            let (mut now, mut spent) = (1000, Vec::new());
            for (later, amount) in steps {
                now += later;
                rates.turn(now);
                rates.add(amount);
                spent.push((now, amount));
                let expected = SPANS.map(|span| {
                    let within = |(at, _): &&(u64, u64)| at + u64::from(span) > now;
                    spent.iter().filter(within).map(|(_, amount)| *amount).sum::<u64>()
                });
                prop_assert_eq!(rates.sums(), expected);
            }
        }
    }

    #[test]
    fn what_is_taken_back_is_not_spent() {
        let mut rates = Rates::new();
        rates.turn(5);
        rates.add(100);
        rates.take_back(40);
        assert_eq!(rates.sums(), [60; 3]);
        rates.take_back(500);
        assert_eq!(rates.sums(), [0; 3]);
    }
}
