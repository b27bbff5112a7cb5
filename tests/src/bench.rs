//! What benchmarks share: clocks, percentiles, programs that are measured and what they use, a browser's part and a host's,
//! pages figures are put into.

pub mod browser;
pub mod clock;
pub mod configured;
pub mod controlplane;
pub mod http;
pub mod page;
pub mod percentile;
pub mod process;
pub mod report;
pub mod running;
