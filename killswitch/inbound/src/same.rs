//! Comparing without telling by the time it takes how much was right.

use subtle::ConstantTimeEq as _;

/// Whether a text is exactly the expected one.
pub(crate) fn text(given: &str, expected: &str) -> bool {
    given.as_bytes().ct_eq(expected.as_bytes()).into()
}

/// Whether a text is exactly these bytes in lower-case hexadecimal.
pub(crate) fn hex(given: &str, expected: &[u8]) -> bool {
    let digits = b"0123456789abcdef";
    let written: Vec<u8> = expected
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|half| digits.get(usize::from(half)).copied())
        .collect();
    given.as_bytes().ct_eq(&written).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_same_is_the_same() {
        assert!(text("abc", "abc") && text("", ""));
        for other in ["", "ab", "abcd", "abC"] {
            assert!(!text(other, "abc"), "{other}");
        }
        assert!(hex("00ff1a", &[0, 255, 26]));
        for other in ["", "00FF1A", "00ff1", "00ff1a0", "00ff1b"] {
            assert!(!hex(other, &[0, 255, 26]), "{other}");
        }
    }
}
