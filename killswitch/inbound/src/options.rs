//! What the configuration says of a channel.

use zeroize::Zeroizing;

/// What the configuration says of a channel.
#[derive(Default)]
pub struct Options {
    /// The address the provider calls, for providers that sign it.
    pub public_url: Option<String>,
    /// One secret, or two while one replaces the other.
    pub secrets: Vec<String>,
}

impl Options {
    /// The secrets without the line ends of their files; wiped when dropped.
    pub(crate) fn take_secrets(&mut self) -> Result<Vec<Zeroizing<String>>, String> {
        let given = std::mem::take(&mut self.secrets).into_iter();
        let secrets: Vec<_> = given
            .map(Zeroizing::new)
            .map(|secret| Zeroizing::new(secret.trim().to_owned()))
            .collect();
        if (1..=2).contains(&secrets.len()) {
            Ok(secrets)
        } else {
            Err(format!("expected 1 or 2 secrets, found {}", secrets.len()))
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("public_url", &self.public_url)
            .finish_non_exhaustive()
    }
}
