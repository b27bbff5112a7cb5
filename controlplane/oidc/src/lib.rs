//! The house's OpenID Connect provider: authorization code with PKCE, discovery, refresh, logout in both directions.
//!
//! Nothing is asked of the provider before somebody signs in, so that its failure stops nothing. Its keys and addresses are
//! read once an hour, and again where a signature fits none of the keys.
//!
//! What is absent: sessions, cookies, pages. **Invariant:** who somebody is, only a verified ID token says.

mod claims;
mod logout;
mod outcome;
mod provider;
mod settings;
mod web;

pub use logout::{LoggedOut, NotALogout};
pub use outcome::{Begun, OidcError, SignedIn};
pub use provider::Provider;
pub use settings::{BadSettings, Settings};
pub use web::Unreachable;
