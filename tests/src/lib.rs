//! What the tests of the whole site share.

pub mod upstream;
