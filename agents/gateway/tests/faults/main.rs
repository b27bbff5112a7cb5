//! What targets do wrong, and who serves then: nobody who may not.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod breaking;
mod forbidden;
mod site;
