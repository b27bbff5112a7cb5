//! Secrets that stand in an address, because the provider can sign nothing better.

use crate::same;
use zeroize::Zeroizing;

/// What is expected of one, for messages to the owner.
pub(crate) const EXPECT: &str = "16 to 128 random characters out of A-Z, a-z, 0-9, `-` and `_`, such as `openssl rand -hex 16` prints";

/// Whether it is long and mixed enough that nobody finds it by trying, and reads the same however it is encoded.
pub(crate) fn good(secret: &str) -> bool {
    let mut seen: Vec<u8> = secret.bytes().collect();
    seen.sort_unstable();
    seen.dedup();
    let ok = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    (16..=128).contains(&secret.len()) && seen.len() >= 8 && secret.bytes().all(ok)
}

/// Whether the query is `k=` with one of these secrets and nothing else.
pub(crate) fn is_query(query: Option<&str>, secrets: &[Zeroizing<String>]) -> bool {
    let given = query.and_then(|query| query.strip_prefix("k="));
    given.is_some_and(|given| secrets.iter().any(|secret| same::text(given, secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_or_plain_is_no_secret() {
        assert!(good("0123456789abcdef") && good("Zk3_x-91mQpLr7Tw"));
        for secret in [
            "",
            "0123456789abcde",
            "aaaaaaaaaaaaaaaaaaaaaaaa",
            "0123456789abcde&",
            "0123456789abcde ü",
        ] {
            assert!(!good(secret), "{secret}");
        }
        assert!(!good(&"0123456789".repeat(13)));
    }

    #[test]
    fn the_query_is_the_secret_and_nothing_else() {
        let secrets = ["0123456789abcdef", "fedcba9876543210"].map(|s| Zeroizing::new(s.into()));
        assert!(is_query(Some("k=0123456789abcdef"), &secrets));
        assert!(is_query(Some("k=fedcba9876543210"), &secrets));
        for query in [
            "k=",
            "k=0123456789abcde",
            "k=0123456789abcdef&k=1",
            "K=0123456789abcdef",
            "0123456789abcdef",
        ] {
            assert!(!is_query(Some(query), &secrets), "{query}");
        }
        assert!(!is_query(None, &secrets) && !is_query(Some("k="), &[]));
    }
}
