//! Spans of time, as people write them: a number and its unit.

/// Units, largest first: the first that divides a span shows it.
const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];

/// `12 h`, `12h`: seconds; `None` when it is anything else.
pub(crate) fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit.trim())?;
    number.parse::<u64>().ok()?.checked_mul(*seconds)
}

/// The shortest way to write it.
pub(crate) fn shown(seconds: u64) -> String {
    let whole = |unit: &&(&str, u64)| seconds.is_multiple_of(unit.1);
    let (name, unit) = UNITS.iter().find(whole).unwrap_or(&("s", 1));
    format!("{} {name}", seconds / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_its_unit_and_nothing_else() {
        assert_eq!(seconds("90s"), Some(90));
        assert_eq!(seconds(" 15 min "), Some(900));
        assert_eq!(seconds("12 h"), Some(43_200));
        assert_eq!(seconds("7 d"), Some(604_800));
        for wrong in [
            "",
            "7",
            "d",
            "-1 d",
            "1.5 h",
            "7 days",
            "99999999999999999999 s",
            "999999999999999999 d",
        ] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
        assert_eq!(shown(604_800), "7 d");
        assert_eq!(shown(90), "90 s");
    }
}
