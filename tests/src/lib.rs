//! What the tests and benchmarks of the whole site share.

pub mod bench;
pub mod upstream;
