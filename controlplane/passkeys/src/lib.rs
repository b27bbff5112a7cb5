//! Passkeys (WebAuthn): how one is made, and how whoever holds it proves that he does. User verification is always asked for.
//!
//! What was asked lies in memory: each challenge counts once, for two minutes, and there is a bounded number of them.
//!
//! What is absent: sessions, people, SQL, pages. What is to be kept of a passkey is text for whoever keeps it, and none of it
//! is secret. **Invariant:** a challenge is spent before anything that came with it is believed.

mod asked;
mod ceremonies;
mod party;
mod trouble;

pub use ceremonies::{Claim, Holder, Kept, Made, Passkeys};
pub use party::{NotFit, Party, Settings};
pub use trouble::PasskeyTrouble;
