//! Percentiles, each of them a figure that was measured.

/// The smallest figure that at least `percent` of all do not exceed (nearest rank).
#[must_use]
pub fn percentile(figures: &[f64], percent: usize) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

/// The highest figure.
#[must_use]
pub fn highest(figures: &[f64]) -> f64 {
    percentile(figures, 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_figures_that_were_measured() {
        let figures: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!(percentile(&figures, 50), 100.0);
        assert_eq!(percentile(&figures, 99), 198.0);
        assert_eq!(highest(&figures), 200.0);
        assert!(percentile(&[], 50).is_nan());
    }
}
