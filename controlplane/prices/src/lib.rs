//! What models cost: a dated table with its source, a house's own prices over it, and what one exchange comes to.
//!
//! Rates are whole micro-dollars a million tokens, which is whole picodollars a token: no published price has to be
//! rounded. A sum is rounded once, up to the next micro-dollar. What has no price is unknown, never free.
//!
//! What is absent: prices by the second, the picture, the search or the service tier. Files are read by who calls.

mod book;
mod litellm;
mod price;

pub use book::{Book, Known, Origin, Prices};
pub use litellm::from_litellm;
pub use price::{Above, Price, Rates, Sound};

/// A table of prices cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the prices cannot be read: {0}")]
pub struct NotPrices(#[from] serde_json::Error);
