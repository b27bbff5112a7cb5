//! What benchmarks share: clocks, percentiles, programs that are measured and what they use, pages figures are put into.

pub mod clock;
pub mod configured;
pub mod controlplane;
pub mod http;
pub mod page;
pub mod percentile;
pub mod process;
pub mod running;
