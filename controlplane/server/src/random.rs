//! Randomness of the system, for keys, cards and tokens.

use anyhow::Context as _;
use zeroize::Zeroizing;

/// `N` random bytes, wiped when dropped.
pub(crate) fn random<const N: usize>() -> anyhow::Result<Zeroizing<[u8; N]>> {
    let mut raw = Zeroizing::new([0u8; N]);
    getrandom::fill(raw.as_mut()).context("the system gave no random bytes")?;
    Ok(raw)
}
