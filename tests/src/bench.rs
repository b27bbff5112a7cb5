//! What benchmarks share: clocks, percentiles, programs that are measured.

pub mod clock;
pub mod percentile;
pub mod running;
