//! What the tests and benchmarks of the whole site share.

pub mod apisix;
pub mod bench;
pub mod driven;
pub mod litellm;
pub mod talk;
pub mod upstream;
